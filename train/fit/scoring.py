"""Images in, scores out: the table of per-image scores that calibration, reports and exports share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from ela.front_ends import FrontEnd
from train.data.store import Store
from train.evaluate.calibration import (
    Calibration,
    OperatingPoints,
    choose_operating_points,
    equal_weights,
    fit_calibration,
    log_odds,
    probabilities,
)
from train.evaluate.scores import read_scores, write_scores
from train.evaluate.selection import (
    mark_manifest,
    pairs_of_recipe,
    rows_in_training,
    rows_to_score,
    without_reconstructions,
)
from train.evaluate.thresholds import rates_too_small
from train.fit.run_folder import Run, State, scores_path, write_state
from train.model import predictor

FULL_SOURCE = 50
"""Validation pictures from which on a source or generator counts as much as every other where thresholds are chosen.
Below, one picture would decide alone: of ten it would be a whole percent of twelve sources."""

Scorer = Callable[[np.ndarray], np.ndarray]
"""Views uint8 [N, S, S, 3] in, logits float32 [N] of "fake" out; whatever computes them."""

_CHUNK = 256


def keras_scorer(model: Any, front_end: FrontEnd) -> Scorer:
    """A scorer that runs a Keras classifier behind a front end."""
    predict = predictor(model)
    return lambda views: predict(front_end.planes(views))


def score_rows(store: Store, marked: pl.DataFrame, scorer: Scorer, calibration: Calibration | None) -> pl.DataFrame:
    """Score rows of a store.

    marked: a subset of its manifest with the columns `seen` and `row`, the index in the store. Without a calibration
    `log_odds` is the model's own logit and `probability` its plain sigmoid.
    """
    index = marked["row"].to_numpy()
    parts = [scorer(store.pixels[index[start : start + _CHUNK]]) for start in range(0, len(index), _CHUNK)]
    logits = np.concatenate(parts).astype(np.float32)
    columns = ["path", "label", "generator", "family", "source", "split", "seen"]
    return with_scores(marked.select(columns), calibration or Calibration(1.0, 0.0), logits)


def scored_rows(store: Store, run: Run) -> pl.DataFrame:
    """The rows of a run's manifest that it scores, with `seen` and `row` (train.evaluate.selection)."""
    return rows_to_score(mark_manifest(store.manifest, pairs_of_recipe(store.manifest.frame, run.recipe.data)))


def calibrate_scores(val: pl.DataFrame, calibration: Calibration | None = None) -> tuple[Calibration, OperatingPoints]:
    """The calibration and operating points that validation rows with a model's own logits in `log_odds` give.

    A calibration that is given stays. Raises TrainError as `fit_calibration` where a class is missing.
    """
    val = without_reconstructions(val)
    is_fake = (val["label"] == "fake").to_numpy()
    logits = val["log_odds"].to_numpy()
    calibration = calibration or fit_calibration(logits, is_fake)
    # A camera with a thousand pictures does not count for more than one with fifty, nor does a generator.
    kinds = val.select(pl.when(pl.col("label") == "real").then("source").otherwise("generator")).to_series()
    weights = equal_weights(kinds.to_list(), FULL_SOURCE)
    return calibration, choose_operating_points(probabilities(calibration, logits), is_fake, weights)


def score_state(run: Run, store: Store, name: str, scorer: Scorer) -> pl.DataFrame:
    """Score a state's evaluated rows and calibrate it on the validation split; write both and return the scores."""
    raw = score_rows(store, scored_rows(store, run), scorer, None)
    calibration, points = calibrate_scores(rows_in_training(raw, "val"))
    scores = with_scores(raw, calibration, raw["log_odds"].to_numpy())
    write_scores(scores, scores_path(run, name))
    write_state(run, State(name, calibration, points, pairs_of_recipe(store.manifest.frame, run.recipe.data)))
    return scores


def small_rates(run: Run, name: str = "float") -> str:
    """Say in a sentence which shipped rates are under one validation real of a scored state, or nothing."""
    val = without_reconstructions(rows_in_training(read_scores(scores_path(run, name)), "val"))
    return rates_too_small(val.filter(label="real").height)


def with_scores(rows: pl.DataFrame, calibration: Calibration, logits: np.ndarray) -> pl.DataFrame:
    """Rows with what a calibration makes of a model's logits."""
    return rows.with_columns(
        log_odds=pl.Series(log_odds(calibration, logits), dtype=pl.Float32),
        probability=pl.Series(probabilities(calibration, logits), dtype=pl.Float32),
    )
