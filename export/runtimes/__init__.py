"""Where detectors run: one adapter a runtime behind `interface.py`, listed in `registry.py`.

`doctor.py` says what is missing and sets it up.
"""
