"""A support vector machine on features: the classifier of the pipelines that end in FaceNet's embedding.

scikit-learn's SVC behind a StandardScaler; kernel and C by grid search with cross-validation in which pictures of one
group are never parted. Its decision function is the logit; calibration, thresholds and report are those of detectors.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from train.common.atomic import write_text
from train.common.errors import DataError, TrainError
from train.data.manifest import read_manifest
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.metrics import Interval
from train.evaluate.report.build import metadata_baseline, view_thumbnails
from train.evaluate.report.html import BaselineNote, ReportPaths, Thumbnails, write_report
from train.evaluate.scores import write_scores
from train.evaluate.selection import mark_seen, rows_in_training, rows_to_report, rows_to_score
from train.features.table import FeatureTable
from train.fit.scoring import calibrate_scores, with_scores
from train.image.view import parse_view
from train.recipe import Data

KERNELS = ("linear", "rbf")
_RESAMPLES = 2000
COSTS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Values of C."""


@dataclass(frozen=True)
class SvmSettings:
    """What the machine learns from, as a recipe's [data] has it, and how it is searched for."""

    generators: tuple[str, ...] = ("*",)
    held_out: tuple[str, ...] = ()
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class GridCell:
    """One cell of the grid: mean and standard deviation of the AUC over the folds."""

    kernel: str
    cost: float
    auc: float
    deviation: float


@dataclass(frozen=True)
class FittedSvm:
    """The best machine (a scikit-learn pipeline), the whole grid, and how many pictures it was fitted to."""

    machine: Any
    best: GridCell
    grid: tuple[GridCell, ...]
    pictures: int


@dataclass(frozen=True)
class SvmReport:
    """What `svm` found. macro_f1: mean of the F1 of both classes over the reported pictures at the balanced point; its
    interval is that of 2,000 resamples of groups."""

    fitted: FittedSvm
    evaluation: Evaluation
    paths: ReportPaths
    macro_f1: Interval


def fit_svm(values: np.ndarray, is_fake: np.ndarray, groups: np.ndarray, settings: SvmSettings) -> FittedSvm:
    """Search kernel and C by the AUC of `settings.folds` folds over groups, then fit the best to all.

    values: float32 [N, D]; is_fake: bool [N]; groups [N]. Raises TrainError where a class has fewer groups than folds.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    fewest = min(len(set(groups[is_fake == label])) for label in (False, True))
    if fewest < settings.folds:
        raise TrainError(
            f"A class has {fewest} groups of pictures in training, fewer than the {settings.folds} folds: pass --folds "
            f"{max(2, fewest)}, or add pictures."
        )
    machine = make_pipeline(StandardScaler(), SVC(class_weight="balanced", random_state=settings.seed))
    search = GridSearchCV(
        machine,
        {"svc__kernel": KERNELS, "svc__C": COSTS},
        scoring="roc_auc",
        cv=StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed),
    )
    search.fit(values, is_fake, groups=groups)
    found = search.cv_results_
    grid = tuple(
        GridCell(str(cell["svc__kernel"]), float(cell["svc__C"]), float(mean), float(deviation))
        for cell, mean, deviation in zip(
            found["params"], found["mean_test_score"], found["std_test_score"], strict=True
        )
    )
    return FittedSvm(search.best_estimator_, grid[search.best_index_], grid, len(values))


def svm_report(features: FeatureTable, settings: SvmSettings, folder: Path, title: str, beside: Path) -> SvmReport:
    """Fit to the training split, calibrate on the validation split, and write report, scores.csv and svm.json.

    beside: the folder of the features file, from where the note's path of the manifest counts; pictures of mistakes are
    shown where the manifest is still there. Raises TrainError where a split lacks a class.
    """
    data = Data(view=features.note.view, generators=settings.generators, held_out=settings.held_out)
    marked = mark_seen(features.rows, data).with_row_index("row")
    learn = rows_in_training(marked, "train")
    fitted = fit_svm(
        features.values[learn["row"].to_numpy()],
        (learn["label"] == "fake").to_numpy(),
        learn["group"].to_numpy(),
        settings,
    )
    rows = rows_to_score(marked)
    logits = fitted.machine.decision_function(features.values[rows["row"].to_numpy()]).astype(np.float32)
    raw = rows.with_columns(log_odds=pl.Series(logits, dtype=pl.Float32))
    calibration, points = calibrate_scores(rows_in_training(raw, "val"))
    scores = with_scores(raw, calibration, logits)
    write_scores(scores, folder / "scores.csv")
    name = f"SVM ({fitted.best.kernel}, C = {fitted.best.cost:g})"
    baseline, thumbnails = _pictures(features, beside)
    evaluation = evaluate_scores(scores, points, name=name)
    paths = write_report(folder, [evaluation], title=title, baseline=baseline, thumbnails=thumbnails)
    result = SvmReport(fitted, evaluation, paths, macro_f1_interval(rows_to_report(scores), points.balanced))
    plain = {
        "format": 1,
        "network": features.note.network,
        "view": features.note.view,
        "pictures": fitted.pictures,
        "best": asdict(fitted.best),
        "grid": [asdict(one) for one in fitted.grid],
        "settings": asdict(settings),
        "macro_f1": result.macro_f1.value,
        "macro_f1_interval": [result.macro_f1.low, result.macro_f1.high],
    }
    write_text(folder / "svm.json", json.dumps(plain, indent=1) + "\n")
    return result


def macro_f1_interval(rows: pl.DataFrame, threshold: float) -> Interval:
    """The mean of the F1 of fake and of real, of rows with `label`, `probability` and `group`; the interval is the
    percentiles of 2,000 resamples of groups."""
    called = pl.col("probability") >= threshold
    fake = pl.col("label") == "fake"
    # Of each group: fakes called fake, reals called real, and those that are called wrongly.
    counts = (
        rows.group_by("group", maintain_order=True)
        .agg(hits=(fake & called).sum(), passes=(~fake & ~called).sum(), wrong=(fake != called).sum())
        .select("hits", "passes", "wrong")
        .to_numpy()
        .astype(np.float64)
    )
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _RESAMPLES)
    value = float(_mean_f1(counts.sum(axis=0)[None])[0])
    low, high = (float(bound) for bound in np.percentile(_mean_f1(drawn @ counts), [2.5, 97.5]))
    return Interval(value, min(low, value), max(high, value))


def _mean_f1(counts: np.ndarray) -> np.ndarray:
    """Of rows [N, 3] of hits, passes and wrong calls; an F1 of nothing at all is 0."""
    wrong = counts[:, 2]
    twice = 2 * counts[:, :2]
    parts = np.divide(twice, twice + wrong[:, None], out=np.zeros_like(twice), where=twice > 0)
    return np.asarray(parts.mean(axis=1))


def _pictures(features: FeatureTable, beside: Path) -> tuple[BaselineNote | None, Thumbnails | None]:
    """The metadata baseline and the pictures of a features file's manifest; nothing where that has gone or changed."""
    try:
        manifest = read_manifest(beside / features.note.manifest)
    except DataError:
        return None, None
    if manifest.sha256 != features.note.manifest_sha256:
        return None, None
    thumbnails = view_thumbnails(manifest, parse_view(features.note.view), features.note.unclear_faces)
    return metadata_baseline(manifest.frame), thumbnails
