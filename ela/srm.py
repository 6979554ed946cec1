"""Front end `srm`: the noise that three fixed high-pass filters leave of the grey picture, a plane each.

The filters are of the spatial rich model (Fridrich and Kodovsky, "Rich Models for Steganalysis of Digital Images",
IEEE TIFS 2012): the 3x3 and 5x5 square kernels and the second difference along a row, divided by 4, 12 and 2. These
three are the bank that Zhou et al., "Learning Rich Features for Image Manipulation Detection" (CVPR 2018), put before a
CNN. Here they see (R + 2 G + B) / 4, so that all stays in whole numbers.
"""

from functools import partial
from typing import Any

import numpy as np

from ela.errors import ElaError
from ela.interface import FrontEnd, Views
from ela.residual import MIDDLE, parse_gain

DEFAULT_GAIN = 4
_REACH = 2  # pixels at the border where the 5x5 filter does not fit; there the residual is 0
_GREY = np.array([1, 2, 1])
_SQUARE_3 = np.pad([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], 1)
_SQUARE_5 = np.array(
    [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]
)
_ROW = np.pad([[1, -2, 1]], ((2, 2), (1, 1)))
# With common denominator 12, and 4 of the grey value, a residual is a whole number of 1/48.
_UNIT = 48
_BANK = np.stack([_SQUARE_3 * 3, _SQUARE_5, _ROW * 6], axis=-1)


def front_end(options: tuple[str, ...]) -> FrontEnd:
    """The front end `srm`, or `srm(x8)` with another gain: 128 + gain x residual, rounded half up, in 0..255."""
    gain = parse_gain("srm", options, DEFAULT_GAIN)
    return FrontEnd(
        f"srm(x{gain})", 3, planes=partial(_planes, gain), graph=partial(_graph, gain), check_size=_check_size
    )


def _planes(gain: int, views: Views) -> Views:
    size = views.shape[1]
    _check_size(size)
    grey = views.astype(np.int64) @ _GREY
    inner = size - 2 * _REACH
    sums = np.zeros((len(views), inner, inner, 3), np.int64)
    for row in range(5):
        for column in range(5):
            sums += grey[:, row : row + inner, column : column + inner, None] * _BANK[row, column]
    planes = np.full(views.shape, MIDDLE, np.uint8)
    rounded = (gain * sums + _UNIT // 2) // _UNIT
    planes[:, _REACH:-_REACH, _REACH:-_REACH] = np.clip(MIDDLE + rounded, 0, 255)
    return planes


def _graph(gain: int, tf: Any, image: Any) -> Any:
    # Whole numbers below 2**24 all the way: at most 255 x 4 x 64 (the gain) x 48 (the positive taps).
    kernel = gain * _GREY[None, None, :, None] * _BANK[:, :, None, :]
    sums = tf.nn.conv2d(image, tf.constant(kernel, tf.float32), strides=1, padding="VALID")
    # The half keeps whole results on their side of the floor, for 1/48 is not exact; sums are whole numbers.
    rounded = tf.floor((sums + (_UNIT / 2 + 0.5)) * np.float32(1 / _UNIT))
    inner = tf.minimum(tf.maximum(rounded, -float(MIDDLE)), 255.0 - MIDDLE)
    return tf.pad(inner, [[0, 0], [_REACH, _REACH], [_REACH, _REACH], [0, 0]]) + float(MIDDLE)


def _check_size(size: int) -> None:
    if size <= 2 * _REACH:
        raise ElaError(f"A view of {size} pixels does not fit srm: its side must be more than {2 * _REACH}.")
