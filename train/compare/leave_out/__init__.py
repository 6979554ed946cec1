"""Detectors trained without some generators or sources, and what each makes of the ones that it never saw.

`plans.py` says which trainings a scheme needs, `figures.py` what they reach, the others write it down.
"""
