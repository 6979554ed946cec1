"""From a trained Keras state to one TFLite flatbuffer: scale, front end, backbone, score and heatmap in one graph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ela.front_ends import FrontEnd
from train.evaluate.calibration import Calibration
from train.model import scale_pixels
from train.quiet import native_chatter_hidden
from train.tf import load_tensorflow

SMALLEST_MAXIMUM = 1e-5
"""A Grad-CAM whose maximum is below this counts as empty, and its heatmap stays below 1."""

Arithmetic = Literal["float32", "float16", "dynamic", "int8"]


@dataclass(frozen=True)
class Parts:
    """What a detector's graph is composed of; `backbone` maps scaled planes to the last feature map."""

    front_end: FrontEnd
    backbone: Any
    head_weights: np.ndarray
    head_bias: float
    calibration: Calibration
    size: int


def compose(parts: Parts) -> Callable[[Any], dict[str, Any]]:
    """Build the detector's graph: `image` uint8 [N, S, S, 3] in; `scores` [N, 2] and `heatmap` [N, h, w] out, float32.

    scores are the calibrated probabilities of real and fake. heatmap is the Grad-CAM of the fake logit divided by its
    maximum, and all zero where no place speaks for "fake" (see train.model). Dividing by the maximum alone, without
    tf-keras-vis's shift by the minimum, keeps it proportional to the Grad-CAM itself.
    """
    tf = load_tensorflow()
    kernel = tf.constant(parts.head_weights.reshape(1, 1, -1, 1), tf.float32)

    def detector(image: Any) -> dict[str, Any]:
        planes = parts.front_end.graph(tf, tf.cast(image, tf.float32))
        features = parts.backbone(scale_pixels(planes), training=False)
        evidence = tf.nn.conv2d(features, kernel, strides=1, padding="VALID")
        logit = tf.reduce_mean(evidence, axis=[1, 2]) + parts.head_bias
        calibrated = logit * parts.calibration.scale + parts.calibration.bias
        # The sigmoid comes last: whatever follows it, the converter would quantise too, for it knows the range.
        scores = tf.sigmoid(tf.concat([-calibrated, calibrated], axis=1))
        # Reshaped rather than sliced: XNNPACK takes no strided slice, and the graph would fall into two partitions.
        grad_cam = tf.nn.relu(tf.reshape(evidence, [-1, *evidence.shape[1:3]]))
        highest = tf.reduce_max(grad_cam, axis=[1, 2], keepdims=True)
        # Only keeps 0 / 0 away, and so has to survive float16; a real maximum is far above it.
        heatmap = grad_cam / tf.maximum(highest, SMALLEST_MAXIMUM)
        return {"scores": scores, "heatmap": heatmap}

    return detector


def convert(parts: Parts, arithmetic: Arithmetic) -> bytes:
    """Convert to TFLite with a batch fixed at 1 (LiteRT.js refuses a dynamic one).

    `int8` needs a fake-quantised backbone. Its Optimize.DEFAULT fuses the whole backbone to int8; for `float32` it
    must stay off, because it would quantise the constants of a front end too.
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
        return bytes(converter.convert())
