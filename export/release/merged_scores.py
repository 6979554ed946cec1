"""A model whose scores `data merge` has put together from parts: reported without running it on all pictures again."""

from pathlib import Path

import numpy as np
import polars as pl

from export.artifacts.metadata import read_description
from export.inference.detector import read_detector
from export.release.scored_model import ScoredModel
from export.release.scoring import points_of, run_scorer
from export.runtimes.litert import open_detector_file
from train.common.errors import TrainError
from train.data.manifest import Manifest
from train.data.rows import select_rows, view_row
from train.evaluate.calibration import probabilities
from train.evaluate.foreign_scores import SUFFIXES
from train.evaluate.report.build import Scored
from train.evaluate.robustness.apply import Probabilities
from train.evaluate.scores import read_scores
from train.evaluate.selection import Which, mark_manifest, rows_to_report
from train.fit.run_folder import open_run, read_state
from train.image.view import Unclear, View, parse_view

# So many pictures are scored again, to see that the scores are the model's.
_TRIED = 8
# Batches of another size may change the last bits of a Keras model; another model is further off.
_TOLERANCE = 1e-3


def score_merged(path: Path, called: str, manifest: Manifest, which: Which, scores_path: Path) -> ScoredModel:
    """A run, a detector file or a bundle with the scores in a table, which are those of the rows that it would score.

    There is no store and no heatmap, for which all pictures would have to be decoded. Raises TrainError where the table
    holds other rows, where a few pictures get another score from the model, and for a model that is not Fauxlens's.
    """
    if not path.is_dir() and path.suffix.lower() in (*SUFFIXES, ".onnx"):
        raise TrainError(f"{path} is not a run, detector file or bundle of Fauxlens, which --scores is for: omit it.")
    if path.is_dir():
        run = open_run(path)
        state = read_state(run, "float")
        view, unclear, seen, points = run.view, run.recipe.data.unclear_faces, state.seen, state.points
        called = f"{called} (Keras float)"

        def open_model() -> Probabilities:
            scorer = run_scorer(run)
            return lambda views: probabilities(state.calibration, scorer(views))
    else:
        tflite = read_detector(path)
        description = read_description(tflite, str(path))
        view, unclear = parse_view(description.view), description.unclear_faces
        seen, points = description.seen, points_of(description)

        def open_model() -> Probabilities:
            detector = open_detector_file(tflite)
            return lambda views: detector(views).scores[:, 1]

    scores = read_scores(scores_path)
    marked = mark_manifest(select_rows(manifest, view, unclear), seen)
    _check_rows(rows_to_report(scores, which), rows_to_report(marked, which), scores_path, path)
    _check_model(scores, manifest, view, unclear, open_model(), scores_path, path)
    return ScoredModel(Scored(called, scores, points), marked, view, unclear, open_model, None)


def _check_rows(scores: pl.DataFrame, rows: pl.DataFrame, scores_path: Path, path: Path) -> None:
    keys = ["path", "label", "seen"]
    pairs = ((scores, rows), (rows, scores))
    wrong = pl.concat([one.join(other, on=keys, how="anti").select(keys) for one, other in pairs])
    if not wrong.is_empty():
        raise TrainError(
            f"{scores_path} does not have the rows that {path} is evaluated on, such as {wrong['path'][0]}: give the "
            "scores of all parts of this manifest, or leave out --scores."
        )


def _check_model(
    scores: pl.DataFrame,
    manifest: Manifest,
    view: View,
    unclear: Unclear,
    model: Probabilities,
    scores_path: Path,
    path: Path,
) -> None:
    tried = scores.gather_every(max(1, scores.height // _TRIED)).head(_TRIED)
    rows = tried.select("path").join(manifest.frame, on="path", maintain_order="left")
    again = model(np.stack([view_row(manifest, row, view, unclear) for row in rows.iter_rows(named=True)]))
    for name, known, found in zip(tried["path"], tried["probability"], again, strict=True):
        if abs(known - found) > _TOLERANCE:
            raise TrainError(
                f"{scores_path} was not made by {path}: it has {known:.3f} for {name}, and the model says {found:.3f}; "
                "give the scores of this model, or leave out --scores."
            )
