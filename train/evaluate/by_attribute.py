"""Does a detector treat groups of people alike? Its figures for each value of a manifest's attributes.

A gap is the largest minus the smallest rate among groups: of reals called fake (FPR), of fakes called fake (TPR), of
all pictures called fake (demographic parity, F_DP) and of verdicts that are right (overall accuracy equality, F_OAE).
The larger of the first two is the max equalised odds, F_MEO. The definitions are those of AI-Face FairnessBench (Lin et
al., CVPR 2025). Each gap is given with both levels, and with how often chance alone makes one as large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from train.common.errors import TrainError
from train.data.manifest import attributes_of
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import POINTS, Called, Point, call
from train.evaluate.metrics import Interval, compute_metrics, wilson
from train.evaluate.scores import check_scores
from train.evaluate.selection import Which, rows_to_report

ENOUGH = 50
"""Reals (for FPR) or fakes (for TPR) that a group needs to be compared; fewer are too few to say."""
MOST_GROUPS = 200
REGROUPINGS = 10_000
_NAME = "group of people"  # no attribute can be called so

Attributes = tuple[str, ...]
Rate = Literal["fpr", "tpr", "called_fake", "accuracy"]
RATES: tuple[Rate, ...] = get_args(Rate)
"""`called_fake` and `accuracy` are of reals and fakes together, so they depend on how many of each a group has."""


@dataclass(frozen=True)
class AttributeGroup:
    """The reported pictures of one value, "female", or of values together, "female + Black".

    reals, fakes: how often those are called fake and unsure, None where there are none. auc: of the group's own fakes
    against its own reals, None with fewer than ENOUGH of either.
    """

    name: str
    n_real: int
    n_fake: int
    reals: Called | None
    fakes: Called | None
    auc: Interval | None


@dataclass(frozen=True)
class Gap:
    """Largest minus smallest rate at one operating point, over `groups` groups of at least ENOUGH pictures.

    For a rate of both classes a group needs ENOUGH of each. chance: fraction of random regroupings of the same
    pictures, group sizes kept, whose gap is as large or larger.
    """

    rate: Rate
    point: Point
    gap: float
    highest: str
    highest_rate: Interval
    lowest: str
    lowest_rate: Interval
    groups: int
    chance: float


@dataclass(frozen=True)
class EqualisedOdds:
    """The larger of the FPR gap and the TPR gap at one point; `rate` says which it is."""

    point: Point
    gap: float
    rate: Rate


@dataclass(frozen=True)
class ByAttribute:
    """Groups by one attribute or by an intersection, sorted by name; JSON-able with `plain.to_plain`.

    too_few_reals, too_few_fakes: groups that no gap speaks of. without: reported pictures that lack a value.
    equalised_odds: where both gaps are known.
    """

    model: str
    by: str
    groups: tuple[AttributeGroup, ...]
    gaps: tuple[Gap, ...]
    too_few_reals: tuple[str, ...]
    too_few_fakes: tuple[str, ...]
    without: int
    equalised_odds: tuple[EqualisedOdds, ...] = ()


def parse_by(text: str, frame: pl.DataFrame, name: str) -> tuple[Attributes, ...]:
    """Read `sex,age,sex+race`: attributes of a manifest's frame, each alone or joined by + to an intersection.

    Raises TrainError for a name that is no attribute of the manifest called `name`, one that stands twice, nothing, or
    more than MOST_GROUPS groups.
    """
    known = attributes_of(frame)
    asked = tuple(tuple(part.strip() for part in one.split("+")) for one in text.split(","))
    for parts in asked:
        for part in parts:
            if part not in known:
                remedy = f"choose from {', '.join(known)}" if known else "it has none; add a column of that name"
                if part.startswith("skin_tone"):
                    remedy += "; `fauxlens data faces MANIFEST --skin-tone` estimates skin_tone_estimated"
                raise TrainError(f"{name} has no attribute {part!r} to group by: {remedy}.")
        if len(set(parts)) < len(parts):
            raise TrainError(f"{'+'.join(parts)!r} names an attribute twice: name each once.")
    if len({frozenset(parts) for parts in asked}) < len(asked):
        raise TrainError(f"{text!r} names the same groups twice: name them once.")
    for parts in asked:
        count = _named(frame, parts)[_NAME].n_unique()
        if count > MOST_GROUPS:
            raise TrainError(
                f"{'+'.join(parts)!r} makes {count:,} groups: choose attributes that make at most {MOST_GROUPS}."
            )
    return asked


def compare_groups(
    scores: pl.DataFrame,
    attributes: pl.DataFrame,
    by: Attributes,
    points: OperatingPoints,
    *,
    name: str,
    which: Which = "test",
    resamples: int = 1000,
    seed: int = 0,
) -> ByAttribute:
    """Figures of each group among the rows that may be reported, at the shipped operating points.

    attributes: a manifest's frame, `path` and the columns `by`. Pictures without a value are in no group.
    Raises TrainError when the table is not a scores table.
    """
    rows = rows_to_report(check_scores(scores), which).join(_named(attributes, by), on="path", how="left")
    grouped = rows.drop_nulls(_NAME)
    groups = tuple(
        _group(one, grouped.filter(pl.col(_NAME) == one), points, resamples=resamples, seed=seed)
        for one in grouped[_NAME].unique().sort()
    )
    found = (_gap(groups, rate, point, seed) for rate in RATES for point in POINTS)
    gaps = tuple(gap for gap in found if gap is not None)
    return ByAttribute(
        name,
        "+".join(by),
        groups,
        gaps,
        tuple(group.name for group in groups if group.n_real < ENOUGH),
        tuple(group.name for group in groups if group.n_fake < ENOUGH),
        rows.height - grouped.height,
        tuple(one for point in POINTS if (one := _equalised_odds(gaps, point)) is not None),
    )


def _named(attributes: pl.DataFrame, by: Attributes) -> pl.DataFrame:
    """`path` and the name of its group, null where a value is missing."""
    return attributes.select("path", pl.concat_str(list(by), separator=" + ").alias(_NAME))


def _group(name: str, rows: pl.DataFrame, points: OperatingPoints, *, resamples: int, seed: int) -> AttributeGroup:
    fake = rows["label"] == "fake"
    reals, fakes = rows.filter(~fake), rows.filter(fake)
    auc = None
    if min(reals.height, fakes.height) >= ENOUGH:
        auc = compute_metrics(
            fake.to_numpy(), rows["probability"].to_numpy(), points.balanced, resamples=resamples, seed=seed
        ).auc
    return AttributeGroup(
        name,
        reals.height,
        fakes.height,
        None if reals.is_empty() else call(reals, points),
        None if fakes.is_empty() else call(fakes, points),
        auc,
    )


def _gap(groups: Sequence[AttributeGroup], rate: Rate, point: Point, seed: int) -> Gap | None:
    """None where fewer than two groups are large enough. Of equal rates the first group by name is named."""
    large = {group.name: counts for group in groups if (counts := _counts(group, rate, point)) is not None}
    if len(large) < 2:
        return None
    rates = {name: wilson(hits, size) for name, (hits, size) in large.items()}
    highest = max(rates, key=lambda name: rates[name].value)
    lowest = min(rates, key=lambda name: rates[name].value)
    gap = rates[highest].value - rates[lowest].value
    sizes = np.array([size for _, size in large.values()])
    chance = _chance(sizes, sum(hits for hits, _ in large.values()), gap, seed)
    return Gap(rate, point, gap, highest, rates[highest], lowest, rates[lowest], len(large), chance)


def _counts(group: AttributeGroup, rate: Rate, point: Point) -> tuple[int, int] | None:
    """How many of how many pictures of a group a rate counts; None where there are too few."""
    called = {"reals": group.reals, "fakes": group.fakes}
    needed = {"fpr": ("reals",), "tpr": ("fakes",)}.get(rate, ("reals", "fakes"))
    hits = {}
    for kind in needed:
        one = called[kind]
        if one is None or one.n < ENOUGH:
            return None
        hits[kind] = round(getattr(one, point).value * one.n)
    size = sum(one.n for kind, one in called.items() if kind in needed and one is not None)
    if rate == "accuracy":
        return group.n_real - hits["reals"] + hits["fakes"], size
    return sum(hits.values()), size


def _equalised_odds(gaps: Sequence[Gap], point: Point) -> EqualisedOdds | None:
    both = [gap for gap in gaps if gap.point == point and gap.rate in ("fpr", "tpr")]
    if len(both) < 2:
        return None
    larger = max(both, key=lambda gap: gap.gap)
    return EqualisedOdds(point, larger.gap, larger.rate)


def _chance(sizes: np.ndarray, hits: int, gap: float, seed: int) -> float:
    """A permutation test: hits fall on groups [G] of fixed sizes as drawn without replacement."""
    random = np.random.default_rng(seed)
    drawn = random.multivariate_hypergeometric(sizes, hits, size=REGROUPINGS, method="marginals") / sizes
    return float((np.ptp(drawn, axis=1) >= gap - 1e-12).mean())
