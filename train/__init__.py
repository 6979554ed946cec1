"""From labelled pictures to a trained run: data, recipes, the Keras model, evaluation, training, comparison of runs.

`recipe.py`, `model.py` and `weights.py` are shared by the packages.
"""
