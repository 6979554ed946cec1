"""The optimizer that a recipe names, as Keras has it."""

from typing import Any

from train.common.tf import load_tensorflow
from train.recipe_training import Fit

_NOT_DECAYED = ("bias", "gamma", "beta")
"""Weights that weight decay leaves alone: those of batch norm, and biases."""


def make_optimizer(settings: Fit, rate: float) -> Any:
    """Make the Keras optimizer of a recipe at a learning rate, which the loop sets anew before every step."""
    tf = load_tensorflow()
    decay = settings.weight_decay or None
    if settings.optimizer == "sgd":
        optimizer = tf.keras.optimizers.SGD(
            rate, momentum=settings.momentum, nesterov=settings.nesterov, weight_decay=decay
        )
    elif decay is None:
        return tf.keras.optimizers.Adam(rate)
    else:
        optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=decay)
    if decay is not None:
        optimizer.exclude_from_weight_decay(var_names=list(_NOT_DECAYED))
    return optimizer
