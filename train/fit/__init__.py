"""Training: from a recipe and a packed store to a run folder, by stages, batches, augmentation, checkpoints, scoring.

`pipeline.py` runs everything, `loop.py` the epochs.
"""
