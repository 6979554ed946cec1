"""Was one picture enlarged? Interpolated pixels repeat their neighbours' relation with a period of their own.

Second differences along a row have a mean that varies with the period of the interpolation, so that their spectrum has
a peak (A. C. Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", CRV 2005). Peaks at
multiples of 1/8 are those of the JPEG grid and are passed over, and with them enlargements by 4/3, 2, 8/5 and the like.
"""

from dataclasses import dataclass

import numpy as np

SIDE, SHORTEST = 512, 256
# Where the mean of second differences is cut: a hard edge must not outweigh all texture.
_CUT = 32.0
_SMOOTHED = 17
_LOWEST, _GRID = 0.06, 0.012
SURE = 25.0
"""Peaks from so many times the median of the spectrum on are told.

Of 120 pictures reduced by whole factors, which leaves no period, none is above, with and without a save at quality 90
(the highest had 21.9). Enlarged by 1.2, 1.5, 1.7 and 2.2, 71 to 99 % are, after a save at quality 90 still 8 to 55 %
(tests/benchmarks/resampling.py).
"""


@dataclass(frozen=True)
class Periodicity:
    """The highest peak in the spectrum: how many times the median it is, and its frequency in 1/pixel, 0..0.5."""

    strength: float
    frequency: float

    @property
    def found(self) -> bool:
        """Whether it is a trace of interpolation."""
        return self.strength >= SURE


def find_periodicity(luma: np.ndarray) -> Periodicity:
    """Look for a period in rows and columns of luma [H, W], 0..255, in the middle SIDE x SIDE pixels of it.

    Pictures with less than SHORTEST pixels a side have none.
    """
    if min(luma.shape) < SHORTEST:
        return Periodicity(0.0, 0.0)
    return max((_along_rows(part) for part in (luma, luma.T)), key=lambda one: one.strength)


def _along_rows(luma: np.ndarray) -> Periodicity:
    height, width = (min(SIDE, side) for side in luma.shape)
    top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
    block = luma[top : top + height, left : left + width].astype(np.float32)
    second = np.minimum(np.abs(2 * block[:, 1:-1] - block[:, :-2] - block[:, 2:]), _CUT).mean(axis=0)
    # What the picture shows varies slowly.
    around = np.convolve(np.pad(second, _SMOOTHED // 2, mode="edge"), np.full(_SMOOTHED, 1 / _SMOOTHED), "valid")
    spectrum = np.abs(np.fft.rfft((second - around) * np.hanning(len(second))))
    frequency = np.arange(len(spectrum)) / len(second)
    counts = (frequency > _LOWEST) & (np.abs(frequency - np.round(8 * frequency) / 8) > _GRID)
    place = int(np.argmax(np.where(counts, spectrum, 0)))
    # A picture of one colour has no spectrum; what rounding leaves of one is no peak.
    return Periodicity(float(spectrum[place] / max(np.median(spectrum[counts]), 1e-3)), float(frequency[place]))
