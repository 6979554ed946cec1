"""Reports of evaluations: HTML, JSON, CSV and the terminal summary.

`build.py` puts one together; the others format it.
"""
