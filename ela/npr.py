"""Front end `npr`: neighbouring-pixel relations, what up-sampling layers leave behind in each 2x2 block.

Tan et al., "Rethinking the Up-Sampling Operations in CNN-based Generative Network for Generalizable Deepfake
Detection" (CVPR 2024), with blocks of 2: a pixel minus the first (top left) pixel of its 2x2 block. The paper takes
the interpolated picture away, `x - up(down(x))`, both by nearest neighbour, which is the same.
"""

from functools import partial
from typing import Any

import numpy as np

from ela.interface import FrontEnd, Views
from ela.residual import MIDDLE, parse_gain
from train.common.errors import ElaError

DEFAULT_GAIN = 2  # about the paper's scale: it divides by the ImageNet deviation (58 grey levels) and takes 2/3


def front_end(options: tuple[str, ...]) -> FrontEnd:
    """The front end `npr`, or `npr(x3)` with another gain: 128 + gain x (pixel - block's first pixel), in 0..255."""
    gain = parse_gain("npr", options, DEFAULT_GAIN)
    return FrontEnd(
        f"npr(x{gain})", 3, planes=partial(_planes, gain), graph=partial(_graph, gain), check_size=_check_size
    )


def _planes(gain: int, views: Views) -> Views:
    _check_size(views.shape[1])
    planes = np.empty_like(views)
    for view, plane in zip(views, planes, strict=True):  # one at a time stays in the cache
        pixels = view.astype(np.int16)
        first = pixels[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
        plane[...] = np.clip(MIDDLE + gain * (pixels - first), 0, 255)
    return planes


def _graph(gain: int, tf: Any, image: Any) -> Any:
    # One convolution gives a block's four differences as channels, ordered as depth_to_space lays them out again.
    kernel = np.zeros((2, 2, 3, 4, 3), np.float32)
    for row in range(2):
        for column in range(2):
            for colour in range(3):
                kernel[row, column, colour, 2 * row + column, colour] += gain
                kernel[0, 0, colour, 2 * row + column, colour] -= gain
    differences = tf.nn.conv2d(image, tf.constant(kernel.reshape(2, 2, 3, 12)), strides=2, padding="VALID")
    residual = tf.nn.depth_to_space(differences, 2)
    return tf.minimum(tf.maximum(residual + float(MIDDLE), 0.0), 255.0)


def _check_size(size: int) -> None:
    if size < 2 or size % 2:
        raise ElaError(f"A view of {size} pixels does not fit npr: its side must be even.")
