"""Was a picture a JPEG once before? Look for the quantised coefficients of an earlier save.

A JPEG quantises the coefficients of each 8 x 8 block, so that they lie on multiples of a step. After cutting, saving
again or converting to another format, the coefficients of blocks on the earlier grid still gather around the
multiples of the earlier steps (Lukáš and Fridrich 2003 for the same grid; Bianchi and Piva 2012, "Detection of
nonaligned double JPEG compression based on integer periodicity maps", for another one). Resampling after the earlier
save wipes this out.
"""

from dataclasses import dataclass

import numpy as np

from train.image.jpeg_quality import luminance_table

QUALITIES = range(50, 96)
# Low frequencies: they have most coefficients that are not zero, and the finest steps.
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1))
_TABLES = {quality: luminance_table(quality).reshape(8, 8) for quality in QUALITIES}
# Finer steps drown in the rounding of pixels (deviation about 0.3) and in the present save.
_MIN_STEP = 4
# On the same grid only steps well above the present one can be told from it.
_MIN_RATIO = 1.4
_SIDE = 512
# Of 3,000 guesses (50 grids, 46 qualities) the best counts if it lies this many standard deviations above chance
# and the mean cosine is at least the second number.
MIN_DEVIATIONS, MIN_COSINE = 12.0, 0.14


@dataclass(frozen=True)
class DoubleCompression:
    """The best guess of an earlier save.

    `quality` is on libjpeg's scale (50..95), neighbours cannot always be told apart; `right` and `down` (0..7) are
    where the earlier grid begins in the stored picture; `deviations` is how far the guess lies above chance,
    `cosine` (-1..1) the mean of cos(2 pi c / step) over the coefficients c.
    """

    quality: int
    right: int
    down: int
    deviations: float
    cosine: float

    @property
    def found(self) -> bool:
        """Whether the guess is beyond doubt."""
        return self.deviations >= MIN_DEVIATIONS and self.cosine >= MIN_COSINE


def guess_double_compression(luma: np.ndarray, quality: int | None) -> DoubleCompression:
    """Return the best guess of an earlier save of luma [H, W] (0..255, stored, not turned upright).

    `quality` is that of the present save (1..100), None if the file is no JPEG. Looks at 512 x 512 pixels in the
    middle, on the present grid and on those shifted in both directions: a grid shifted in one alone is mimicked by
    the present one. Pictures of less than 16 x 16 pixels give a guess that is not `found`.
    """
    height, width = luma.shape
    top, left = (max(0, extent - _SIDE) // 16 * 8 for extent in (height, width))
    middle = luma[top : top + _SIDE, left : left + _SIDE].astype(np.float32) - 128
    best = DoubleCompression(QUALITIES[0], 0, 0, 0.0, 0.0)
    if min(middle.shape) < 16:
        return best
    for down in range(8):
        for right in range(8):
            if (down == 0) != (right == 0):
                continue
            present = luminance_table(quality).reshape(8, 8) if quality and not down else None
            guess = _best_quality(_coefficients(middle[down:, right:]), present, right, down)
            best = max(best, guess, key=lambda one: one.deviations)
    return best


def _basis() -> np.ndarray:
    """Return the orthonormal DCT-II functions of _FREQUENCIES, float32 [64, F]."""
    places = (2 * np.arange(8) + 1) * np.pi / 16
    waves = [np.cos(places * k) * (np.sqrt(1 / 8) if k == 0 else 0.5) for k in range(8)]
    return np.stack([np.outer(waves[v], waves[u]).ravel() for v, u in _FREQUENCIES], axis=1).astype(np.float32)


_BASIS = _basis()


def _coefficients(luma: np.ndarray) -> np.ndarray:
    """Return the absolute coefficients [F, B] of the blocks from the top left corner on."""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    blocks = luma[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 64)
    return np.abs(blocks @ _BASIS).T


def _best_quality(coefficients: np.ndarray, present: np.ndarray | None, right: int, down: int) -> DoubleCompression:
    sums, counts = dict.fromkeys(QUALITIES, 0.0), dict.fromkeys(QUALITIES, 0)
    for values, place in zip(coefficients, _FREQUENCIES, strict=True):
        least = float(_MIN_STEP)
        if present is not None:
            # What this save left of them, without the rounding of pixels.
            values = np.rint(values / present[place]) * present[place]
            least = max(least, _MIN_RATIO * present[place])
        cosines: dict[int, tuple[float, int]] = {}
        for quality in QUALITIES:
            step = int(_TABLES[quality][place])
            if step < least:
                continue
            if step not in cosines:
                # Around zero every picture has many, with steps or without; beyond 12 steps hardly any.
                telling = values[(values > step / 2) & (values < 12 * step)]
                total = float(np.cos(telling * (2 * np.pi / step)).sum())
                if present is not None:
                    total -= _chance(telling, step, int(present[place]))
                cosines[step] = total, len(telling)
            sums[quality] += cosines[step][0]
            counts[quality] += cosines[step][1]
    # The cosine of an evenly spread angle has variance 1/2; 50 keeps a handful of coefficients from shouting.
    # Of qualities with the same steps the highest is told.
    quality = max(reversed(QUALITIES), key=lambda one: sums[one] / max(counts[one], 50) ** 0.5)
    deviations = sums[quality] / (max(counts[quality], 50) / 2) ** 0.5
    return DoubleCompression(quality, right, down, deviations, sums[quality] / max(counts[quality], 1))


def _chance(values: np.ndarray, step: int, present: int) -> float:
    """Return the sum of cosines that values on multiples of the present step have without an earlier save.

    Their numbers fall off geometrically, as those of a Laplacian do (Reininger and Gibson 1983), so the first
    multiple beyond step / 2 outweighs the later ones: with an earlier step of twice the present one that looks
    like a trace.
    """
    if not len(values):
        return 0.0
    first = step // (2 * present) + 1
    excess = max(0.0, float(values.mean()) / present - first)
    ratio = excess / (1 + excess)
    turn = 2j * np.pi * present / step
    return len(values) * float((np.exp(turn * first) * (1 - ratio) / (1 - ratio * np.exp(turn))).real)
