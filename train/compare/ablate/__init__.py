"""Ablations: a grid of recipes and seeds, what each arm reaches, and how it differs from the first one.

`grid.py` reads the file, `figures.py` measures the trainings that `train.fit.train_missing` made, `tables.py` writes
them down.
"""
