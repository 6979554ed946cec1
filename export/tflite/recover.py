"""A trainable network out of a detector file, so that training can begin where a shipped detector ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ela.front_ends import parse_front_end
from export.artifacts.description import Description
from export.tflite.flatbuffer import Operator, constant_values, read_graph
from train.common.errors import ExportError
from train.model import HEAD, build_classifier, scale_pixels
from train.recipe import Model

_FIRST_CHANNELS = 32
"""Output channels of conv1 at width 1 (Howard et al. 2017, table 1)."""

_BATCH = 32


@dataclass(frozen=True)
class _Convolution:
    """A convolution's weights as Keras lays them out, and its bias, float32."""

    kernel: np.ndarray
    bias: np.ndarray


def recover_classifier(
    tflite: bytes, description: Description, views: Iterable[np.ndarray], name: str
) -> tuple[Any, Model]:
    """Build the trainable Keras classifier of an int8 detector file, and what [model] of its recipe says.

    Export folds batch normalisation into the convolutions. Here it is put back: each layer's mean and variance are
    measured on `views` (uint8 [S, S, 3] each, a few hundred like those to train on), and its scale and offset are
    chosen so that the network computes what it did. Rounding to int8 stays in the weights. The head's bias is not
    recovered and is 0; training fits the head first.
    Raises ExportError for a file that is not int8 or has not the convolutions of MobileNet V1, and where `views` is
    empty.
    """
    convolutions = _convolutions(tflite, name)
    channels = len(convolutions[0].bias)
    settings = Model(width=channels / _FIRST_CHANNELS, weights="none", front_end=description.front_end)
    model = build_classifier(settings, description.size)
    layers = _convolution_layers(model)
    if len(layers) != len(convolutions) - 1:
        raise ExportError(
            f"{name} has {len(convolutions) - 1} convolutions where MobileNet V1 has {len(layers)}: training cannot "
            "continue from its weights; start with `--weights imagenet` instead."
        )
    for (layer, normalisation), convolution in zip(layers, convolutions, strict=False):
        if layer.get_weights()[0].shape != convolution.kernel.shape:
            raise ExportError(
                f"{name}: layer {layer.name} has weights {list(convolution.kernel.shape)} where MobileNet V1 has "
                f"{list(layer.get_weights()[0].shape)}; start with `--weights imagenet` instead."
            )
        layer.set_weights([convolution.kernel])
        _normalise(normalisation, convolution.bias, np.zeros_like(convolution.bias), np.ones_like(convolution.bias))
    head = convolutions[-1]
    # The head's convolution is padded with channels of zeros (export/tflite/convert.py); the bias is added after it.
    model.get_layer(HEAD).set_weights([head.kernel[0, 0, :, :1], np.zeros(1, np.float32)])
    statistics = _measure(model, [layer for layer, _ in layers], description.front_end, views, name)
    for (_, normalisation), convolution, (mean, variance) in zip(layers, convolutions, statistics, strict=False):
        _normalise(normalisation, convolution.bias, mean, variance)
    return model, settings


def _convolutions(tflite: bytes, name: str) -> list[_Convolution]:
    """The backbone's convolutions in execution order, then the head's, without those of a front end."""
    graph = read_graph(tflite, name)
    found = [operator for operator in graph.operators if operator.is_convolution]
    first = next((i for i, one in enumerate(found) if one.is_int8_convolution), None)
    if first is None:
        raise ExportError(
            f"{name} has no int8 convolution: give an int8 detector; to continue a run, use its weights.h5."
        )
    return [_read(tflite, operator, name) for operator in found[first:]]


def _read(tflite: bytes, operator: Operator, name: str) -> _Convolution:
    kernel = constant_values(tflite, operator.inputs[1], name)
    # TFLite: [out, h, w, in], and [1, h, w, channels] for depthwise ones; Keras: [h, w, in, out], [h, w, channels, 1].
    kernel = np.moveaxis(kernel, 0, 3)
    channels = kernel.shape[2] if operator.name == "DEPTHWISE_CONV_2D" else kernel.shape[3]
    has_bias = len(operator.inputs) > 2
    bias = constant_values(tflite, operator.inputs[2], name) if has_bias else np.zeros(channels, np.float32)
    return _Convolution(np.ascontiguousarray(kernel), bias)


def _convolution_layers(model: Any) -> list[tuple[Any, Any]]:
    """The backbone's convolutions, each with its batch normalisation."""
    return [
        (model.get_layer(layer.name.removesuffix("_bn")), layer) for layer in model.layers if layer.name.endswith("_bn")
    ]


def _normalise(layer: Any, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> None:
    """Let a batch normalisation of these statistics compute x + bias."""
    layer.set_weights([np.sqrt(variance + layer.epsilon), bias + mean, mean, variance])


def _measure(
    model: Any, layers: list[Any], front_end: str, views: Iterable[np.ndarray], name: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of each layer's output, float32 [channels], over all views and places."""
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    planes = parse_front_end(front_end).graph
    outputs = tf.keras.Model(model.input, [layer.output for layer in layers])

    @tf.function(reduce_retracing=True)
    def moments(batch: Any) -> Any:
        given = outputs(scale_pixels(planes(tf, tf.cast(batch, tf.float32))), training=False)
        return [(tf.reduce_mean(x, axis=[0, 1, 2]), tf.reduce_mean(tf.square(x), axis=[0, 1, 2])) for x in given]

    total, count = None, 0
    for batch in _batches(views):
        found = [np.stack([part.numpy() for part in pair]).astype(np.float64) for pair in moments(batch)]
        weighed = [one * len(batch) for one in found]
        total = weighed if total is None else [a + b for a, b in zip(total, weighed, strict=True)]
        count += len(batch)
    if total is None:
        raise ExportError(f"There is no picture on which to measure the layers of {name}; give a manifest with some.")
    means = [one / count for one in total]
    return [(mean.astype(np.float32), np.maximum(square - mean**2, 0.0).astype(np.float32)) for mean, square in means]


def _batches(views: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    batch: list[np.ndarray] = []
    for view in views:
        batch.append(view)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
