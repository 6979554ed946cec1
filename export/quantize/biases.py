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

from train.common.tf import load_tensorflow

_STEPS = 255  # of uint8 activations between the ends of their range
_WEIGHT_STEPS = 127  # of int8 weights from zero to an end of theirs (narrow range, symmetric)


@dataclass(frozen=True)
class Folded:
    """A convolution and the batch norm behind it: its name, the two Keras layers, what batch norm multiplies by, [C],
    and the step of its integer biases, [C]; float64. Without a batch norm (None) the factor is 1 and the bias is its
    own. A step is 0 where a channel's weights are all zero."""

    name: str
    convolution: Any
    batch_norm: Any
    factor: np.ndarray
    step: np.ndarray

    @property
    def bias(self) -> np.ndarray:
        """The bias that is left once batch norm is folded into the convolution."""
        norm, own = self.batch_norm, 0.0
        if self.convolution.use_bias:
            own = self.convolution.bias.numpy().astype(np.float64)
        if norm is None:
            return np.asarray(own)
        return np.asarray(norm.beta.numpy() + (own - norm.moving_mean.numpy().astype(np.float64)) * self.factor)

    def move_bias(self, by: np.ndarray) -> None:
        """Add `by` [C] to the folded bias, in whichever weight gives it."""
        weight = self.convolution.bias if self.batch_norm is None else self.batch_norm.beta
        weight.assign((weight.numpy() + by).astype(np.float32))


def round_biases(model: Any) -> None:
    """Move every bias so that the folded one is a whole number of steps; by half a step at most.

    model: fake-quantised and calibrated (export.quantize.fake_quant), each convolution followed by a batch norm or with
    a bias of its own. Fine-tuning moves ranges, so do it last.
    """
    for one in folded_biases(model):
        safe = np.where(one.step > 0, one.step, 1.0)
        rounded = np.where(one.step > 0, np.rint(one.bias / safe) * safe, one.bias)
        one.move_bias(rounded - one.bias)


def folded_biases(model: Any) -> Iterator[Folded]:
    """Every convolution of a fake-quantised model with its batch norm, in the order of the model's layers."""
    layers = load_tensorflow().keras.layers
    for layer in model.layers:
        inner = getattr(layer, "layer", None)
        if not isinstance(inner, (layers.Conv2D, layers.DepthwiseConv2D)):
            continue
        step = _activation_step(layer) * _weight_scale(layer, "_channel" if _has(layer, "_channel_min:0") else "kernel")
        (behind, *_) = (getattr(node.layer, "layer", None) for node in layer.outbound_nodes)
        if isinstance(behind, layers.BatchNormalization):
            deviation = np.sqrt(behind.moving_variance.numpy().astype(np.float64) + behind.epsilon)
            factor = (behind.gamma.numpy().astype(np.float64) if behind.scale else 1.0) / deviation
            yield Folded(behind.name, inner, behind, factor, step * np.abs(factor))
        elif inner.use_bias:
            yield Folded(inner.name, inner, None, np.ones_like(step), step)


def _activation_step(layer: Any) -> float:
    """The step of what a layer takes in: that of the last layer before it that rounds what it gives."""
    before = layer.input.node.layer
    while (found := _output_range(before)) is None:
        before = before.input.node.layer
    low, high = found
    return float(high - low) / _STEPS


def _output_range(layer: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """The range of what a layer gives, or None where it is not rounded: all but the ranges of its weights."""
    ends = [
        [w for w in layer.weights if w.name.endswith(f"_{end}:0") and not w.name.endswith(_OF_WEIGHTS[end])]
        for end in ("min", "max")
    ]
    if not ends[0]:
        return None
    (low,), (high,) = ends
    return low.numpy().astype(np.float64), high.numpy().astype(np.float64)


_OF_WEIGHTS = {end: (f"kernel_{end}:0", f"_channel_{end}:0") for end in ("min", "max")}


def _weight_scale(layer: Any, name: str) -> np.ndarray:
    low, high = _weight_range(layer, name)
    return np.maximum(-low, high).ravel() / _WEIGHT_STEPS


def _weight_range(layer: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The variables of a weight's range, by the end of their names."""
    found = {end: [w for w in layer.weights if w.name.endswith(f"{name}_{end}:0")] for end in ("min", "max")}
    (low,), (high,) = found["min"], found["max"]
    return low.numpy().astype(np.float64), high.numpy().astype(np.float64)


def _has(layer: Any, ending: str) -> bool:
    return any(weight.name.endswith(ending) for weight in layer.weights)
