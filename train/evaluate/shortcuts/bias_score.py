"""How far a model goes by processing instead of faces: its scores before and after each class is saved as the other.

Every picture is scored as it is, and once more after it was brought to the size and the JPEG quality of a random
picture of the other class. A detector of faces does not care; cf. Grommelt et al., "Fake or JPEG?", 2024.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from train.common.errors import DataError, TrainError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import Row, decode_row, eyes_of
from train.evaluate.metrics import Interval, compute_metrics
from train.evaluate.robustness.apply import choose_pictures
from train.image.decode import Picture
from train.image.limits import MAX_JPEG_SIDE
from train.image.view import Eyes, Unclear, View, apply_view, turn_upright, view_for

_AT_ONCE = 64
_WORKERS = 2
_MADE = ("reconstruction", "edit")
"""Families whose files are those of their originals, so that swapping says nothing."""


@dataclass(frozen=True)
class BiasScore:
    """Mean P(fake) of both classes before and after the swap, AUC before and after, and the bias score.

    score: the larger of the two classes' moves, 0..1. n_real, n_fake: pictures looked at.
    """

    n_real: int
    n_fake: int
    real_before: float
    real_after: float
    fake_before: float
    fake_after: float
    score: float
    auc_before: Interval
    auc_after: Interval


def find_bias_score(
    probabilities: Callable[[np.ndarray], np.ndarray],
    rows: pl.DataFrame,
    manifest: Manifest,
    view: View,
    *,
    unclear: Unclear = "drop",
    pictures: int,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
) -> BiasScore:
    """Swap the processing of a sample of manifest rows and score them before and after.

    probabilities: views uint8 [N, S, S, 3] to P(fake) [N]. The sample is that of `--robustness`, without
    reconstructions and edits. Raises TrainError where a class is missing, DataError for a picture that is gone.
    """
    may = rows.filter(~pl.col("family").is_in(_MADE), pl.max_horizontal("width", "height") <= MAX_JPEG_SIDE)
    if set(may["label"]) != {"real", "fake"}:
        raise TrainError(
            "The bias score needs evaluated pictures of both classes that are not reconstructions or edits: add some, "
            "or leave out --bias-score."
        )
    chosen = choose_pictures(may, pictures)
    random = np.random.default_rng(seed)
    pools = {label: chosen.filter(label=label).to_dicts() for label in ("real", "fake")}
    pairs: list[tuple[Row, Row]] = []
    for row in chosen.to_dicts():
        others = pools["fake" if row["label"] == "real" else "real"]
        pairs.append((row, others[int(random.integers(len(others)))]))
    found = []
    for views in _views(pairs, manifest, view, unclear):
        flat = np.asarray(probabilities(views.reshape(-1, *views.shape[2:])), np.float64)
        found.append(flat.reshape(-1, 2))
        if on_progress is not None:
            on_progress(sum(map(len, found)), len(pairs))
    before, after = np.concatenate(found).T
    fake = (chosen["label"] == "fake").to_numpy()
    means = {(name, kind): float(values[mask].mean())
             for name, values in (("before", before), ("after", after))
             for kind, mask in (("real", ~fake), ("fake", fake))}  # fmt: skip
    return BiasScore(
        n_real=int((~fake).sum()),
        n_fake=int(fake.sum()),
        real_before=means["before", "real"],
        real_after=means["after", "real"],
        fake_before=means["before", "fake"],
        fake_after=means["after", "fake"],
        score=max(abs(means["after", kind] - means["before", kind]) for kind in ("real", "fake")),
        auc_before=compute_metrics(fake, before, 0.5).auc,
        auc_after=compute_metrics(fake, after, 0.5).auc,
    )


def saved_as(picture: Picture, eyes: Eyes | None, other: Mapping[str, Any]) -> tuple[Picture, Eyes | None]:
    """An upright picture with the longer side of a manifest row (never enlarged) and saved as its file is, and where
    its eyes are then."""
    height, width = picture.pixels.shape[:2]
    factor = min(1.0, max(other["width"], other["height"]) / max(width, height))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS)
    if other["jpeg_quality"] is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=other["jpeg_quality"])
        image = Image.open(buffer)
    moved = None if eyes is None else Eyes(eyes.x * factor, eyes.y * factor, eyes.distance * factor)
    return replace(picture, pixels=np.asarray(image.convert("RGB"))), moved


def _views(pairs: list[tuple[Row, Row]], manifest: Manifest, view: View, unclear: Unclear) -> Iterator[np.ndarray]:
    """Views of a few pictures at a time, as they are and swapped, uint8 [N, 2, S, S, 3]."""

    def both(pair: tuple[Row, Row]) -> np.ndarray:
        row, other = pair
        path = manifest.picture_path(row["path"])
        own = view_for(view, row["faces"], unclear) if view.needs_eyes else view
        if own is None:
            raise DataError(
                f"{path} has {row['faces']} faces and {unclear!r} skips such pictures: choose keep or centre."
            )
        picture, eyes = decode_row(manifest, row), eyes_of(row)
        upright = replace(picture, pixels=turn_upright(picture.pixels, picture.orientation), orientation=1)
        try:
            return np.stack([apply_view(own, upright, eyes), apply_view(own, *saved_as(upright, eyes, other))])
        except DataError as error:
            raise DataError(f"{path}: {error}") from None

    executor = ThreadPoolExecutor(_WORKERS)
    try:
        for start in range(0, len(pairs), _AT_ONCE):
            yield np.stack(list(executor.map(both, pairs[start : start + _AT_ONCE])))
    finally:
        executor.shutdown(cancel_futures=True)
