"""Shortcuts: what besides faces separates real from fake, and whether a detector uses it.

`bias_score.py` swaps the processing of pictures, `explain.py` has the baselines and the explaining sentence.
"""
