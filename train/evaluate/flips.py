"""How far two models agree on the same pictures, for instance the float and the int8 one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import rankdata

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.metrics import Interval, wilson
from train.evaluate.scores import check_scores
from train.evaluate.selection import Which, rows_to_report

CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Flips:
    """Two models on the same n pictures, each at the thresholds it ships with.

    balanced, fpr_1, fpr_05: fraction of real/fake verdicts that differ (Wilson). verdict: the same for the
    three verdicts real, unsure, fake. auc_difference: second minus first, -1..1, with a paired bootstrap
    interval.
    mean_change, p99_change: mean and 99th percentile of |difference of P(fake)|.
    """

    first: str
    second: str
    n: int
    balanced: Interval
    fpr_1: Interval
    fpr_05: Interval
    verdict: Interval
    auc_difference: Interval
    mean_change: float
    p99_change: float


def count_flips(
    first: pl.DataFrame,
    second: pl.DataFrame,
    points: OperatingPoints,
    *,
    names: tuple[str, str],
    first_points: OperatingPoints | None = None,
    which: Which = "test",
    resamples: int = 300,
    seed: int = 0,
) -> Flips:
    """Compares two scores tables row by row, matched by path, on the rows that may be evaluated.

    `points` are those of the second model, and of the first too unless it has `first_points` of its own (a model that
    was trained on, and calibrated anew): then each is evaluated as it would ship.

    Raises TrainError when the tables do not hold the same paths with the same labels, or lack a class.
    """
    one, two = (rows_to_report(check_scores(table), which) for table in (first, second))
    joined = one.join(two, on="path", how="full", suffix="_second", coalesce=True)
    strays = joined.filter(pl.col("label").is_null() | pl.col("label_second").is_null())
    if not strays.is_empty():
        raise TrainError(
            f"The scores of {names[0]} and {names[1]} are not of the same pictures ({strays.height} are in one "
            f"only, the first is {strays['path'][0]}): score both on the same manifest."
        )
    if (joined["label"] != joined["label_second"]).any():
        raise TrainError(f"The scores of {names[0]} and {names[1]} differ in labels: use the same manifest.")
    fake = (joined["label"] == "fake").to_numpy()
    if fake.all() or not fake.any():
        raise TrainError(f"The scores of {names[0]} and {names[1]} have one class only: both are needed.")
    a, b = joined["probability"].to_numpy(), joined["probability_second"].to_numpy()

    own = first_points or points

    def flipped(first_threshold: float, threshold: float) -> Interval:
        return wilson(int(((a >= first_threshold) != (b >= threshold)).sum()), a.size)

    change = np.abs(a.astype(np.float64) - b)
    return Flips(
        first=names[0],
        second=names[1],
        n=a.size,
        balanced=flipped(own.balanced, points.balanced),
        fpr_1=flipped(own.fpr_1, points.fpr_1),
        fpr_05=flipped(own.fpr_05, points.fpr_05),
        verdict=wilson(int((_verdict(a, own) != _verdict(b, points)).sum()), a.size),
        auc_difference=_auc_difference(np.stack([a, b]), fake, resamples, seed),
        mean_change=float(change.mean()),
        p99_change=float(np.percentile(change, 99)),
    )


def _verdict(probability: npt.NDArray[np.float32], points: OperatingPoints) -> npt.NDArray[np.intp]:
    decision = points.decision("balanced")
    return np.digitize(probability, (decision.unsure_from, decision.fake_from))


def _auc_difference(
    scores: npt.NDArray[np.float32], fake: npt.NDArray[np.bool_], resamples: int, seed: int
) -> Interval:
    reals, fakes = np.flatnonzero(~fake), np.flatnonzero(fake)
    value = float(np.diff(_auc(scores[:, np.concatenate([reals, fakes])], reals.size))[0])
    random = np.random.default_rng(seed)
    chunk = max(1, CELLS_AT_ONCE // scores.size)
    drawn = []
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        picked = np.hstack([random.choice(reals, (rows, reals.size)), random.choice(fakes, (rows, fakes.size))])
        drawn.append(np.diff(_auc(scores[:, picked], reals.size), axis=0)[0])
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))


def _auc(scores: npt.NDArray[np.float32], n_real: int) -> npt.NDArray[np.float64]:
    """AUC over the last axis, whose first n_real are reals: the Mann-Whitney statistic from ranks."""
    n_fake = scores.shape[-1] - n_real
    ranks = rankdata(scores, axis=-1)[..., n_real:].sum(axis=-1)
    return np.asarray((ranks - n_fake * (n_fake + 1) / 2) / (n_real * n_fake))
