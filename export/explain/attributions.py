"""What a float Keras classifier's score is made of: integrated gradients of its planes, and its layers' activations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ela.interface import FrontEnd
from train.common.tf import load_tensorflow
from train.model import scale_pixels

TOLERANCE = 0.05
"""Integrated gradients add up when they miss the logit's difference by at most this share of it, or of one logit where
the difference is smaller: what Sundararajan et al. ask for (section 5). The slopes of a network of ReLUs jump along the
path, and those of ELA's noisy planes so often that 1024 steps miss 1 % of it in more than half of the pictures."""

_FIRST_STEPS, _MOST_STEPS = 32, 1024
_BATCH = 32

Gradient = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Scaled planes float32 [N, S, S, C] to logits [N] and their gradients [N, S, S, C], both float64."""


@dataclass(frozen=True)
class IntegratedGradients:
    """Attributions of one picture's logit to its planes, float64 [S, S, C], in logits; positive speaks for "fake".

    They should add up to `logit` - `blank_logit`, the completeness axiom; `residual` is what their sum has too much.
    `steps` is the number of steps of the integration.
    """

    attributions: np.ndarray
    logit: float
    blank_logit: float
    steps: int

    @property
    def total(self) -> float:
        """The sum of all attributions, in logits."""
        return float(self.attributions.sum())

    @property
    def residual(self) -> float:
        """By how many logits the sum is off."""
        return self.total - (self.logit - self.blank_logit)

    @property
    def complete(self) -> bool:
        """Whether the sum is right within TOLERANCE."""
        return abs(self.residual) <= TOLERANCE * max(1.0, abs(self.logit - self.blank_logit))


@dataclass(frozen=True)
class Activation:
    """What one layer makes of a picture, float32 [h, w] each: the mean and the maximum over its channels, and the
    channels of the highest mean by their number, the highest first."""

    layer: str
    channels: int
    mean: np.ndarray
    highest: np.ndarray
    strongest: tuple[tuple[int, np.ndarray], ...]


def blank_planes(front_end: FrontEnd, size: int) -> np.ndarray:
    """Planes that show nothing, uint8 [size, size, C]: what the front end makes of an evenly grey view of value 128.

    That is 128 for `rgb` and for residuals, which `scale_pixels` maps to zero, and 0, no error anywhere, for `ela`.
    Grey and not black, because what equals the blank gets no attribution, and dark hair is nearly black.
    """
    return front_end.planes(np.full((1, size, size, 3), 128, np.uint8))[0]


def logit_gradient(model: Any) -> Gradient:
    """The gradient of a classifier's logit by its planes; traced once, so keep it for several pictures."""
    tf = load_tensorflow()

    @tf.function(reduce_retracing=True, autograph=False)
    def traced(planes: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(planes)
            logits = model(planes, training=False)[:, 0]
        return logits, tape.gradient(logits, planes)

    def gradient(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, slopes = traced(tf.constant(planes, tf.float32))
        return logits.numpy().astype(np.float64), slopes.numpy().astype(np.float64)

    return gradient


def integrated_gradients(gradient: Gradient, planes: np.ndarray, blank: np.ndarray) -> IntegratedGradients:
    """Integrated gradients (Sundararajan et al. 2017) of one picture's logit, from its blank along the straight line.

    planes, blank: uint8 [S, S, C]. By the trapezoidal rule; steps are halved, from 32 to at most 1024 of them, until
    the sum is right within TOLERANCE: see `complete`.
    """
    start = scale_pixels(blank.astype(np.float64))
    path = scale_pixels(planes.astype(np.float64)) - start

    def slopes_at(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, total = [], np.zeros(path.shape)
        for first in range(0, len(places), _BATCH):
            batch = start + places[first : first + _BATCH, np.newaxis, np.newaxis, np.newaxis] * path
            found, slopes = gradient(batch.astype(np.float32))
            logits.append(found)
            total += slopes.sum(axis=0)
        return np.concatenate(logits), total

    (blank_logit, logit), ends = slopes_at(np.array([0.0, 1.0]))
    steps = _FIRST_STEPS
    # The ends count half; steps are then halved, so that no place is looked at twice.
    total = ends / 2 + slopes_at(np.arange(1, steps) / steps)[1]
    while True:
        found = IntegratedGradients(path * total / steps, float(logit), float(blank_logit), steps)
        if found.complete or steps >= _MOST_STEPS:
            return found
        steps *= 2
        total = total + slopes_at(np.arange(1, steps, 2) / steps)[1]


def activations(model: Any, planes: np.ndarray, layers: Sequence[str], strongest: int = 4) -> tuple[Activation, ...]:
    """What named layers make of one picture, uint8 [S, S, C] planes. Raises ValueError for a name of no layer."""
    tf = load_tensorflow()
    several = tf.keras.Model(model.input, [model.get_layer(name).output for name in layers])
    found = several(scale_pixels(planes[np.newaxis].astype(np.float32)), training=False)
    return tuple(
        _summed_up(name, values.numpy()[0], strongest)
        for name, values in zip(layers, found if len(layers) > 1 else [found], strict=True)
    )


def _summed_up(layer: str, values: np.ndarray, strongest: int) -> Activation:
    order = np.argsort(-values.mean(axis=(0, 1)), kind="stable")[:strongest]
    return Activation(
        layer=layer,
        channels=values.shape[-1],
        mean=values.mean(axis=-1),
        highest=values.max(axis=-1),
        strongest=tuple((int(channel), values[..., channel]) for channel in order),
    )
