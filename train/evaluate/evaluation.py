"""From a scores table to an evaluation: what a detector catches and misses, generator by generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.curves import Curves, draw_curves, histogram
from train.evaluate.decision import POINTS as DECISION_POINTS
from train.evaluate.decision import Point as DecisionPoint
from train.evaluate.metrics import Interval, Metrics, compute_metrics, wilson
from train.evaluate.risk_coverage import RiskCoverage, risk_coverage
from train.evaluate.scores import check_scores
from train.evaluate.selection import Which, rows_to_report, without_reconstructions

Point = Literal["balanced", "fpr_1", "fpr_05"]
POINTS: tuple[Point, ...] = get_args(Point)


@dataclass(frozen=True)
class Called:
    """What people are told of some pictures: fraction called fake and unsure at each operating point (Wilson)."""

    n: int
    balanced: Interval
    fpr_1: Interval
    fpr_05: Interval
    unsure: Interval
    unsure_fpr_1: Interval
    unsure_fpr_05: Interval


@dataclass(frozen=True)
class Group:
    """The fakes of one generator or family against the reference reals; `called` speaks of its fakes alone."""

    name: str
    family: str
    seen: bool
    metrics: Metrics
    called: Called


@dataclass(frozen=True)
class RealSource:
    """The real pictures of one source: every one called fake is a false alarm."""

    name: str
    seen: bool
    called: Called


@dataclass(frozen=True)
class Mistake:
    """A picture on the wrong side of the threshold, with its calibrated P(fake)."""

    path: str
    label: str
    generator: str
    source: str
    seen: bool
    probability: float


@dataclass(frozen=True)
class Histograms:
    """Fraction of pictures in each of 25 equal-width bins of P(fake), by kind of picture."""

    real: tuple[float, ...]
    seen_fake: tuple[float, ...]
    unseen_fake: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation:
    """What one model does on one scores table; JSON-able with `plain.to_plain`.

    basis: one sentence on which pictures were evaluated.
    overall: seen fakes against the reference reals (all fakes where none is seen); unseen: the unseen fakes. Neither
    counts reconstructions beside other fakes (`selection.without_reconstructions`): they have rows of their own in
    `generators` and `families`.
    operating_point: the threshold at which `overall`, `unseen`, `generators` and `families` count verdicts.
    """

    name: str
    basis: str
    operating_point: str
    points: OperatingPoints
    overall: Metrics
    reals: Called
    fakes: Called
    unseen: Metrics | None
    generators: tuple[Group, ...]
    families: tuple[Group, ...]
    real_sources: tuple[RealSource, ...]
    curves: Curves
    unseen_curves: Curves | None
    histograms: Histograms
    mistakes: tuple[Mistake, ...]
    # Reports of before December 2026 have none.
    risk_coverage: RiskCoverage | None = None
    unseen_risk_coverage: RiskCoverage | None = None

    @property
    def fakes_are_seen(self) -> bool:
        """Whether `overall` speaks of fakes of generators that were in training."""
        return any(group.seen for group in self.generators)


def evaluate_scores(
    scores: pl.DataFrame,
    points: OperatingPoints,
    *,
    name: str,
    operating_point: Point = "balanced",
    which: Which = "test",
    worst: int = 12,
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Evaluates a scores table (see `scores.SCORE_COLUMNS`) at the shipped operating points.

    Every set of fakes is compared with the same reference reals: the test split of the seen sources, or where
    the table has none (a detector tried on foreign pictures) all reals. With `which` "all" rows that were trained on
    count as well. `worst` is how many mistakes are kept: the most confident ones, half of them of each class where
    there are enough.
    Raises TrainError when the table is not a scores table or holds no real or no fake picture that may be evaluated.
    """
    if operating_point not in POINTS:
        raise TrainError(f"Unknown operating point {operating_point!r}: use one of {', '.join(POINTS)}.")
    rows = rows_to_report(check_scores(scores), which)
    reals, fakes = rows.filter(pl.col("label") == "real"), rows.filter(pl.col("label") == "fake")
    for label, found in (("real", reals), ("fake", fakes)):
        if found.is_empty():
            raise TrainError(
                f"The scores of {name} have no {label} picture that may be evaluated: "
                "a test split or unseen pictures of both classes are needed."
            )
    reference = reals.filter("seen") if reals["seen"].any() else reals
    main = fakes.filter("seen") if fakes["seen"].any() else fakes
    unseen = fakes.filter(~pl.col("seen")) if fakes["seen"].any() else fakes.clear()
    left_out = fakes.height
    main, unseen = without_reconstructions(main), without_reconstructions(unseen)
    left_out -= main.height + unseen.height
    threshold = float(getattr(points, operating_point))

    def figures(fake_rows: pl.DataFrame) -> Metrics:
        return compute_metrics(
            _is_fake(reference, fake_rows),
            _probability(reference, fake_rows),
            threshold,
            resamples=resamples,
            seed=seed,
        )

    def risks(fake_rows: pl.DataFrame) -> RiskCoverage:
        return risk_coverage(
            _is_fake(reference, fake_rows), _probability(reference, fake_rows), points.decision("balanced")
        )

    def group(name: str, family: str, seen: bool, fake_rows: pl.DataFrame) -> Group:
        return Group(name, family, seen, figures(fake_rows), call(fake_rows, points))

    return Evaluation(
        name=name,
        basis=_basis(reference, main, unseen, left_out),
        operating_point=operating_point,
        points=points,
        overall=figures(main),
        reals=call(reference, points),
        fakes=call(main, points),
        unseen=None if unseen.is_empty() else figures(unseen),
        generators=tuple(
            group(generator, _families(part), seen, part) for (generator, seen), part in _parts(fakes, "generator")
        ),
        families=tuple(group(family, family, seen, part) for (family, seen), part in _parts(fakes, "family")),
        real_sources=tuple(
            RealSource(source, seen, call(part, points)) for (source, seen), part in _parts(reals, "source")
        ),
        curves=draw_curves(_is_fake(reference, main), _probability(reference, main)),
        unseen_curves=None
        if unseen.is_empty()
        else draw_curves(_is_fake(reference, unseen), _probability(reference, unseen)),
        histograms=Histograms(
            real=histogram(reference["probability"]),
            seen_fake=histogram(fakes.filter("seen")["probability"]),
            unseen_fake=histogram(fakes.filter(~pl.col("seen"))["probability"]),
        ),
        mistakes=_worst(rows, threshold, worst),
        risk_coverage=risks(main),
        unseen_risk_coverage=None if unseen.is_empty() else risks(unseen),
    )


def call(rows: pl.DataFrame, points: OperatingPoints) -> Called:
    """How often rows (at least one) are called fake and unsure at each operating point."""
    probability = rows["probability"].to_numpy()

    def fraction(hits: np.ndarray) -> Interval:
        return wilson(int(hits.sum()), hits.size)

    def fake_and_unsure(point: DecisionPoint) -> tuple[Interval, Interval]:
        decision = points.decision(point)
        fake = probability >= decision.fake_from
        return fraction(fake), fraction(~fake & (probability >= decision.unsure_from))

    (balanced, unsure), (fpr_1, unsure_fpr_1), (fpr_05, unsure_fpr_05) = map(fake_and_unsure, DECISION_POINTS)
    return Called(rows.height, balanced, fpr_1, fpr_05, unsure, unsure_fpr_1, unsure_fpr_05)


def _is_fake(reals: pl.DataFrame, fakes: pl.DataFrame) -> np.ndarray:
    return np.repeat([False, True], [reals.height, fakes.height])


def _probability(reals: pl.DataFrame, fakes: pl.DataFrame) -> np.ndarray:
    return np.concatenate([reals["probability"].to_numpy(), fakes["probability"].to_numpy()])


def _parts(rows: pl.DataFrame, column: str) -> Sequence[tuple[tuple[str, bool], pl.DataFrame]]:
    """Rows by (value of column, seen): the seen ones first, then by name."""
    parts = [((str(key[0]), bool(key[1])), part) for key, part in rows.group_by(column, "seen")]
    return sorted(parts, key=lambda item: (not item[0][1], item[0][0]))


def _families(rows: pl.DataFrame) -> str:
    return ", ".join(sorted(set(rows["family"].to_list())))


def _basis(reals: pl.DataFrame, fakes: pl.DataFrame, unseen: pl.DataFrame, reconstructions: int) -> str:
    text = f"{_kind(reals)} real and {_kind(fakes)} fake pictures"
    if any((rows.filter("seen")["split"] != "test").any() for rows in (reals, fakes)):
        text += ", those that it was trained on among them"
    if not unseen.is_empty():
        text += f"; also {unseen.height:,} fakes from generators or sources it was not trained on"
    if reconstructions:
        text += f"; {reconstructions:,} reconstructions count by themselves only"
    return text + "."


def _kind(rows: pl.DataFrame) -> str:
    if not rows["seen"].all():
        return f"{rows.height:,} unseen"
    return f"{rows.height:,} {'test-split' if (rows['split'] == 'test').all() else 'seen'}"


def _worst(rows: pl.DataFrame, threshold: float, count: int) -> tuple[Mistake, ...]:
    missed = rows.filter((pl.col("label") == "fake") & (pl.col("probability") < threshold))
    alarms = rows.filter((pl.col("label") == "real") & (pl.col("probability") >= threshold))
    # path breaks ties, so that a report is the same on every run
    missed = missed.sort("probability", "path")
    alarms = alarms.sort("probability", "path", descending=[True, False])
    # half the room for each class, and what one does not need for the other
    n_alarms = min(alarms.height, max(count // 2, count - missed.height))
    picked = pl.concat([alarms.head(n_alarms), missed.head(count - n_alarms)])
    columns = ["path", "label", "generator", "source", "seen", "probability"]
    return tuple(Mistake(**row) for row in picked.select(columns).iter_rows(named=True))
