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

from export.quantize.wrap import has_range, range_by_name, range_of
from train.common.tf import load_tensorflow

_STEPS = 255  # of uint8 activations between the ends of their range
_WEIGHT_STEPS = 127  # of int8 weights from zero to an end of theirs (narrow range, symmetric)


@dataclass(frozen=True)
class Folded:
    """A convolution and the batch norm behind it, if there is one: the name of the layer whose bias the file has, what
    batch norm multiplies by, [C], and the step of its integer biases, [C]; float64. A step is 0 where a channel's
    weights are all zero."""

    name: str
    convolution: Any
    batch_norm: Any | None
    factor: np.ndarray
    step: np.ndarray

    @property
    def bias(self) -> np.ndarray:
        """The bias that is left once batch norm is folded into the convolution."""
        layer, norm = self.convolution, self.batch_norm
        own = layer.bias.numpy().astype(np.float64) if layer.use_bias else np.zeros_like(self.step)
        if norm is None:
            return own
        return np.asarray(norm.beta.numpy() + (own - norm.moving_mean.numpy()) * self.factor)

    @property
    def variable(self) -> Any:
        """The variable that moves this bias one to one."""
        return self.convolution.bias if self.batch_norm is None else self.batch_norm.beta


def round_biases(model: Any) -> None:
    """Move every batch norm's beta, or bias without one, so that the folded bias is a whole number of steps; by half a
    step at most.

    model: fake-quantised and calibrated (export.quantize.fake_quant). Fine-tuning moves ranges, so do it last.
    """
    for one in folded_biases(model):
        safe = np.where(one.step > 0, one.step, 1.0)
        rounded = np.where(one.step > 0, np.rint(one.bias / safe) * safe, one.bias)
        one.variable.assign((one.variable.numpy() + (rounded - one.bias)).astype(np.float32))


def folded_biases(model: Any) -> Iterator[Folded]:
    """Every convolution of a fake-quantised model that the file gives a bias, in the order of execution."""
    layers = load_tensorflow().keras.layers
    for layer in model.layers:
        convolution = getattr(layer, "layer", None)
        if isinstance(convolution, layers.DepthwiseConv2D):
            weight = _weight_scale(layer, "_channel" if has_range(layer, "_channel") else "kernel")
        elif isinstance(convolution, layers.Conv2D):
            weight = _weight_scale(layer, "kernel")
        else:
            continue
        low, high = range_of(layer.input)
        step = float(high - low) / _STEPS * weight
        followers = {node.layer for node in layer.outbound_nodes}
        norms = [one.layer for one in followers if isinstance(getattr(one, "layer", None), layers.BatchNormalization)]
        if norms:
            (norm,) = norms
            deviation = np.sqrt(norm.moving_variance.numpy().astype(np.float64) + norm.epsilon)
            factor = (norm.gamma.numpy().astype(np.float64) if norm.scale else 1.0) / deviation
            yield Folded(norm.name, convolution, norm, factor, step * np.abs(factor))
        elif convolution.use_bias:
            yield Folded(convolution.name, convolution, None, np.ones(1), np.broadcast_to(step, convolution.bias.shape))


def _weight_scale(layer: Any, name: str) -> np.ndarray:
    low, high = range_by_name(layer, name)
    return np.maximum(-low, high).ravel() / _WEIGHT_STEPS
