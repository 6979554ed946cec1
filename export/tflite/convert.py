"""From a trained Keras state to one TFLite flatbuffer: scale, front end, backbone, score and heatmap in one graph."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ela.front_ends import FrontEnd
from export.tflite.head_graph import dense_head, linear_head
from export.tflite.naming import HEAD, SCALE, name_tensors
from train.common.quiet import native_chatter_hidden
from train.common.tf import load_tensorflow
from train.evaluate.calibration import Calibration
from train.model import scale_pixels

SMALLEST_MAXIMUM = 1e-5
"""A Grad-CAM whose maximum is below this counts as empty, and its heatmap stays below 1."""

_LARGEST_LOGIT = 32.0  # sigmoid(32) is 1 in float32
_HALVINGS = 6
_TERMS = 8

Arithmetic = Literal["float32", "float16", "dynamic", "int8"]


@dataclass(frozen=True)
class GraphParts:
    """What a detector's graph is composed of.

    backbone: maps scaled planes to the last feature map. hidden: the layers of a dense head before the last, as
    `train.model.hidden_of` gives them; empty for a linear head.
    """

    front_end: FrontEnd
    backbone: Any
    head_weights: np.ndarray
    head_bias: float
    calibration: Calibration
    size: int
    hidden: tuple[tuple[np.ndarray, np.ndarray], ...] = ()


def compose(parts: GraphParts) -> Callable[[Any], dict[str, Any]]:
    """Build the detector's graph: `image` uint8 [N, S, S, 3] in; `scores` [N, 2] and `heatmap` [N, h, w] out, float32.

    scores are the calibrated probabilities of real and fake. heatmap is the Grad-CAM of the fake logit divided by its
    maximum, and all zero where no place speaks for "fake" (see train.model). Dividing by the maximum alone, without
    tf-keras-vis's shift by the minimum, keeps it proportional to the Grad-CAM itself.
    """
    tf = load_tensorflow()

    def detector(image: Any) -> dict[str, Any]:
        # Scopes and names are what `export.tflite.naming` finds the stages by in the converted file.
        with tf.name_scope("front_end"):
            planes = parts.front_end.graph(tf, tf.cast(image, tf.float32))
        with tf.name_scope(SCALE):
            scaled = scale_pixels(planes)
        features = parts.backbone(scaled, training=False)
        with tf.name_scope(HEAD):
            if parts.hidden:
                logit, evidence = dense_head(features, parts.hidden, parts.head_weights, parts.head_bias)
            else:
                logit, evidence = linear_head(features, parts.head_weights, parts.head_bias)
        with tf.name_scope("calibration"):
            calibrated = logit * parts.calibration.scale + parts.calibration.bias
            scores = portable_sigmoid(tf, tf.concat([-calibrated, calibrated], axis=1))
        with tf.name_scope("grad_cam"):
            # Reshaped rather than sliced: XNNPACK takes no strided slice, and the graph would fall into two partitions.
            grad_cam = tf.nn.relu(tf.reshape(evidence, [-1, *evidence.shape[1:3]]))
            highest = tf.reduce_max(grad_cam, axis=[1, 2], keepdims=True)
            # Only keeps 0 / 0 away, and so has to survive float16; a real maximum is far above it.
            heatmap = grad_cam / tf.maximum(highest, SMALLEST_MAXIMUM)
        return {"scores": scores, "heatmap": heatmap}

    return detector


def portable_sigmoid(tf: Any, x: Any) -> Any:
    """1 / (1 + e^-x) by operations that IEEE 754 rounds exactly, so that every processor gives the same bits.

    XNNPACK's own sigmoid differs by a last bit between AVX2, AVX-512, arm64 and WebAssembly. Here e^-x is (e^u)^64 with
    u = -x / 64, |u| <= 1/2, and e^u its Taylor polynomial of degree 8: within 2e-6 of the sigmoid. Takes and returns
    float32 tensors of any shape. Unlike after a sigmoid, whose range it knows, the converter does not quantise what
    comes next.
    """
    u = tf.minimum(tf.maximum(x, -_LARGEST_LOGIT), _LARGEST_LOGIT) * (-1 / 2**_HALVINGS)
    power = u * (1 / math.factorial(_TERMS)) + 1 / math.factorial(_TERMS - 1)
    for term in range(_TERMS - 2, -1, -1):
        power = power * u + 1 / math.factorial(term)
    for _ in range(_HALVINGS):
        power = power * power
    return 1.0 / (1.0 + power)


def convert(parts: GraphParts, arithmetic: Arithmetic) -> bytes:
    """Convert to TFLite with a batch fixed at 1 (LiteRT.js refuses a dynamic one).

    `int8` needs a fake-quantised backbone. Its Optimize.DEFAULT fuses the whole backbone to int8. `dynamic` is the same
    option on a float backbone, without representative data: weights are stored in int8 and activations quantised as
    they come. For `float32` it must stay off. Tensors are named as `export.tflite.naming` says.
    """
    tf = load_tensorflow()
    size = parts.size
    detector = tf.function(
        compose(parts), input_signature=[tf.TensorSpec([1, size, size, 3], tf.uint8, name="image")], autograph=False
    )
    module = tf.Module()
    module.backbone = parts.backbone
    converter = tf.lite.TFLiteConverter.from_concrete_functions([detector.get_concrete_function()], module)
    if arithmetic != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if arithmetic == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with native_chatter_hidden():
        return name_tensors(bytes(converter.convert()))
