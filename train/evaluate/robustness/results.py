"""What a detector still says of pictures that something happened to, compared with what it says of them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Called, call, evaluate_scores
from train.evaluate.flips import Flips, count_flips
from train.evaluate.formatting import percent
from train.evaluate.metrics import Metrics
from train.evaluate.selection import rows_to_report


@dataclass(frozen=True)
class Condition:
    """One model on the same pictures, all of them corrupted in one way.

    kind, strength: of a `Corruption` (corruptions.py); text and words name it for tables and for people.
    overall, unseen, reals, fakes: as in Evaluation, of these pictures; unseen_fakes: the calls of the fakes in
    `unseen`. flips: verdicts on the corrupted pictures against those of the same model on the pictures as they are.
    """

    model: str
    kind: str
    strength: float
    text: str
    words: str
    overall: Metrics
    unseen: Metrics | None
    reals: Called
    fakes: Called
    unseen_fakes: Called | None
    fakes_are_seen: bool
    flips: Flips


@dataclass(frozen=True)
class Robustness:
    """Every model under every corruption: conditions of the first model first, each beginning with kind "none".

    n: pictures corrupted, n_real of them real and n_fake fake, a sample of n_judged that may be evaluated, balanced
    over sources. median_side: median of their shorter sides in pixels, which sigma and downscaling speak of.
    """

    n: int
    n_real: int
    n_fake: int
    n_judged: int
    median_side: float
    conditions: tuple[Condition, ...]

    def of(self, model: str) -> tuple[Condition, ...]:
        """The conditions of one model."""
        return tuple(one for one in self.conditions if one.model == model)


@dataclass(frozen=True)
class CorruptedScores:
    """Calibrated P(fake) float [N] under one corruption, which kind, strength, text and words name."""

    kind: str
    strength: float
    text: str
    words: str
    probability: np.ndarray


def hardest(conditions: Sequence[Condition]) -> str:
    """One sentence on the corruption under which one model ranks worst, and what its verdicts do there."""
    before, *after = conditions
    if not after:
        return ""
    worst = min(after, key=lambda one: one.overall.auc.value)
    fakes = "fakes of seen generators" if before.fakes_are_seen else "fakes"
    auc, auc_before = worst.overall.auc.value, before.overall.auc.value
    caught, caught_before, accused, accused_before = (
        percent(called.fpr_1.value) for called in (worst.fakes, before.fakes, worst.reals, before.reals)
    )
    return (
        f"Hardest for {worst.model}: {worst.words}. On {fakes} the AUC is {auc:.3f} instead of {auc_before:.3f}; the "
        f"strict threshold catches {caught} of them instead of {caught_before} and wrongly accuses {accused} of the "
        f"reals instead of {accused_before}; {percent(worst.flips.verdict.value)} of all verdicts change."
    )


def evaluate_corrupted(
    scores: pl.DataFrame,
    points: OperatingPoints,
    corrupted: Sequence[CorruptedScores],
    *,
    name: str,
    resamples: int = 1000,
) -> tuple[Condition, ...]:
    """Evaluate one model under each corruption.

    scores: the rows of a scores table whose pictures were corrupted, in the order of the probabilities; the first of
    `corrupted` has the kind "none", and verdicts are compared with it. Raises TrainError when it has not, and as
    `evaluate_scores`, for instance where a row may not be evaluated.
    """
    if not corrupted or corrupted[0].kind != "none":
        raise TrainError("Robustness compares with the unchanged pictures: give their probabilities first.")
    if rows_to_report(scores).height != scores.height:
        raise TrainError("Robustness is evaluated on the test split and on unseen pictures only: leave out the others.")
    return tuple(_condition(_with(scores, corrupted[0]), scores, points, one, name, resamples) for one in corrupted)


def _condition(
    uncorrupted: pl.DataFrame,
    scores: pl.DataFrame,
    points: OperatingPoints,
    one: CorruptedScores,
    name: str,
    resamples: int,
) -> Condition:
    table = _with(scores, one)
    found = evaluate_scores(table, points, name=name, resamples=resamples, worst=0)
    unseen = table.filter((pl.col("label") == "fake") & ~pl.col("seen"))
    return Condition(
        model=name,
        kind=one.kind,
        strength=float(one.strength),
        text=one.text,
        words=one.words,
        overall=found.overall,
        unseen=found.unseen,
        reals=found.reals,
        fakes=found.fakes,
        unseen_fakes=None if found.unseen is None else call(unseen, points),
        fakes_are_seen=found.fakes_are_seen,
        flips=count_flips(uncorrupted, table, points, names=("as it is", one.text)),
    )


def _with(scores: pl.DataFrame, one: CorruptedScores) -> pl.DataFrame:
    return scores.with_columns(probability=pl.Series(one.probability, dtype=pl.Float32))
