"""Images in, scores out: the table of per-image scores that calibration, reports and exports share."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl

from ela.front_ends import FrontEnd
from train.data.manifest import Manifest
from train.data.store import Store
from train.evaluate.calibration import Calibration, choose_operating_points, fit_calibration, probabilities
from train.evaluate.scores import write_scores
from train.fit.batches import mark_seen
from train.fit.run_folder import Run, State, scores_path, write_state
from train.model import predict_logits

Scorer = Callable[[np.ndarray], np.ndarray]
"""Views uint8 [N, S, S, 3] in, logits float32 [N] of "fake" out; whatever computes them."""

_CHUNK = 256


def keras_scorer(model: Any, front_end: FrontEnd) -> Scorer:
    """A scorer that runs a Keras classifier behind a front end."""
    return lambda views: predict_logits(model, front_end.planes(views))


def score_rows(store: Store, marked: pl.DataFrame, scorer: Scorer, calibration: Calibration | None) -> pl.DataFrame:
    """Score rows of a store.

    marked: a subset of its manifest with the columns `seen` and `row`, the index in the store. Without a calibration
    the logit column is filled and `probability` is the plain sigmoid.
    """
    index = marked["row"].to_numpy()
    parts = [scorer(store.pixels[index[start : start + _CHUNK]]) for start in range(0, len(index), _CHUNK)]
    logits = np.concatenate(parts).astype(np.float32)
    columns = ["path", "label", "generator", "family", "source", "split", "seen"]
    return marked.select(columns).with_columns(
        logit=pl.Series(logits, dtype=pl.Float32),
        probability=pl.Series(probabilities(calibration or Calibration(1.0, 0.0), logits), dtype=pl.Float32),
    )


def judged_rows(store: Store, run: Run) -> pl.DataFrame:
    """The rows a run is judged by: seen ones outside the train split, and all that it never saw."""
    marked = mark_seen(store.manifest.frame, run.recipe.data).with_row_index("row")
    return marked.filter(~pl.col("seen") | (pl.col("split") != "train"))


def outside_training(manifest: Manifest, generators: Iterable[str], sources: Iterable[str]) -> pl.DataFrame:
    """The rows by which a detector that learned from these generators and sources may be judged, on any manifest.

    Of what it learned from, the test split; of all else, everything. Columns as of `mark_learned`.
    """
    marked = mark_learned(manifest, generators, sources)
    return marked.filter(~pl.col("seen") | (pl.col("split") == "test"))


def mark_learned(manifest: Manifest, generators: Iterable[str], sources: Iterable[str]) -> pl.DataFrame:
    """A manifest's rows with `seen`, whether a detector learned from these generators and sources, and `row`."""
    seen = pl.col("generator").is_in(list(generators)) & pl.col("source").is_in(list(sources))
    return manifest.frame.with_columns(seen=seen).with_row_index("row")


def score_state(run: Run, store: Store, name: str, scorer: Scorer) -> State:
    """Score a state's judged rows, calibrate it on the validation split, and write scores and state."""
    raw = score_rows(store, judged_rows(store, run), scorer, None)
    val = raw.filter(pl.col("seen") & (pl.col("split") == "val"))
    is_fake = (val["label"] == "fake").to_numpy()
    calibration = fit_calibration(val["logit"].to_numpy(), is_fake)
    points = choose_operating_points(probabilities(calibration, val["logit"].to_numpy()), is_fake)
    calibrated = pl.Series(probabilities(calibration, raw["logit"].to_numpy()), dtype=pl.Float32)
    write_scores(raw.with_columns(probability=calibrated), scores_path(run, name))
    state = State(name, calibration, points)
    write_state(run, state)
    return state
