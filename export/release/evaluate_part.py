"""A part of an evaluation: the scores of its rows, which `data merge` puts together for the report."""

import hashlib
from pathlib import Path

import polars as pl

from export.artifacts.metadata import read_description
from export.inference.detector import read_detector
from export.release.scoring import run_scorer, score_and_map
from train.common.errors import TrainError
from train.common.parts import WorkPart
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, read_manifest
from train.data.part_files import PLACE
from train.data.rows import select_rows
from train.data.store import Store, pack_beside
from train.evaluate.foreign_scores import SUFFIXES
from train.evaluate.scores import SCORE_COLUMNS, read_scores
from train.evaluate.scores_parts import write_scores_part
from train.evaluate.selection import Pair, Which, mark_manifest, rows_to_report
from train.fit.run_folder import Run, open_run, read_state, scores_path, weights_path
from train.fit.scoring import score_rows
from train.image.view import Unclear, View, parse_view


def evaluate_part(
    model: Path,
    manifest_path: Path,
    folder: Path,
    part: WorkPart,
    *,
    which: Which = "test",
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Score the rows of a manifest whose content is in a part, by a run, a detector file or a bundle.

    Writes and returns the part file in `folder`, where the report of the whole will be. The rows are those that the
    whole scores, and each has the score that it has there: a detector file gets one picture at a time. Raises
    TrainError for a table of scores or a model that is not Fauxlens's, whose calibration takes all rows together.
    """
    if not model.is_dir() and model.suffix.lower() in (*SUFFIXES, ".onnx"):
        raise TrainError(
            f"{model} is not a run, detector file or bundle of Fauxlens, and only these can be scored in parts: omit "
            "--part or --dask."
        )
    manifest = read_manifest(manifest_path)
    if model.is_dir():
        digest, scores = _by_run(open_run(model), manifest, manifest_path, part, which)
    else:
        digest, scores = _by_detector(model, manifest, manifest_path, part, which, on_progress)
    rows, mine = scores
    return write_scores_part(mine, part, folder, model=digest, manifest=manifest, which=which, rows=rows)


_Scores = tuple[int, pl.DataFrame]
"""How many rows the whole has, and the scores of those in the part, with their places."""


def _by_detector(
    model: Path,
    manifest: Manifest,
    manifest_path: Path,
    part: WorkPart,
    which: Which,
    on_progress: ProgressCallback | None,
) -> tuple[str, _Scores]:
    tflite = read_detector(model)
    description = read_description(tflite, str(model))
    view, unclear = parse_view(description.view), description.unclear_faces
    rows = _rows(manifest, view, unclear, description.seen, which)
    mine, store = _mine(rows, manifest, manifest_path, part, view, unclear)
    scores = None if store is None else score_and_map(store, mine, tflite, on_progress)[0]
    return hashlib.sha256(tflite).hexdigest(), (rows.height, _placed(scores, mine))


def _by_run(run: Run, manifest: Manifest, manifest_path: Path, part: WorkPart, which: Which) -> tuple[str, _Scores]:
    state = read_state(run, "float")
    digest = hashlib.sha256(weights_path(run, "float").read_bytes() + repr(state).encode()).hexdigest()
    if which == "test" and manifest.sha256 == run.manifest_sha256:
        # As the whole does: what training has scored is not scored again.
        known = read_scores(scores_path(run, "float")).with_row_index(PLACE)
        contents = manifest.frame.select("path", "sha256")
        known = known.join(contents, on="path", how="left", maintain_order="left")
        return digest, (known.height, _in_part(known, part))
    rows = _rows(manifest, run.view, run.recipe.data.unclear_faces, state.seen, which)
    mine, store = _mine(rows, manifest, manifest_path, part, run.view, run.recipe.data.unclear_faces)
    scores = None if store is None else score_rows(store, mine, run_scorer(run), state.calibration)
    return digest, (rows.height, _placed(scores, mine))


def _rows(manifest: Manifest, view: View, unclear: Unclear, seen: tuple[Pair, ...], which: Which) -> pl.DataFrame:
    marked = mark_manifest(select_rows(manifest, view, unclear), seen)
    return rows_to_report(marked, which).with_row_index(PLACE)


def _mine(
    rows: pl.DataFrame, manifest: Manifest, manifest_path: Path, part: WorkPart, view: View, unclear: Unclear
) -> tuple[pl.DataFrame, Store | None]:
    """The rows of a part, numbered as in a store of their own; no store where there is none."""
    mine = _in_part(rows, part)
    if mine.is_empty():
        return mine, None
    own = Manifest(mine.select(manifest.frame.columns), manifest.folder)
    return mine.drop("row").with_row_index("row"), pack_beside(own, manifest_path, view, unclear=unclear)


def _in_part(rows: pl.DataFrame, part: WorkPart) -> pl.DataFrame:
    return rows.filter(pl.Series([part.has(sha256) for sha256 in rows["sha256"]], dtype=pl.Boolean))


def _placed(scores: pl.DataFrame | None, mine: pl.DataFrame) -> pl.DataFrame:
    if scores is None:
        return pl.DataFrame(schema={PLACE: pl.Int64(), **SCORE_COLUMNS})
    return scores.join(mine.select("path", PLACE), on="path", how="left", maintain_order="left")
