"""The learning rate of every step, from the recipe and the epochs that are done: no state for a checkpoint to keep."""

import math
from collections.abc import Sequence

from train.recipe_training import Stage

MIN_DELTA = 1e-4
"""How much lower a validation loss has to be to count as fallen: the default of Keras's ReduceLROnPlateau."""


def learning_rate(stage: Stage, step: int, steps: int, losses: Sequence[float] = ()) -> float:
    """The learning rate of a stage's step number `step`, from 0, of `steps`.

    losses: the validation losses of the stage's epochs so far, which `plateau` goes by.
    """
    rising = stage.warm_up * steps
    full = stage.learning_rate * (reduction(stage, losses) if stage.schedule == "plateau" else 1.0)
    if step < rising:
        return full * (step + 1) / (rising + 1)
    if stage.schedule != "cosine":
        return full
    # Loshchilov and Hutter 2017, one cycle without restarts.
    return full * 0.5 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))


def reduction(stage: Stage, losses: Sequence[float]) -> float:
    """What a plateau has made of the learning rate after epochs with these validation losses, 0..1.

    The rule of Keras's ReduceLROnPlateau without cooldown, worked out anew from the first epoch on.
    """
    factor, best, waited = 1.0, math.inf, 0
    for loss in losses:
        if loss < best - MIN_DELTA:
            best, waited = loss, 0
            continue
        waited += 1
        if waited >= stage.plateau_patience:
            factor, waited = factor * stage.plateau_factor, 0
    return factor
