"""How detector files and runs score the rows of a store, and at which operating points."""

import numpy as np
import polars as pl

from export.artifacts.description import Description
from export.runtimes.litert import open_detector_file
from train.common.progress import ProgressCallback
from train.data.store import Store
from train.evaluate.calibration import Calibration, OperatingPoints
from train.evaluate.decision import POINTS
from train.evaluate.scores import log_odds_of
from train.fit.run_folder import Run
from train.fit.scoring import Scorer, keras_scorer, score_rows


def score_and_map(
    store: Store, rows: pl.DataFrame, tflite: bytes, on_progress: ProgressCallback | None = None
) -> tuple[pl.DataFrame, np.ndarray]:
    """Score rows of a store by a sealed detector file on x86 LiteRT; with the heatmap of each, float32 [N, h, w].

    rows: manifest rows with `seen` and `row`. The file gives probabilities, whose log odds stand in the scores table.
    """
    run = open_detector_file(tflite)
    heatmaps: list[np.ndarray] = []
    done = 0

    def logits(views: np.ndarray) -> np.ndarray:
        nonlocal done
        output = run(views)
        heatmaps.append(output.heatmaps)
        done += len(views)
        if on_progress:
            on_progress(done, rows.height)
        return log_odds_of(output.scores[:, 1])

    scores = score_rows(store, rows, logits, Calibration(1.0, 0.0))
    return scores, np.concatenate(heatmaps)


def points_of(description: Description) -> OperatingPoints:
    """The operating points that a detector file ships."""
    points = description.operating_points
    # One value for all points, as `choose_operating_points` gives them; a file of format 1 may have three.
    unsure_from = max(decision.unsure_from for decision in points.values())
    balanced, fpr_1, fpr_05 = (points[name].fake_from for name in POINTS)
    return OperatingPoints(balanced, fpr_1, fpr_05, unsure_from)


def run_scorer(run: Run) -> Scorer:
    """A scorer that runs a run's float state; loading it takes a few seconds."""
    from ela.front_ends import parse_front_end
    from train.fit.loop import load_model

    return keras_scorer(load_model(run), parse_front_end(run.recipe.model.front_end))
