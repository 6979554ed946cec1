"""Evaluated pictures through every corruption, the view and a detector: how robust its verdicts are."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from train.common.errors import DataError, TrainError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import Row, decode_row, eyes_of
from train.evaluate.calibration import OperatingPoints
from train.evaluate.robustness.corruptions import UNCORRUPTED, Corruption, corrupt
from train.evaluate.robustness.results import CorruptedScores, Robustness, evaluate_corrupted
from train.evaluate.scores import check_scores
from train.evaluate.selection import rows_to_report
from train.image.limits import MAX_JPEG_SIDE
from train.image.view import Unclear, View, apply_view, view_for

Probabilities = Callable[[np.ndarray], np.ndarray]
"""Views uint8 [N, S, S, 3] in, calibrated P(fake) float32 [N] out; whatever computes them."""

PICTURES = 400
"""As many pictures take about a minute on two cores, and the standard corruptions are eleven times as many."""

_AT_ONCE = 64
_WORKERS = 2


@dataclass(frozen=True)
class RobustnessSubject:
    """A model to be tried: its name, its scores table, its operating points and what gives its probabilities."""

    name: str
    scores: pl.DataFrame
    points: OperatingPoints
    probabilities: Probabilities


def find_robustness(
    subjects: Sequence[RobustnessSubject],
    manifest: Manifest,
    view: View,
    corruptions: Sequence[Corruption],
    *,
    unclear: Unclear = "drop",
    pictures: int = PICTURES,
    on_progress: ProgressCallback | None = None,
) -> Robustness:
    """Corrupt a sample of the evaluated pictures, show it to every model, and evaluate what they say.

    The corruption comes before the view, as in the world, where pictures change on their way to the detector. Faces
    are not searched for anew: the eyes of the manifest move with the picture. Raises TrainError where the models have
    no evaluated pictures of both classes in common, DataError for a picture that is gone or cannot be shown.
    """
    evaluated = [rows_to_report(check_scores(subject.scores)) for subject in subjects]
    common = evaluated[0].select("path")
    for other in evaluated[1:]:
        common = common.join(other.select("path"), on="path", maintain_order="left")
    rows = common.join(manifest.frame, on="path", maintain_order="left")
    # Longer ones cannot be saved as JPEG.
    chosen = choose_pictures(rows.filter(pl.max_horizontal("width", "height") <= MAX_JPEG_SIDE), pictures)
    conditions = [UNCORRUPTED, *corruptions]
    found: list[list[np.ndarray]] = [[] for _ in subjects]
    done = 0
    for views in _views(manifest, chosen, view, unclear, conditions):
        for subject, parts in zip(subjects, found, strict=True):
            flat = subject.probabilities(views.reshape(-1, *views.shape[2:]))
            parts.append(np.asarray(flat, np.float32).reshape(views.shape[:2]))
        done += len(views)
        if on_progress is not None:
            on_progress(done, chosen.height)
    evaluations = []
    for subject, table, parts in zip(subjects, evaluated, found, strict=True):
        own = chosen.select("path").join(table, on="path", maintain_order="left")
        corrupted = [
            CorruptedScores(one.kind, one.strength, one.text, one.words, probability)
            for one, probability in zip(conditions, np.concatenate(parts).T, strict=True)
        ]
        evaluations.append(evaluate_corrupted(own, subject.points, corrupted, name=subject.name))
    n_fake = int((chosen["label"] == "fake").sum())
    return Robustness(
        n=chosen.height,
        n_real=chosen.height - n_fake,
        n_fake=n_fake,
        n_judged=rows.height,
        median_side=float(np.median(chosen.select(pl.min_horizontal("width", "height")).to_numpy())),
        conditions=tuple(condition for of_one in evaluations for condition in of_one),
    )


def choose_pictures(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """At most `count` of these manifest rows, half of them of each class, and within a class balanced over sources.

    A source of several generators counts as several. What one of them has too few of, the others give. Within a
    source the pictures with the lowest sha256 are taken, so that the choice is the same on every machine and hardly
    changes as pictures are added. Raises TrainError for a `count` below 2 and where a class is missing.
    """
    if count < 2:
        raise TrainError(f"Robustness on {count} pictures is meaningless: give at least 2; 400 is usual.")
    parts = []
    for label, places in _shares(rows["label"], count).items():
        of_class = rows.filter(pl.col("label") == label)
        kinds = of_class.select(pl.concat_str("source", "generator", separator="\n")).to_series()
        for kind, wanted in _shares(kinds, places).items():
            parts.append(of_class.filter(kinds == kind).sort("sha256", "path").head(wanted))
    chosen = pl.concat(parts) if parts else rows
    if chosen["label"].n_unique() < 2:
        raise TrainError(
            "Robustness needs real and fake pictures that may be evaluated: add pictures of the other class."
        )
    return chosen


def _shares(values: pl.Series, count: int) -> dict[str, int]:
    """How many of each value to take so that they are as equal as their numbers allow, by name."""
    sizes = dict(sorted(values.value_counts().iter_rows()))
    shares = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))
    while left:
        for name in sizes:
            if left and shares[name] < sizes[name]:
                shares[name] += 1
                left -= 1
    return shares


def _views(
    manifest: Manifest, chosen: pl.DataFrame, view: View, unclear: Unclear, conditions: Sequence[Corruption]
) -> Iterator[np.ndarray]:
    """Views of a few pictures at a time under every corruption, uint8 [N, D, S, S, 3]."""
    show = partial(corrupted_views, manifest, view=view, unclear=unclear, corruptions=conditions)
    executor = ThreadPoolExecutor(_WORKERS)
    try:
        for batch in chosen.iter_slices(_AT_ONCE):
            yield np.stack(list(executor.map(show, batch.iter_rows(named=True))))
    finally:
        executor.shutdown(cancel_futures=True)


def corrupted_views(
    manifest: Manifest, row: Row, *, view: View, unclear: Unclear, corruptions: Sequence[Corruption]
) -> np.ndarray:
    """Decode the picture of a row and take it through each corruption and the view: uint8 [D, S, S, 3].

    Raises DataError as `train.data.rows.view_row`.
    """
    path = manifest.picture_path(row["path"])
    own = view_for(view, row["faces"], unclear) if view.needs_eyes else view
    if own is None:
        raise DataError(f"{path} has {row['faces']} faces and {unclear!r} skips such pictures: choose keep or centre.")
    picture, eyes, seed = decode_row(manifest, row), eyes_of(row), int(row["sha256"][:16], 16)
    try:
        return np.stack([apply_view(own, *corrupt(one, picture, eyes, seed)) for one in corruptions])
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
