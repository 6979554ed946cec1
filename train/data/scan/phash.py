"""The perceptual hash: 64 bits of which near-duplicates share all but a few."""

import numpy as np
from PIL import Image

from train.image.view import turn_upright

# A hash is kept with this name, so that hashes of another definition are never taken for it.
DEFINITION = "phash 8 of 32, averaged, bicubic"
# A picture is hashed from so many pixels a side; more finely it need not be decoded.
SIDE = 32
_LOWEST = 8
# Rows 0..7 of the DCT-II in integers. So every sum below is exact (17 bits of each of two factors, 8 of a pixel and
# 10 of 32 x 32 terms fit in the 53 of a float64): hashes are the same on every machine, and what is 0 in a flat
# picture is 0 and not noise.
_DCT = np.rint(np.cos(np.pi / (2 * SIDE) * np.outer(np.arange(_LOWEST), 2 * np.arange(SIDE) + 1)) * 2**17)


def perceptual_hash(luma: Image.Image, box: tuple[float, float, float, float], orientation: int) -> str:
    """Return the 64-bit pHash of a picture as 16 hex digits.

    `luma` is of mode L and as stored, `box` (left, top, right, bottom) the part of it that shows the picture, and
    `orientation` (EXIF, 1..8) turns it upright. The definition is that of imagehash.phash: of 32 x 32 pixels the
    8 x 8 lowest coefficients of the DCT-II, row by row, the first in the highest bit, each compared with their
    median. It differs in how the picture gets small: by whole steps of averaging as far as they go, which is what
    a JPEG's reader can do while it decodes, then bicubic.
    """
    small = luma.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box, reducing_gap=1.0)
    pixels = turn_upright(np.asarray(small, np.float64), orientation)
    coefficients = (_DCT @ pixels @ _DCT.T).ravel()
    median = np.sort(coefficients)[31:33].sum() / 2
    return np.packbits(coefficients > median).tobytes().hex()
