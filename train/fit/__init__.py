"""From a recipe and a packed store to a run folder: stages, batches, augmentation, checkpoints, scoring.

`pipeline.py` is the whole of it, `loop.py` the epochs.
"""
