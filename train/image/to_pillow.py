"""Decoded pixels back to Pillow, strip by strip: a second copy of a large picture is never made."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

# Pixels that are copied at once.
_STRIP = 1 << 22


def picture_image(pixels: np.ndarray) -> Image.Image:
    """A Pillow picture of uint8 [H, W, 3], also of pixels that are turned or cut."""
    height, width = pixels.shape[:2]
    if pixels.flags.c_contiguous or height * width <= _STRIP:
        return Image.fromarray(np.ascontiguousarray(pixels))
    image = Image.new("RGB", (width, height))
    for top, strip in _image_strips(pixels):
        image.paste(strip, (0, top))
    return image


def luma_of(pixels: np.ndarray) -> np.ndarray:
    """The luma, uint8 [H, W], of pixels uint8 [H, W, 3], as Pillow computes it (ITU-R BT.601)."""
    luma = np.empty(pixels.shape[:2], np.uint8)
    for top, strip in _image_strips(pixels):
        luma[top : top + strip.height] = np.asarray(strip.convert("L"))
    return luma


def _image_strips(pixels: np.ndarray) -> Iterator[tuple[int, Image.Image]]:
    height, width = pixels.shape[:2]
    rows = max(1, _STRIP // max(1, width))
    for top in range(0, height, rows):
        yield top, Image.fromarray(np.ascontiguousarray(pixels[top : top + rows]))
