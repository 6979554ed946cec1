"""Leave-one-out studies: detectors trained without some generators or sources, and tested on them.

`plans.py` lists the trainings of a scheme, `figures.py` measures them, the others format the results.
"""
