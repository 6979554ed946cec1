"""Scores that no detector of Fauxlens gave, made comparable: calibrated, with operating points, as a scores table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from export.foreign.run_foreign import check_pixels, run_foreign, score_of
from export.release.scored_model import ScoredModel
from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.store import pack_beside
from train.evaluate.calibration import Calibration
from train.evaluate.foreign_scores import PROBABILITY, read_foreign_scores
from train.evaluate.report.build import Scored
from train.evaluate.scores import log_odds_of
from train.evaluate.selection import mark_manifest
from train.fit.scoring import calibrate_scores, with_scores
from train.image.view import parse_view

TABLE_VIEW = "upright|square|resize(160)"
"""How the page shows pictures of which only scores are known."""

_CHUNK = 1024
"""Pictures that a model that is not ours gets at once: 150 MB of 224 pixels."""


def score_table(path: Path, called: str, manifest: Manifest, column: str) -> ScoredModel:
    """What another tool scored, of which no training is known: no row is seen."""
    table = read_foreign_scores(path, manifest, column)
    made = score_foreign(called, table.frame, table.column == PROBABILITY)
    notes = [f"{called}: higher values of its column {table.column!r} are taken as more like a fake."]
    if table.unknown:
        notes.append(f"{called}: {table.unknown:,} scores are of pictures that are not in the manifest: skipped.")
    if table.without:
        notes.append(f"{called}: {table.without:,} of {manifest.frame.height:,} rows have no score: skipped.")
    view = parse_view(TABLE_VIEW)
    marked = mark_manifest(Manifest(table.frame.drop("score"), manifest.folder), ())
    return ScoredModel(made.scored, marked, view, "keep", None, notes=(*notes, *made.notes))


def score_foreign_model(
    path: Path,
    called: str,
    manifest: Manifest,
    manifest_path: Path,
    view: str,
    pixels: str,
    scores_at: str,
    on_progress: ProgressCallback | None,
) -> ScoredModel:
    """What a model that is not ours says of every row, of which no training is known."""
    if not view:
        raise TrainError(
            f"{path} does not declare its preprocessing: give its view, such as upright|square|resize(224)."
        )
    parsed = parse_view(view)
    said = check_pixels(pixels, run_foreign(path, None).input, parsed.size, str(path))
    store = pack_beside(manifest, manifest_path, parsed, unclear="drop")
    parts = []
    for start in range(0, store.manifest.frame.height, _CHUNK):
        run = run_foreign(path, np.asarray(store.pixels[start : start + _CHUNK]), pixels=said)
        parts.append(score_of(run, scores_at, str(path)))
        if on_progress:
            on_progress(sum(map(len, parts)), store.manifest.frame.height)
    rows = store.manifest.frame.with_columns(score=pl.Series(np.concatenate(parts)))
    made = score_foreign(called, rows, is_probability=False)
    notes = (f"{called}: taken as higher for fake; its pixels are {said}.", *made.notes)
    marked = mark_manifest(store.manifest, ())
    return ScoredModel(made.scored, marked, parsed, "drop", None, lambda: store, notes=notes)


@dataclass(frozen=True)
class ForeignScored:
    """A scores table with operating points, and sentences on where they come from."""

    scored: Scored
    notes: tuple[str, ...]


def score_foreign(name: str, rows: pl.DataFrame, is_probability: bool) -> ForeignScored:
    """Make a scores table of manifest rows with `score`, float64, higher being more like a fake.

    No row counts as seen in training, of which nothing is known. Where the validation split has both classes, the
    calibration (unless `score` is P(fake), in 0..1, by itself) and the operating points are chosen on it and the other
    rows are reported, else they are chosen on the reported rows, which flatters what counts at a threshold and leaves
    AUC alone. Raises TrainError where a class is missing.
    """
    scores = rows["score"].to_numpy()
    logits = log_odds_of(scores).astype(np.float64) if is_probability else _standardised(scores)
    found = _calibrated(name, rows, logits, is_probability)
    if not is_probability and found.scored.scores["probability"].n_unique() < _distinct(rows, found):
        # Far scores would all become a probability of 1. By rank no two of them do.
        found = _calibrated(name, rows, _normal_scores(scores), own=False)
    return found


def _distinct(rows: pl.DataFrame, found: ForeignScored) -> int:
    return rows.join(found.scored.scores.select("path"), on="path", how="semi")["score"].n_unique()


def _calibrated(name: str, rows: pl.DataFrame, logits: np.ndarray, own: bool) -> ForeignScored:
    columns = ["path", "label", "generator", "family", "source", "split"]
    table = rows.select(*columns, seen=pl.lit(False)).with_columns(log_odds=pl.Series(logits, dtype=pl.Float64))
    val, rest = table.filter(split="val"), table.filter(pl.col("split") != "val")
    apart = set(val["label"]) == {"real", "fake"} == set(rest["label"])
    chosen_on, reported = (val, rest) if apart else (table, table)
    calibration, points = calibrate_scores(chosen_on, Calibration(1.0, 0.0) if own else None)
    kind = "operating points" if own else "calibration and operating points"
    if apart:
        note = f"its {kind} were chosen on the {val.height:,} rows of the validation split, which are not reported."
    else:
        note = (
            f"its {kind} were chosen on the reported rows themselves, as the validation split has not both classes: "
            "AUC is not touched by that, rates at a threshold are flattered."
        )
    final = with_scores(reported, calibration, reported["log_odds"].to_numpy())
    if own:
        final = final.drop("probability").join(rows.select("path", probability="score"), on="path", how="left")
    notes = [note]
    if {"real", "fake"} == set(table["label"]) and _auc(table) < 0.5:
        notes.append("it ranks reals above fakes more often than not: is its score that of “real”?")
    return ForeignScored(Scored(name, final, points), tuple(f"{name}: {one}" for one in notes))


def _standardised(scores: np.ndarray) -> np.ndarray:
    """Scores of mean 0 and spread 1, so that the calibration has numbers of an ordinary size; their order stays."""
    # Of scores near 1e308 the squares, and even the differences, are no numbers; a power of two changes no digit.
    scaled = np.ldexp(scores, -np.frexp(np.abs(scores).max())[1])
    spread = float(scaled.std())
    return (scaled - scaled.mean()) / spread if spread > 0 else np.zeros_like(scores)


def _normal_scores(scores: np.ndarray) -> np.ndarray:
    """The normal quantile of each score's rank (van der Waerden 1952); equal scores stay equal."""
    from scipy.stats import norm, rankdata

    return np.asarray(norm.ppf(rankdata(scores) / (scores.size + 1)), np.float64)


def _auc(table: pl.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score((table["label"] == "fake").to_numpy(), table["log_odds"].to_numpy()))
