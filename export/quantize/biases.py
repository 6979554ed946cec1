"""Biases on the grid of their integers, so that rounding them at conversion changes nothing.

TFLite stores the bias of an int8 convolution as an int32 in steps of (input scale x weight scale), a scale a channel
(TFLite 8-bit quantisation specification, CONV_2D and DEPTHWISE_CONV_2D). Fake quantisation leaves biases in float, so
the file rounds what the Keras state does not: in depthwise layers, whose inputs and weights are coarse, by up to a
fifth of an output step, which turns one value in fifty. Here the same rounding is done in the Keras state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_STEPS = 255  # of uint8 activations between the ends of their range
_WEIGHT_STEPS = 127  # of int8 weights from zero to an end of theirs (narrow range, symmetric)


@dataclass(frozen=True)
class Folded:
    """A convolution and the batch norm behind it: its name, what batch norm multiplies by, [C], and the step of its
    integer biases, [C]; float64. A step is 0 where a channel's weights are all zero."""

    name: str
    batch_norm: Any
    factor: np.ndarray
    step: np.ndarray

    @property
    def bias(self) -> np.ndarray:
        """The bias that is left once batch norm is folded into the convolution."""
        norm = self.batch_norm
        return np.asarray(norm.beta.numpy() - norm.moving_mean.numpy().astype(np.float64) * self.factor)


def round_biases(model: Any) -> None:
    """Move every batch norm's beta so that the folded bias is a whole number of steps; by half a step at most.

    model: fake-quantised and calibrated (export.quantize.fake_quant), each convolution followed by a batch norm.
    Fine-tuning moves ranges, so do it last.
    """
    for one in folded_biases(model):
        safe = np.where(one.step > 0, one.step, 1.0)
        rounded = np.where(one.step > 0, np.rint(one.bias / safe) * safe, one.bias)
        one.batch_norm.beta.assign((one.batch_norm.beta.numpy() + (rounded - one.bias)).astype(np.float32))


def folded_biases(model: Any) -> Iterator[Folded]:
    """Every convolution of a fake-quantised model with its batch norm, in the order of execution."""
    from train.common.tf import load_tensorflow

    layers = load_tensorflow().keras.layers
    activation, weight = 0.0, np.zeros(0)
    for layer in model.layers:
        inner = getattr(layer, "layer", None)
        if type(layer).__name__ == "QuantizeLayer" or isinstance(inner, layers.ReLU):
            low, high = _range(layer, "")
            activation = float(high - low) / _STEPS
        elif isinstance(inner, layers.DepthwiseConv2D):
            weight = _weight_scale(layer, "_channel" if _has(layer, "_channel_min:0") else "kernel")
        elif isinstance(inner, layers.Conv2D):
            weight = _weight_scale(layer, "kernel")
        elif isinstance(inner, layers.BatchNormalization):
            deviation = np.sqrt(inner.moving_variance.numpy().astype(np.float64) + inner.epsilon)
            factor = (inner.gamma.numpy().astype(np.float64) if inner.scale else 1.0) / deviation
            yield Folded(inner.name, inner, factor, activation * weight * np.abs(factor))


def _weight_scale(layer: Any, name: str) -> np.ndarray:
    low, high = _range(layer, name)
    return np.maximum(-low, high).ravel() / _WEIGHT_STEPS


def _range(layer: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The variables of a range, by the end of their names."""
    found = {end: [w for w in layer.weights if w.name.endswith(f"{name}_{end}:0")] for end in ("min", "max")}
    (low,), (high,) = found["min"], found["max"]
    return low.numpy().astype(np.float64), high.numpy().astype(np.float64)


def _has(layer: Any, ending: str) -> bool:
    return any(weight.name.endswith(ending) for weight in layer.weights)
