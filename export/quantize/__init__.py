"""Post-training quantisation and quantisation-aware training: from a float run to its int8 Keras states.

`states.py` loads the states of a run.
"""
