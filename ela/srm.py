"""Front end `srm`: the noise that three fixed high-pass filters leave of the grey picture, a plane each.

The filters are of the spatial rich model (Fridrich and Kodovsky, "Rich Models for Steganalysis of Digital Images",
IEEE TIFS 2012): the 3x3 and 5x5 square kernels and the second difference along a row, divided by 4, 12 and 2. These
three are the bank that Zhou et al., "Learning Rich Features for Image Manipulation Detection" (CVPR 2018), put before a
CNN. Here they see (R + 2 G + B) / 4, so that all stays in whole numbers.
"""

from functools import partial
from typing import Any

import numpy as np

from ela.interface import FrontEnd, Views
from ela.residual import MIDDLE, parse_gain
from train.common.errors import ElaError

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
    _check_size(views.shape[1])
    planes = np.full(views.shape, MIDDLE, np.uint8)
    for view, plane in zip(views, planes, strict=True):
        red, green, blue = np.moveaxis(view.astype(np.int32), -1, 0)
        grey = red + 2 * green + blue
        across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
        # The 3x3 filter is minus this; the 5x5 filter is the 3x3 filter at the four corners, and twice in the middle.
        both = across[:-2] - 2 * across[1:-1] + across[2:]
        corners = both[:-2, :-2] + both[:-2, 2:] + both[2:, :-2] + both[2:, 2:]
        middle = both[1:-1, 1:-1]
        for channel, sums in enumerate((-3 * middle, -corners - 2 * middle, 6 * across[2:-2, 1:-1])):
            rounded = (gain * sums + _UNIT // 2) // _UNIT
            plane[_REACH:-_REACH, _REACH:-_REACH, channel] = np.clip(MIDDLE + rounded, 0, 255)
    return planes


def _graph(gain: int, tf: Any, image: Any) -> Any:
    # Four pixels of a row lie in the channels, [N, rows, groups of four, samples]: a matrix product with three outputs
    # would leave most lanes idle. All are whole numbers and halves, exact in any order: at most 255 x 4 x 64 (the gain)
    # x 48 (the positive taps).
    size = int(image.shape[1])
    groups = -(-size // 4)
    if size % 4:
        image = tf.pad(image, [[0, 0], [0, 0], [0, 4 * groups - size], [0, 0]])
    # Grey values of two pixels before a group, its four and two after; what lies outside reaches the border only.
    grey = np.zeros((12, 3, 8))
    for sample in range(8):
        grey[2 + sample, :, sample] = _GREY
    bank = np.zeros((5, 8, 4, 3))
    for pixel in range(4):
        bank[:, pixel : pixel + 5, pixel] = gain * _BANK
    x = tf.reshape(image, [-1, size, groups, 12])
    x = tf.nn.conv2d(x, tf.constant(grey.reshape(1, 3, 12, 8), tf.float32), strides=1, padding="SAME")
    rows = [[0, 0], [_REACH, _REACH], [0, 0], [0, 0]]
    x = tf.nn.conv2d(x, tf.constant(bank.reshape(5, 1, 8, 12), tf.float32), strides=1, padding=rows)
    # The half keeps whole results on their side of the floor, for 1/48 is not exact; sums are whole numbers.
    x = tf.nn.bias_add(x, tf.constant([_UNIT / 2 + 0.5] * 12, tf.float32))
    residual = tf.minimum(tf.maximum(tf.floor(x * np.float32(1 / _UNIT)), -float(MIDDLE)), 255.0 - MIDDLE)
    # Multiplied by 0 and 1 rather than cut out and padded, which takes XNNPACK twice as long as all the rest.
    inner = np.zeros(4 * groups)
    inner[_REACH : size - _REACH] = 1
    residual *= tf.constant(inner[:size].reshape(1, -1, 1, 1), tf.float32)
    residual *= tf.constant(inner.repeat(3).reshape(1, 1, groups, 12), tf.float32)
    planes = tf.reshape(residual + float(MIDDLE), [-1, size, 4 * groups, 3])
    return planes[:, :, :size] if size % 4 else planes


def _check_size(size: int) -> None:
    if size <= 2 * _REACH:
        raise ElaError(f"A view of {size} pixels does not fit srm: its side must be more than {2 * _REACH}.")
