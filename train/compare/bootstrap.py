"""AUC, TPR at 1 % FPR and false alarms of several runs on the same pictures, and on resamples of these pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.evaluate.calibration import FPR_1
from train.evaluate.metrics import CELLS_AT_ONCE

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Metric = Literal["auc", "tpr_at_1", "false_alarms"]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True)
class ScoreMatrix:
    """What several runs say of the same pictures.

    pictures: N rows with label, generator, source, split, seen and group, the seen ones of the splits `val` and `test`.
    probability: P(fake) in 0..1, float64 [R, N]. thresholds: the shipped 1 % threshold of each run, [R].
    """

    pictures: pl.DataFrame
    probability: Floats
    thresholds: Floats


@dataclass(frozen=True)
class PictureSet:
    """Pictures that one figure is about: fakes of a generator (or of one source of it), or the reals of a source."""

    name: str
    label: str
    seen: bool
    pictures: int
    groups: int


@dataclass(frozen=True)
class Figures:
    """One metric on one set: of every run, [R], and of every run on every resample, [R, B].

    units: how many groups there are in the smaller of the two sides that the metric holds together.
    """

    metric: Metric
    set: PictureSet
    values: Floats
    drawn: Floats
    units: int


def figures_of(
    matrix: ScoreMatrix,
    *,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
) -> tuple[Figures, ...]:
    """All figures of a matrix: AUC and TPR of each set of fakes, false alarms of each source of reals.

    Fakes are compared with the reference reals of `evaluation.evaluate_scores`, and the values are those of a report. A
    resample draws whole groups, with replacement and within their kind of picture, the same for every run (Field and
    Welsh, J. R. Statist. Soc. B 69:369, 2007); the 1 % threshold of a run is chosen anew on the resampled validation
    pictures, as `choose_operating_points` would. Takes about 0.2 s a run for 2,000 pictures; memory is bounded.
    Raises TrainError when the reals, the fakes or the validation pictures are missing.
    """
    pictures = matrix.pictures
    seen, split, label = (pictures[name].to_numpy() for name in ("seen", "split", "label"))
    evaluated, real = ~seen | (split == "test"), label == "real"
    validation = seen & (split == "val")
    reference = evaluated & real & seen if (evaluated & real & seen).any() else evaluated & real
    fakes = evaluated & ~real
    for what, rows in (
        ("real picture that may be evaluated", reference),
        ("fake picture that may be evaluated", fakes),
        ("real validation picture", validation & real),
        ("fake validation picture", validation & ~real),
    ):
        if not rows.any():
            raise TrainError(f"The runs to compare have scores of no {what}: score them with this version.")
    fake_sets = _fake_sets(pictures, fakes)
    real_sets = _sets(pictures, evaluated & real, ["source"])
    table = _Table(matrix, *map(np.flatnonzero, (reference, fakes, validation & real, validation & ~real)))
    ones = np.ones((1, pictures.height))
    shipped = matrix.thresholds[:, None]
    values = _evaluate(table, ones, fake_sets, real_sets, shipped)
    drawn = []
    for weights in _weights(pictures, resamples, seed):
        drawn.append(_evaluate(table, weights, fake_sets, real_sets, None))
        if on_progress is not None:
            on_progress(sum(one[0].shape[-1] for one in drawn), resamples)
    names: list[tuple[Metric, PictureSet]] = [
        *(("auc", one) for one, _ in fake_sets),
        *(("tpr_at_1", one) for one, _ in fake_sets),
        *(("false_alarms", one) for one, _ in real_sets),
    ]
    reference_groups = {
        metric: pictures.filter(reference if metric != "false_alarms" else validation & real)["group"].n_unique()
        for metric in METRICS
    }
    return tuple(
        Figures(
            metric,
            one,
            values[place][:, 0],
            np.concatenate([chunk[place] for chunk in drawn], axis=1),
            min(one.groups, reference_groups[metric]),
        )
        for place, (metric, one) in enumerate(names)
    )


@dataclass(frozen=True)
class _Table:
    matrix: ScoreMatrix
    reference: Places
    fakes: Places
    val_reals: Places
    val_fakes: Places


Sets = Sequence[tuple[PictureSet, Places]]


def _fake_sets(pictures: pl.DataFrame, fakes: npt.NDArray[np.bool_]) -> Sets:
    """Each generator, seen ones first, followed by its sources where it has several."""
    found = []
    by_source = _sets(pictures, fakes, ["generator", "source"])
    for whole in _sets(pictures, fakes, ["generator"]):
        found.append(whole)
        parts = [one for one in by_source if one[0].seen == whole[0].seen and np.isin(one[1], whole[1]).all()]
        found += parts if len(parts) > 1 else []
    return found


def _sets(pictures: pl.DataFrame, rows: npt.NDArray[np.bool_], columns: list[str]) -> Sets:
    chosen = pictures.with_row_index("row").filter(rows)
    found = []
    for (seen, *names), part in chosen.group_by("seen", *columns):
        about = PictureSet(
            ": ".join(map(str, names)), part["label"][0], bool(seen), part.height, part["group"].n_unique()
        )
        found.append((about, part["row"].sort().to_numpy().astype(np.intp)))
    return sorted(found, key=lambda one: (not one[0].seen, one[0].name))


def _weights(pictures: pl.DataFrame, resamples: int, seed: int) -> Iterator[Floats]:
    """Chunks of resamples as how often each picture is in them, [B, N]."""
    kind = ["label", "generator", "source", "seen", "split"]
    # Unseen pictures are evaluated whatever their split.
    table = pictures.with_columns(split=pl.when("seen").then("split").otherwise(pl.lit("")))
    group = table["group"].rank("dense").to_numpy().astype(np.intp) - 1
    stratum = table.select(pl.struct(kind).rank("dense")).to_series().to_numpy().astype(np.intp) - 1
    # A group of several kinds is drawn with the kind that most of its pictures have.
    counts = np.zeros((group.max() + 1, stratum.max() + 1), np.int32)
    np.add.at(counts, (group, stratum), 1)
    strata = [np.flatnonzero(counts.argmax(axis=1) == one) for one in range(counts.shape[1])]
    random = np.random.default_rng(seed)
    chunk = max(1, CELLS_AT_ONCE // pictures.height)
    for start in range(0, resamples, chunk):
        drawn = np.empty((min(chunk, resamples - start), counts.shape[0]))
        for members in strata:
            if members.size:
                share = np.full(members.size, 1 / members.size)
                drawn[:, members] = random.multinomial(members.size, share, size=drawn.shape[0])
        yield drawn[:, group]


def _evaluate(
    table: _Table, weights: Floats, fake_sets: Sets, real_sets: Sets, shipped: Floats | None
) -> tuple[Floats, ...]:
    """Every figure as [R, B], of pictures with weights [B, N]: AUCs, then TPRs, then false alarms.

    shipped: thresholds [R, 1]; None chooses them on the weighted validation pictures.
    """
    columns = [np.searchsorted(table.fakes, rows) for _, rows in fake_sets]
    fake_weights = weights[:, table.fakes]
    every = []
    for run, probability in enumerate(table.matrix.probability):
        beaten, caught = _against_reference(table, probability, weights)
        scored, hits = fake_weights * beaten, fake_weights * caught
        threshold = _threshold(table, probability, weights) if shipped is None else shipped[run]
        every.append(
            [
                *(_share(scored[:, place], fake_weights[:, place]) for place in columns),
                *(_share(hits[:, place], fake_weights[:, place]) for place in columns),
                *(
                    _share(weights[:, rows] * (probability[rows] >= threshold[:, None]), weights[:, rows])
                    for _, rows in real_sets
                ),
            ]
        )
    return tuple(np.stack(figure) for figure in zip(*every, strict=True))


def _share(part: Floats, whole: Floats) -> Floats:
    total = whole.sum(axis=1)
    return np.divide(part.sum(axis=1), total, out=np.full(total.shape, np.nan), where=total > 0)


def _against_reference(table: _Table, probability: Floats, weights: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """For each fake [B, F] the share of reference reals it beats (a tie is half), and whether it is caught at 1 %.

    Caught is what lies above the best threshold with at most 1 % of the reference reals, so a fake is caught exactly if
    no more of them score as high as it does. The mean of the shares beaten is the AUC (Mann and Whitney 1947).
    """
    order = table.reference[np.argsort(-probability[table.reference], kind="stable")]
    reals, fakes = -probability[order], -probability[table.fakes]
    below = np.zeros((weights.shape[0], order.size + 1))
    np.cumsum(weights[:, order], axis=1, out=below[:, 1:])
    below /= below[:, -1:]
    strictly, at_least = (
        below[:, np.searchsorted(reals, fakes, "left")],
        below[:, np.searchsorted(reals, fakes, "right")],
    )
    return 1 - (strictly + at_least) / 2, at_least <= FPR_1 + 1e-12


def _threshold(table: _Table, probability: Floats, weights: Floats) -> Floats:
    """The 1 % threshold [B] that `choose_operating_points` takes on validation pictures with weights [B, N]."""
    order = table.val_reals[np.argsort(-probability[table.val_reals], kind="stable")]
    reals, fakes = probability[order], np.sort(probability[table.val_fakes])
    real_weights = weights[:, order]
    fake_weights = weights[:, table.val_fakes[np.argsort(probability[table.val_fakes], kind="stable")]]
    total = np.cumsum(real_weights, axis=1)
    allowed = np.floor(FPR_1 * total[:, -1:] + 1e-9)
    highest_let_through = reals[np.argmax(total > allowed, axis=1)]
    above = (fake_weights > 0) & (fakes > highest_let_through[:, None])
    first_caught = np.where(above.any(axis=1), fakes[np.argmax(above, axis=1)], 1.0)
    below = (real_weights > 0) & (reals < first_caught[:, None])
    last_let_through = np.where(below.any(axis=1), reals[np.argmax(below, axis=1)], first_caught)
    return np.asarray((last_let_through + first_caught) / 2)
