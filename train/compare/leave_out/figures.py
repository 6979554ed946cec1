"""What trainings that left something out make of it: the mean over seeds with its interval, and what file facts reach.

Every figure is of fakes against reals. Its pictures are the same for all seeds of a training. A picture that was left
out counts only if no near-duplicate of it, and nothing else of its group, was in training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from train.common.progress import ProgressCallback
from train.compare.bootstrap import Figures, Metric, ScoreMatrix, figures_of
from train.compare.contrast import BootstrapSample
from train.compare.leave_out.baseline import grouped_auc, metadata_scores
from train.compare.leave_out.plans import Plan, SchemePlan
from train.compare.level import Level, level_of
from train.compare.read_matrix import read_matrix
from train.data.manifest import Manifest
from train.data.resplit import join_look_alikes
from train.evaluate.metrics import Interval
from train.evaluate.selection import mark_pairs
from train.fit.run_folder import Run, read_state

Bools = npt.NDArray[np.bool_]
Against = Literal["reals in training", "reals left out", "fakes in training"]
FEWEST_GROUPS = 2
"""Groups (pictures without near-duplicates) that a figure needs on its left-out side: of one nothing can be said."""


@dataclass(frozen=True)
class LeftOutRow:
    """What a training makes of one generator's fakes or one source's reals.

    plan: the training's name. name: the generator, or the source if `label` is real. seen: whether the training had
    it, in the scheme `matrix`; else it was left out. against: the other class in `auc`. auc, rate: None with fewer than
    FEWEST_GROUPS groups. rate: of fakes how many are caught at 1 % false alarms among `against` (TPR at 1 % FPR), of
    reals how many are called fake at the run's own 1 % point. metadata: AUC of the metadata baseline on the same
    pictures, learnt from the training's own pictures. when_seen: the mean AUC (of reals the mean false alarms) on the
    test pictures of the scheme's trainings that had it, None where there are none. dropped: left-out pictures that do
    not count, for something of their group was in training.
    """

    plan: str
    name: str
    label: Literal["real", "fake"]
    seen: bool
    against: Against
    pictures: int
    groups: int
    dropped: int
    auc: Level | None
    rate: Level | None
    metadata: Interval | None
    when_seen: float | None


@dataclass(frozen=True)
class SchemeResult:
    """All rows of a scheme in the order of its trainings; `spared` could not be left out."""

    scheme: str
    seeds: tuple[int, ...]
    trained_on: dict[str, tuple[str, ...]]
    rows: tuple[LeftOutRow, ...]
    spared: tuple[str, ...]


def evaluate_scheme(
    plans: SchemePlan,
    runs: Mapping[str, Sequence[Run]],
    manifest: Manifest,
    *,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = lambda done, total: None,
) -> SchemeResult:
    """Evaluate the finished runs of a scheme, by the name of their plan and in the order of seeds.

    Takes about 0.2 s a run for 2,000 pictures. Raises TrainError where a run is not finished, or the runs of a plan
    were not evaluated on the same pictures.
    """
    groups = join_look_alikes(manifest).frame.select("path", "group")
    frame = manifest.frame.drop("group").join(groups, on="path", how="left", maintain_order="left")
    measure = partial(figures_of, resamples=resamples, seed=seed)
    rows: list[LeftOutRow] = []
    known: dict[tuple[str, str], list[float]] = {}
    for number, plan in enumerate(plans.plans):
        tried = _tried(plans.scheme, plan, runs[plan.name], frame)
        figures = measure(tried.matrix)
        rows += _rows(plans.scheme, plan.name, tried, figures, measure)
        for one in figures:
            if one.set.seen and one.metric != "tpr_at_1":
                known.setdefault((one.set.label, one.set.name), []).append(float(one.values.mean()))
        on_progress(number + 1, len(plans.plans))
    return SchemeResult(
        plans.scheme,
        tuple(run.recipe.fit.seed for run in runs[plans.plans[0].name]),
        {plan.name: plan.trained_on for plan in plans.plans},
        tuple(_with_seen(row, known) for row in rows),
        plans.spared,
    )


def _with_seen(row: LeftOutRow, known: Mapping[tuple[str, str], Sequence[float]]) -> LeftOutRow:
    values = known.get((row.label, row.name))
    if row.seen or not values or row.against == "reals left out":
        return row
    return replace(row, when_seen=float(np.mean(values)))


@dataclass(frozen=True)
class _Tried:
    """The runs of a plan on all pictures that its figures need.

    matrix: seen pictures of val and test, and those that were left out; there `generator` of fakes and `source` of
    reals are the names that rows have in this scheme. left: which were left out, [N]. metadata: what the metadata
    baseline makes of them, [N]. dropped: by label and name, how many left-out pictures do not count.
    """

    matrix: ScoreMatrix
    left: Bools
    metadata: npt.NDArray[np.float64]
    dropped: Mapping[tuple[str, str], int]


def _tried(scheme: str, plan: Plan, runs: Sequence[Run], frame: pl.DataFrame) -> _Tried:
    shown = mark_pairs(frame, read_state(runs[0], "float").seen)
    learnt = (shown["seen"] & (shown["split"] == "train")).to_numpy()
    chosen = shown.filter(pl.col("seen") & (pl.col("split") != "test"))["group"].unique()
    about = shown.select(
        "path",
        tied=~pl.col("seen") & pl.col("group").is_in(chosen.implode()),
        metadata=pl.Series(metadata_scores(shown, learnt)),
    )
    matrix = read_matrix(runs, frame)
    is_fake = pl.col("label") == "fake"
    fakes_by = "source" if scheme == "source" else "generator"
    reals_by = "generator" if scheme == "generator" else "source"
    pictures = mark_pairs(matrix.pictures.rename({"seen": "was_seen"}), plan.left_out).rename({"seen": "left"})
    pictures = (
        pictures.rename({"was_seen": "seen"})
        .with_row_index("place")
        .join(about, on="path", how="left", maintain_order="left")
        .with_columns(
            # The columns of a matrix are of the same pictures, whether their generator was in training or not.
            left=pl.col("left") & (pl.col("split") == "test") if scheme == "matrix" else pl.col("left"),
            generator=pl.when(is_fake).then(fakes_by).otherwise("generator"),
            source=pl.when(is_fake).then("source").otherwise(reals_by),
        )
    )
    dropped = pictures.filter("left", "tied").group_by("label", _called()).len()
    kept = pictures.filter(pl.col("seen") | (pl.col("left") & ~pl.col("tied")))
    return _Tried(
        _part(ScoreMatrix(pictures, matrix.probability, matrix.thresholds), kept["place"].to_numpy()),
        kept["left"].to_numpy(),
        kept["metadata"].to_numpy(),
        {(label, name): count for label, name, count in dropped.iter_rows()},
    )


def _rows(
    scheme: str,
    plan: str,
    tried: _Tried,
    figures: Sequence[Figures],
    measure: Callable[[ScoreMatrix], Sequence[Figures]],
) -> Iterator[LeftOutRow]:
    pictures, left = tried.matrix.pictures, tried.left
    fake = (pictures["label"] == "fake").to_numpy()
    test = (pictures["seen"] & (pictures["split"] == "test")).to_numpy()
    val = (pictures["split"] == "val").to_numpy() & ~left
    names = pictures.select(_called()).to_series()
    found = {(one.metric, one.set.seen, one.set.name): one for one in figures}
    row = partial(_row, plan, tried)

    def of(name: str, rows: Bools) -> Bools:
        return np.asarray(rows & (names == name).to_numpy())

    fakes = [(name, False) for name in _names(tried, names, left & fake, "fake")]
    if scheme == "matrix":
        fakes = sorted([*fakes, *((name, True) for name in names.filter(test & fake).unique())])
    for name, seen in fakes:
        mine = of(name, fake & (test if seen else left))
        yield row(name, "fake", seen, "reals in training", mine, test & ~fake, found, found)
    if scheme == "matrix":
        return
    reals = _names(tried, names, left & ~fake, "real")
    for name in reals:
        mine, others = of(name, left & ~fake), test & fake
        part = _part(tried.matrix, np.flatnonzero(val | mine | others))
        against = _by_set(measure(_all_fakes_as(name, part))) if mine.any() else {}
        yield row(name, "real", False, "fakes in training", mine, others, against, found)
    if reals and fakes and (left & fake).any() and (left & ~fake).any():
        both = _by_set(measure(_part(tried.matrix, np.flatnonzero(val | left))))
        for name, _ in fakes:
            yield row(name, "fake", False, "reals left out", of(name, left & fake), left & ~fake, both, both)


BySet = Mapping[tuple[Metric, bool, str], Figures]


def _row(
    plan: str,
    tried: _Tried,
    name: str,
    label: Literal["real", "fake"],
    seen: bool,
    against: Against,
    mine: Bools,
    others: Bools,
    of_auc: BySet,
    of_rate: BySet,
) -> LeftOutRow:
    """One row about the pictures `mine`, [N], compared with `others`; figures by metric, whether seen, and name."""
    groups = tried.matrix.pictures["group"].filter(mine).n_unique()
    auc = of_auc.get(("auc", seen, name))
    metric: Metric = "tpr_at_1" if label == "fake" else "false_alarms"
    rate = of_rate.get((metric, seen, name))
    enough = groups >= FEWEST_GROUPS
    both = mine | others
    return LeftOutRow(
        plan=plan,
        name=name,
        label=label,
        seen=seen,
        against=against,
        pictures=int(mine.sum()),
        groups=groups,
        dropped=0 if seen else tried.dropped.get((label, name), 0),
        auc=_level(auc) if enough and auc is not None else None,
        rate=_level(rate) if enough and rate is not None else None,
        metadata=grouped_auc(
            (tried.matrix.pictures["label"] == "fake").to_numpy()[both],
            tried.metadata[both],
            tried.matrix.pictures["group"].filter(both),
        )
        if enough and others.any()
        else None,
        when_seen=None,
    )


def _level(figures: Figures) -> Level:
    return level_of(BootstrapSample(figures.values, figures.drawn), figures.units)


def _by_set(figures: Sequence[Figures]) -> BySet:
    return {(one.metric, one.set.seen, one.set.name): one for one in figures}


def _called() -> pl.Expr:
    """What a picture is called in the rows of a scheme."""
    return pl.when(pl.col("label") == "fake").then("generator").otherwise("source").alias("name")


def _names(tried: _Tried, names: pl.Series, rows: Bools, label: str) -> list[str]:
    """Names of left-out pictures of a class, also where none of them counts."""
    return sorted({*names.filter(rows), *(name for kind, name in tried.dropped if kind == label)})


def _all_fakes_as(name: str, matrix: ScoreMatrix) -> ScoreMatrix:
    """The matrix with its fakes as one set, called as the reals that they are compared with.

    The set of seen fakes is told apart from that of unseen ones, so its figure is marked unseen, as the reals are.
    """
    fake = pl.col("label") == "fake"
    counted = fake & (pl.col("split") == "test")
    pictures = matrix.pictures.with_columns(
        generator=pl.when(counted).then(pl.lit(name)).otherwise("generator"),
        seen=pl.col("seen") & ~counted,
    )
    return replace(matrix, pictures=pictures)


def _part(matrix: ScoreMatrix, places: npt.NDArray[np.intp]) -> ScoreMatrix:
    return ScoreMatrix(matrix.pictures[places], matrix.probability[:, places], matrix.thresholds)
