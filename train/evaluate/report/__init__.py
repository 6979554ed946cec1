"""Reports of evaluations: HTML, JSON, CSV and the terminal summary.

`build.py` assembles a report; the others format it.
"""
