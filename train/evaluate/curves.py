"""The points of the curves a report draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve, roc_curve

from train.evaluate.metrics import ECE_BINS

MOST_POINTS = 300
"""Points kept of a curve: more than a screen shows, and a report of 100,000 pictures stays small."""

HISTOGRAM_BINS = 25

Bools = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """Points of one curve, x and y of equal length, both in 0..1."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Reliability:
    """The filled of 15 equal-width bins: mean P(fake), fraction fake (both classes weighted equally), pictures."""

    confidence: tuple[float, ...]
    fraction_fake: tuple[float, ...]
    count: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """ROC (FPR, TPR), precision-recall (recall, precision) and reliability of one set of pictures."""

    roc: Line
    precision_recall: Line
    reliability: Reliability


def draw_curves(is_fake: Bools, probability: Singles) -> Curves:
    """Curves of calibrated probabilities [N] against labels [N], both classes present; <= 300 points each."""
    false_positive, true_positive, _ = roc_curve(is_fake, probability)
    precision, recall, _ = precision_recall_curve(is_fake, probability)
    return Curves(
        roc=_line(false_positive, true_positive),
        precision_recall=_line(recall[::-1], precision[::-1]),
        reliability=_reliability(is_fake, probability.astype(np.float64)),
    )


def histogram(probability: npt.ArrayLike) -> tuple[float, ...]:
    """Fraction of probabilities [N] in each of 25 equal-width bins of 0..1; all zero when there are none."""
    values = np.asarray(probability, np.float64)
    counts, _ = np.histogram(values, bins=HISTOGRAM_BINS, range=(0, 1))
    return tuple(float(count) / max(1, values.size) for count in counts)


def _line(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Line:
    keep = np.unique(np.linspace(0, x.size - 1, min(x.size, MOST_POINTS)).round().astype(int))
    return Line(tuple(map(float, x[keep])), tuple(map(float, y[keep])))


def _reliability(is_fake: Bools, probability: npt.NDArray[np.float64]) -> Reliability:
    bins = np.minimum((probability * ECE_BINS).astype(int), ECE_BINS - 1)
    weight = np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())
    count = np.bincount(bins, minlength=ECE_BINS)
    filled = count > 0
    total = np.bincount(bins, weight, ECE_BINS)[filled]
    confidence = np.bincount(bins, weight * probability, ECE_BINS)[filled] / total
    fraction = np.bincount(bins, weight * is_fake, ECE_BINS)[filled] / total
    return Reliability(tuple(map(float, confidence)), tuple(map(float, fraction)), tuple(map(int, count[filled])))
