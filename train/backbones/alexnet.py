"""The AlexNet-like network of 18 layers that student projects train from scratch on faces."""

from typing import Any

from train.backbones.spec import BuildSpec
from train.common.tf import load_tensorflow

_CONVOLUTIONS = ((16, 2, None), (32, 10, (2, 2)), (64, 6, (3, 2)), (128, 3, None), (128, 3, (2, 2)))
"""Filters, side of the kernel, and side and stride of the pooling behind it."""


def build_alexnet(spec: BuildSpec) -> Any:
    """Five convolutions with ReLU and three poolings, without padding, up to the last feature map.

    The two dense layers of 512 and the output are the head (`train.model`).
    """
    tf = load_tensorflow()
    layers = tf.keras.layers
    entry = x = layers.Input((spec.size, spec.size, spec.planes), name="planes")
    pools = 0
    for number, (filters, kernel, pool) in enumerate(_CONVOLUTIONS, start=1):
        x = layers.Conv2D(filters, kernel, activation="relu", name=f"conv_{number}")(x)
        if pool:
            pools += 1
            x = layers.MaxPooling2D(pool[0], strides=pool[1], name=f"pool_{pools}")(x)
    model = tf.keras.Model(entry, x, name="alexnet_like")
    if spec.weights is not None:
        model.load_weights(spec.weights)
    return model
