"""Runtimes for detectors: one adapter each behind `interface.py`, listed in `registry.py`.

`doctor.py` reports what is missing and installs it.
"""
