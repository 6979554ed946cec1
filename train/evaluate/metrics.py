"""Figures of merit with 95 % intervals, for one set of pictures and one threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from train.common.errors import TrainError
from train.evaluate.calibration import FPR_05, FPR_1, two_classes

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ECE_BINS = 15
"""Equal-width bins of the expected calibration error (Guo et al., ICML 2017, use 15)."""

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

MOST_STEPS = 2048
"""Distinct scores that resamples tell apart."""

MANY = 16_384
"""Pictures of a class from which on it is drawn step by step, not picture by picture: less memory, the same chances."""

CELLS_AT_ONCE = 2_000_000
"""Resamples times distinct scores held in memory at once; about 16 MB an array."""


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; low <= value <= high."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Confusion:
    """Counts of pictures by true class and verdict at the threshold."""

    real_called_real: int
    real_called_fake: int
    fake_called_real: int
    fake_called_fake: int


@dataclass(frozen=True)
class Metrics:
    """Figures of one set of pictures; fake is the positive class, every Interval lies in 0..1.

    auc, ap: area under the ROC curve; average precision (step-wise, as scikit-learn's). Need no threshold.
    eer: the rate at which misses equal false alarms, on the ROC curve with straight lines between its points.
    tpr_at_1, tpr_at_05: fraction of fakes caught by the best threshold with FPR <= 1 % (0.5 %) *on this set*.
    accuracy, balanced_accuracy, precision, recall, f1, false_alarms, confusion: at the shipped threshold.
    ece: expected calibration error of P(fake) over 15 equal-width bins, both both classes weighted equally.
    """

    n_real: int
    n_fake: int
    auc: Interval
    ap: Interval
    eer: Interval
    accuracy: Interval
    balanced_accuracy: Interval
    precision: Interval
    recall: Interval
    f1: Interval
    false_alarms: Interval
    tpr_at_1: Interval
    tpr_at_05: Interval
    ece: Interval
    confusion: Confusion


def compute_metrics(
    is_fake: npt.ArrayLike,
    probability: npt.ArrayLike,
    threshold: float,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Metrics:
    """Evaluates calibrated probabilities [N] in 0..1 against labels [N] (true = fake) at one threshold.

    Intervals are percentiles of a bootstrap stratified by class (Efron and Tibshirani 1993), widened where
    needed to hold the value itself: resampling biases ECE and EER; where most resamples agree, the bound is the one
    that so few pictures allow. Recall and false alarms are plain
    proportions and get Wilson's interval (Wilson 1927), honest at 0 and 1 too, where every resample agrees.
    Values are exact. Of more than MOST_STEPS distinct scores the resamples know steps only (see `_steps`), so that the
    time hardly grows with the pictures: about 0.3 s for 1,000 resamples.
    Raises TrainError when a class is missing, a value is not finite or not in 0..1, or resamples < 1.
    """
    scores, fake = two_classes(probability, is_fake, "probabilities")
    if scores.min() < 0 or scores.max() > 1:
        raise TrainError("Metrics need probabilities in 0..1: calibrate the logits first.")
    if resamples < 1:
        raise TrainError(f"resamples is {resamples}: intervals need at least 1; 1000 is usual.")
    distinct, place = np.unique(-scores, return_inverse=True)
    distinct = -distinct
    here = {
        name: values[0]
        for name, values in _figures(
            _counts(place[~fake], distinct.size), _counts(place[fake], distinct.size), distinct, threshold
        ).items()
    }
    steps, step = _steps(distinct, place, fake, threshold)
    drawn = [
        _figures(real, fakes, steps, threshold)
        for real, fakes in _resampled(step[~fake], step[fake], steps.size, resamples, seed)
    ]
    n_real, n_fake = int((~fake).sum()), int(fake.sum())
    called = scores >= threshold
    false_alarms, caught = int((called & ~fake).sum()), int((called & fake).sum())
    counted = {"accuracy": n_real + n_fake, "precision": max(1, false_alarms + caught)}
    intervals = {
        name: _percentiles(
            float(value),
            np.concatenate([figures[name] for figures in drawn]),
            counted.get(name, min(n_real, n_fake)),
        )
        for name, value in here.items()
    }
    return Metrics(
        n_real=n_real,
        n_fake=n_fake,
        recall=wilson(caught, n_fake),
        false_alarms=wilson(false_alarms, n_real),
        confusion=Confusion(n_real - false_alarms, false_alarms, n_fake - caught, caught),
        **intervals,
    )


def wilson(successes: int, trials: int) -> Interval:
    """A proportion with Wilson's 95 % score interval (Wilson 1927); trials >= 1."""
    bounds = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    value = successes / trials
    return Interval(value, min(float(bounds.low), value), max(float(bounds.high), value))


def score_interval(value: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % score interval (Wilson 1927) of a share 0..1 of `n` pictures, which need be no whole number."""
    centre = (value + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(max(0.0, value * (1 - value)) / n + Z95**2 / (4 * n**2))
    return max(0.0, min(centre - half, value)), min(1.0, max(centre + half, value))


def _percentiles(value: float, drawn: Floats, n: int) -> Interval:
    """The bootstrap's interval; where most resamples only repeat the value, at least what `n` pictures allow to say.

    Classes that do not overlap give the same figure in every resample, however few pictures there are. The variance of
    an AUC is at most that of a share of the smaller class (van Dantzig 1951).
    """
    low, high = (float(bound) for bound in np.percentile(drawn, [2.5, 97.5]))
    if np.isclose(drawn, value, rtol=0, atol=1e-12).mean() >= 0.5:
        least, most = score_interval(value, n)
        low, high = min(low, least), max(high, most)
    return Interval(value, min(low, value), max(high, value))


def _steps(
    distinct: Floats, place: npt.NDArray[np.intp], fake: Bools, threshold: float
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """What resamples see of the scores: scores [U], highest first, and the place of each picture among them, [N].

    All distinct scores where there are at most MOST_STEPS. Else neighbours are joined at their mean, so that a step
    holds at most one in MOST_STEPS / 4 of a class: an AUC moves by less than 2 / MOST_STEPS, and by far less in
    practice, since a tie counts half. The threshold stays a border between steps, and the highest scores, down to
    about 2 % of the reals, stay apart, because the rates at 1 % and 0.5 % false alarms are decided there.
    """
    if distinct.size <= MOST_STEPS:
        return distinct, place
    part = MOST_STEPS // 4
    borders = [np.array([0, (distinct >= threshold).sum()])]
    for one in (~fake, fake):
        ranked = np.sort(place[one])
        borders.append(ranked[np.linspace(0, ranked.size - 1, part).round().astype(np.intp)])
    top = np.sort(place[~fake])[: max(1, round(2 * FPR_1 * (~fake).sum()))]
    borders.append(
        np.arange(top[-1] + 1) if top[-1] < part else top[np.linspace(0, top.size - 1, part).astype(np.intp)]
    )
    starts = np.unique(np.concatenate(borders))
    starts = starts[starts < distinct.size]
    counts = np.bincount(place, minlength=distinct.size)
    means = np.add.reduceat(distinct * counts, starts) / np.add.reduceat(counts, starts)
    return means, np.searchsorted(starts, place, side="right") - 1


def _counts(place: npt.NDArray[np.intp], width: int) -> Floats:
    return np.bincount(place, minlength=width)[None].astype(np.float64)


def _resampled(
    real: npt.NDArray[np.intp], fake: npt.NDArray[np.intp], width: int, resamples: int, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Chunks of resamples as counts [R, width] of reals and of fakes at each distinct score."""
    random = np.random.default_rng(seed)
    chunk = max(1, CELLS_AT_ONCE // width)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        yield _drawn(random, real, rows, width), _drawn(random, fake, rows, width)


def _drawn(random: np.random.Generator, place: npt.NDArray[np.intp], rows: int, width: int) -> Floats:
    if place.size > MANY:
        counts = np.bincount(place, minlength=width)
        return random.multinomial(place.size, counts / place.size, size=rows).astype(np.float64)
    picked = place[random.integers(0, place.size, (rows, place.size))]
    picked += (np.arange(rows) * width)[:, None]
    return np.bincount(picked.ravel(), minlength=rows * width).reshape(rows, width).astype(np.float64)


def _figures(real: Floats, fake: Floats, scores: Floats, threshold: float) -> dict[str, Floats]:
    """Each figure [R] from counts [R, U] of reals and fakes at the U distinct scores, highest score first."""
    false_positive, true_positive = np.cumsum(real, axis=1), np.cumsum(fake, axis=1)
    n_real, n_fake = false_positive[:, -1:], true_positive[:, -1:]
    fpr, tpr = false_positive / n_real, true_positive / n_fake
    called = true_positive + false_positive
    precision = np.divide(true_positive, called, out=np.zeros_like(called), where=called > 0)
    beaten = (n_real - false_positive) + real / 2
    return {
        "auc": ((fake * beaten).sum(axis=1, keepdims=True) / (n_real * n_fake))[:, 0],
        "ap": ((fake * precision).sum(axis=1, keepdims=True) / n_fake)[:, 0],
        "eer": _equal_error_rate(fpr, tpr),
        "tpr_at_1": _caught_at(fpr, tpr, FPR_1),
        "tpr_at_05": _caught_at(fpr, tpr, FPR_05),
        "ece": _calibration_error(real / n_real, fake / n_fake, scores),
        **_at_threshold(true_positive, false_positive, int((scores >= threshold).sum())),
    }


def _at_threshold(true_positive: Floats, false_positive: Floats, called: int) -> dict[str, Floats]:
    n_fake, n_real = true_positive[:, -1], false_positive[:, -1]
    hits = true_positive[:, called - 1] if called else np.zeros_like(n_fake)
    alarms = false_positive[:, called - 1] if called else np.zeros_like(n_real)
    return {
        "accuracy": (hits + n_real - alarms) / (n_real + n_fake),
        "balanced_accuracy": (hits / n_fake + 1 - alarms / n_real) / 2,
        "precision": hits / np.maximum(hits + alarms, 1),
        "f1": 2 * hits / (n_fake + hits + alarms),
    }


def _caught_at(fpr: Floats, tpr: Floats, limit: float) -> Floats:
    return np.where(fpr <= limit + 1e-12, tpr, 0).max(axis=1)


def _equal_error_rate(fpr: Floats, tpr: Floats) -> Floats:
    origin = np.zeros((fpr.shape[0], 1))
    fpr, tpr = np.hstack([origin, fpr]), np.hstack([origin, tpr])
    gap = fpr + tpr - 1
    right = np.argmax(gap >= 0, axis=1)[:, None]
    left = right - 1
    gap_left, gap_right = np.take_along_axis(gap, left, 1), np.take_along_axis(gap, right, 1)
    share = -gap_left / (gap_right - gap_left)
    fpr_left, fpr_right = np.take_along_axis(fpr, left, 1), np.take_along_axis(fpr, right, 1)
    return (fpr_left + share * (fpr_right - fpr_left))[:, 0]


def _calibration_error(real: Floats, fake: Floats, scores: Floats) -> Floats:
    """ECE of P(fake): sum over bins of |mean p - fraction fake| times the bin's weight.

    Naeini, Cooper and Hauskrecht, AAAI 2015. Each class weighs one half in all, because the calibration was
    fitted so; otherwise the error would measure the mix of the set.
    """
    bins = np.minimum((scores * ECE_BINS).astype(int), ECE_BINS - 1)
    surplus = (real + fake) / 2 * scores - fake / 2
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    return np.abs(np.add.reduceat(surplus, starts, axis=1)).sum(axis=1)
