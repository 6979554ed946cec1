"""Ablations: a grid of recipes and seeds, the results of each arm and its difference from the first arm.

`grid.py` reads the file, `figures.py` measures the trainings made by `train.fit.train_missing`, `tables.py` formats
them.
"""
