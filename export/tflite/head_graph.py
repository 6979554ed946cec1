"""The head as graph operations: the logit of a feature map, and the map that Grad-CAM is the ReLU of."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from export.tflite.naming import EVIDENCE, LOGIT
from train.common.tf import load_tensorflow

HEAD_CHANNELS = 8
"""Output channels of a linear head's convolution. For fewer than eight XNNPACK's arm64 kernels add up in another order
than its x86 ones; with eight, of which seven are zero, all give the same bits (tests/export/runtimes/)."""


def linear_head(features: Any, weights: np.ndarray, bias: float) -> tuple[Any, Any]:
    """The logit [N, 1] of features [N, h, w, C] by a linear head on their mean, and its evidence [N, h, w, 1].

    The logit is the mean of the evidence plus the bias, and Grad-CAM is the evidence's ReLU.
    """
    tf = load_tensorflow()
    kernel = np.zeros((1, 1, weights.size, HEAD_CHANNELS), np.float32)
    kernel[..., 0] = weights.reshape(1, 1, -1)
    # The other channels are zero, so their sum is the first one, exactly. XNNPACK takes no slice of it.
    spread = tf.nn.conv2d(features, tf.constant(kernel), strides=1, padding="VALID")
    evidence = tf.reduce_sum(spread, axis=3, keepdims=True)
    return tf.reduce_mean(evidence, axis=[1, 2]) + bias, evidence


def dense_head(
    features: Any, hidden: Sequence[tuple[np.ndarray, np.ndarray]], weights: np.ndarray, bias: float
) -> tuple[Any, Any]:
    """The logit [N, 1] of features [N, h, w, C] by ReLU layers `hidden` and a linear one, and its evidence.

    hidden: kernels float32 [inputs, outputs] and biases, the first on the flattened features. Evidence [N, h, w, 1] is
    each channel times the sum of the logit's slopes in it, added up: Grad-CAM (Selvaraju et al. 2017, equations 1 and
    2) but for the ReLU and a constant factor. The slopes are written out, for TFLite has no operator of a gradient.
    """
    tf = load_tensorflow()
    shape = [-1, *features.shape[1:]]
    values, active = tf.reshape(features, [-1, int(np.prod(features.shape[1:]))]), []
    for kernel, offset in hidden:
        values = tf.nn.relu(tf.matmul(values, kernel) + offset)
        active.append(tf.cast(values > 0, tf.float32))
    with tf.name_scope(LOGIT):
        logit = tf.matmul(values, weights.reshape(-1, 1)) + bias
    slopes = tf.constant(weights.reshape(1, -1))
    for (kernel, _), on in zip(reversed(hidden), reversed(active), strict=True):
        slopes = tf.matmul(slopes * on, np.ascontiguousarray(kernel.T))
    importance = tf.reduce_sum(tf.reshape(slopes, shape), axis=[1, 2], keepdims=True)
    with tf.name_scope(EVIDENCE):
        evidence = tf.reduce_sum(features * importance, axis=3, keepdims=True)
    return logit, evidence
