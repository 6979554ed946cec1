"""Score the model at a path: a run folder, a detector file or bundle, another tool's model, a table of scores."""

from pathlib import Path

from export.artifacts.metadata import read_description
from export.explain.mean_heatmaps import mean_heatmaps_of
from export.explain.mean_sheet import illustrations
from export.inference.detector import read_detector
from export.release.foreign import score_foreign_model, score_table
from export.release.scored_model import ScoredModel
from export.release.scoring import points_of, run_scorer, score_and_map
from export.runtimes.litert import open_detector_file
from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import select_rows
from train.data.store import Store, pack_beside
from train.evaluate.calibration import probabilities
from train.evaluate.foreign_scores import SUFFIXES
from train.evaluate.report.build import Scored
from train.evaluate.robustness.apply import Probabilities
from train.evaluate.scores import read_scores
from train.evaluate.selection import Which, mark_manifest, rows_to_report
from train.fit.run_folder import Run, open_run, read_state, scores_path
from train.fit.scoring import score_rows
from train.image.view import parse_view


def check_model(path: Path, view: str) -> None:
    """Raise what `score_path` would for a run folder or a detector file that is none, without scoring."""
    if path.is_dir():
        open_run(path)
    elif path.suffix.lower() not in {*SUFFIXES, ".onnx"} and not view:
        read_description(read_detector(path), str(path))


def score_path(
    path: Path,
    called: str,
    manifest: Manifest,
    manifest_path: Path,
    which: Which,
    scores_at: str,
    view: str,
    pixels: str,
    on_progress: ProgressCallback | None,
) -> ScoredModel:
    """Score what stands at a path on the rows of a manifest that are evaluated.

    called: what the report calls it. scores_at: the column of a table, or the output of another tool's model; view and
    pixels: what such a model is shown. Raises TrainError, DataError and ExportError for what is wrong with it.
    """
    if path.is_dir():
        return _score_run(open_run(path), called, manifest, manifest_path, which)
    if path.suffix.lower() in SUFFIXES:
        return score_table(path, called, manifest, scores_at)
    if view or path.suffix.lower() == ".onnx":
        return score_foreign_model(path, called, manifest, manifest_path, view, pixels, scores_at, on_progress)
    if scores_at:
        raise TrainError(f"--scores-at is for tables and third-party models, and {path} is neither.")
    tflite = read_detector(path)
    description = read_description(tflite, str(path))
    parsed, unclear, points = parse_view(description.view), description.unclear_faces, points_of(description)
    store = pack_beside(manifest, manifest_path, parsed, unclear=unclear)
    marked = mark_manifest(store.manifest, description.seen)
    rows = rows_to_report(marked, which)
    scores, heatmaps = score_and_map(store, rows, tflite, on_progress)
    means = mean_heatmaps_of(store, rows, scores["probability"].to_numpy(), heatmaps, points.balanced)

    def open_model() -> Probabilities:
        run = open_detector_file(tflite)
        return lambda views: run(views).scores[:, 1]

    shown = illustrations(means, called)
    return ScoredModel(Scored(called, scores, points), marked, parsed, unclear, open_model, lambda: store, shown)


def _score_run(run: Run, called: str, manifest: Manifest, manifest_path: Path, which: Which) -> ScoredModel:
    state = read_state(run, "float")
    name, unclear = f"{called} (Keras float)", run.recipe.data.unclear_faces

    def open_model() -> Probabilities:
        scorer = run_scorer(run)
        return lambda views: probabilities(state.calibration, scorer(views))

    # Seen is what the run saw, whatever else this manifest calls by the same name as its recipe.
    marked = mark_manifest(select_rows(manifest, run.view, unclear), state.seen)
    if which == "test" and manifest.sha256 == run.manifest_sha256:
        scores = read_scores(scores_path(run, "float"))
    else:
        store = pack_beside(manifest, manifest_path, run.view, unclear=unclear)
        scores = score_rows(store, rows_to_report(marked, which), run_scorer(run), state.calibration)

    def open_store() -> Store:
        return run.store() if manifest.sha256 == run.manifest_sha256 else store

    return ScoredModel(Scored(name, scores, state.points), marked, run.view, unclear, open_model, open_store)
