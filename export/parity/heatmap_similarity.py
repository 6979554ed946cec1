"""How far two heatmaps of the same picture agree."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """Pairs of heatmaps: cosine and overlap, 0..1 each, by mean and 5th percentile over `pictures` pairs."""

    pictures: int
    cosine_mean: float
    cosine_p5: float
    overlap_mean: float
    overlap_p5: float


def compare_maps(first: np.ndarray, second: np.ndarray) -> Agreement | None:
    """Compare maps [N, h, w] pair by pair; None where there is no pair."""
    if not len(first):
        return None
    cosines = [cosine(one, other) for one, other in zip(first, second, strict=True)]
    overlaps = [overlap(one, other) for one, other in zip(first, second, strict=True)]
    return Agreement(
        len(first),
        float(np.mean(cosines)),
        float(np.percentile(cosines, 5)),
        float(np.mean(overlaps)),
        float(np.percentile(overlaps, 5)),
    )


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two maps of any shape; two empty maps agree, an empty and a speaking one do not."""
    first, second = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    lengths = math.sqrt(first @ first), math.sqrt(second @ second)
    if 0.0 in lengths:
        return 1.0 if lengths[0] == lengths[1] else 0.0
    return float(first @ second / (lengths[0] * lengths[1]))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of the places where each map reaches half of its own maximum, 0..1.

    Half the maximum is the full width at half maximum of signal processing: it needs no scale, so maps that differ by a
    factor agree. Two empty maps agree, an empty and a speaking one do not.
    """
    first, second = _core(one), _core(other)
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def _core(values: np.ndarray) -> np.ndarray:
    highest = values.max()
    return np.asarray((values >= highest / 2) & (highest > 0))
