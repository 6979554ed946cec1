"""JPEG quality from quantisation tables."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

# ITU T.81 (1992), Annex K, Table K.1: luminance, row by row.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
).ravel()


def luminance_table(quality: int) -> np.ndarray:
    """Return libjpeg's luminance table (int64 [64], row by row, 1..255) for a quality of 1..100.

    The scaling is jpeg_quality_scaling and jpeg_add_quant_table of libjpeg 6b, jcparam.c.
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_LUMINANCE * scale + 50) // 100, 1, 255)


_TABLES = np.stack([luminance_table(quality) for quality in range(1, 101)])


def estimate_quality(tables: Mapping[int, Sequence[int]] | None) -> int | None:
    """Return the quality 1..100 whose luminance table on libjpeg's scale is nearest (sum of absolute
    differences).

    `tables` is Pillow's `quantization`: table number -> 64 values, row by row. Exact for files by libjpeg;
    for other encoders the nearest. None if there is no such table.
    """
    luminance = (tables or {}).get(0)
    if luminance is None or len(luminance) != 64:
        return None
    return _nearest(tuple(luminance))


# A dataset has few tables, and looking for the nearest quality costs a tenth of decoding a small picture.
@lru_cache(maxsize=1024)
def _nearest(luminance: tuple[int, ...]) -> int:
    return int(np.argmin(np.abs(_TABLES - np.asarray(luminance)).sum(axis=1))) + 1
