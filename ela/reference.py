"""Error Level Analysis by Pillow: what the graph has to equal, and what people look at."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from ela.setting import Ela
from train.common.errors import ElaError

Pixels = npt.NDArray[np.uint8]

PILLOW_SAMPLING = {"420": "4:2:0", "444": "4:4:4"}
MAX_JPEG_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION (jmorecfg.h)
# Rows of the largest unit that a JPEG is coded in, and pixels that go through it at once.
_UNIT, _STRIP = 16, 1 << 22


def error_level(view: Pixels, front: Ela) -> Pixels:
    """|x - JPEG(x)| times the gain, clipped to 255.

    `view` uint8 [S, S, 3], S a multiple of 16 (4:2:0) or 8 (4:4:4); returns the same shape. JPEG is Pillow's own
    encoder and decoder. Raises ElaError for another dtype, shape or side.
    """
    _check_rgb(view)
    if view.shape[0] != view.shape[1]:
        raise ElaError(f"A view must be square: this one is {view.shape[1]} x {view.shape[0]} pixels.")
    front.check_size(view.shape[0])
    return _amplified(_difference(view, front), front.gain)


def error_level_picture(picture: Pixels, front: Ela, *, gain: float | None = None) -> Pixels:
    """The error level of a picture of any size, for looking at.

    `picture` uint8 [H, W, 3], H and W 1..65500; returns the same shape, values 0..255. `gain` None scales each
    picture so that its largest level is 255, as forensic viewers do (`picture_gain` tells the factor); `front.gain`
    makes pictures comparable with each other. Raises ElaError for another dtype, shape or side.
    """
    difference = _picture_difference(picture, front)
    return _amplified(difference, _gain_to_white(difference) if gain is None else gain)


def picture_gain(picture: Pixels, front: Ela) -> float:
    """The factor by which `error_level_picture` scales `picture` by default; 1 when JPEG changes nothing."""
    return _gain_to_white(_picture_difference(picture, front))


def _picture_difference(picture: Pixels, front: Ela) -> Pixels:
    _check_rgb(picture)
    if not 1 <= min(picture.shape[:2]) <= max(picture.shape[:2]) <= MAX_JPEG_SIDE:
        raise ElaError(
            f"A picture of {picture.shape[1]} x {picture.shape[0]} pixels cannot be a JPEG: "
            f"its sides must be 1 to {MAX_JPEG_SIDE}."
        )
    return _difference(picture, front)


def _gain_to_white(difference: Pixels) -> float:
    largest = int(difference.max())
    return 255 / largest if largest else 1.0


def _difference(pixels: Pixels, front: Ela) -> Pixels:
    height, width = pixels.shape[:2]
    rows = max(_UNIT, _STRIP // width // _UNIT * _UNIT)
    if rows >= height:
        return _saved_difference(pixels, front)
    difference = np.empty(pixels.shape, np.uint8)
    for top in range(0, height, rows):
        # With the neighbouring units, from which the decoder interpolates colours.
        first = max(0, top - _UNIT)
        part = _saved_difference(pixels[first : top + rows + _UNIT], front)
        difference[top : top + rows] = part[top - first : top - first + rows]
    return difference


def _saved_difference(pixels: Pixels, front: Ela) -> Pixels:
    coded = io.BytesIO()
    sampling = PILLOW_SAMPLING[front.sampling]
    Image.fromarray(np.ascontiguousarray(pixels)).save(coded, "JPEG", quality=front.quality, subsampling=sampling)
    decoded = np.asarray(Image.open(coded))
    return np.maximum(pixels, decoded) - np.minimum(pixels, decoded)


def _amplified(difference: Pixels, gain: float) -> Pixels:
    levels = np.minimum(np.rint(np.arange(256) * gain), 255).astype(np.uint8)
    if gain != 1:
        # The whole at once would take eight bytes a number.
        for row in difference.reshape(-1, difference.shape[-2], 3):
            row[:] = levels[row]
    return difference


def _check_rgb(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8:
        raise ElaError(f"ELA needs 8-bit pixels: these are {pixels.dtype}, convert them to uint8.")
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ElaError(f"ELA needs RGB pixels [height, width, 3]: this array is {list(pixels.shape)}.")
