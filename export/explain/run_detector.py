"""A run's float Keras state opened as a detector, so that whatever looks at a detector file can look at a run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ela.front_ends import parse_front_end
from export.convert import Parts, compose
from export.description import CalibrationNote, Description
from export.detector import Detector
from export.explain.attributions import Gradient, logit_gradient
from export.runtimes.interface import Output
from train.evaluate.scores import read_scores
from train.fit import load_model
from train.model import backbone_of, head_of, scale_pixels
from train.run import Run, open_run, read_state, scores_path
from train.tf import load_tensorflow

_BATCH = 64


@dataclass(frozen=True)
class Classifier:
    """A float Keras classifier: the model, its gradient, and `evidence`, which maps one picture's front-end planes,
    uint8 [S, S, C], to what each place adds to the logit, float32 [h, w]: the logit is its mean plus `bias`."""

    model: Any
    gradient: Gradient
    evidence: Callable[[np.ndarray], np.ndarray]
    bias: float


def open_run_detector(folder: Path) -> tuple[Detector, Classifier, Run]:
    """Open the float state of a run folder; raises TrainError when it is none or its training is not finished."""
    run = open_run(folder)
    state = read_state(run, "float")
    seen = read_scores(scores_path(run, "float")).filter(pl.col("seen"))
    model = load_model(run)
    backbone = backbone_of(model)
    weights, bias = head_of(model)
    front_end = parse_front_end(run.recipe.model.front_end)
    parts = Parts(front_end, backbone, weights, bias, state.calibration, run.view.size)
    _, height, width, _ = backbone.output_shape
    points = state.points
    description = Description(
        name=run.recipe.title,
        variant="float32",
        view=run.view.text,
        unclear_faces=run.recipe.data.unclear_faces,
        front_end=front_end.text,
        size=run.view.size,
        heatmap=(height, width),
        operating_points={"balanced": points.balanced, "fpr-1%": points.fpr_1, "fpr-0.5%": points.fpr_05},
        unsure=points.unsure,
        calibration=CalibrationNote(state.calibration.scale, state.calibration.bias),
        generators_seen=tuple(sorted(set(seen["generator"]))),
        sources_seen=tuple(sorted(set(seen["source"]))),
        training_sha256=run.manifest_sha256,
        created_by={},
        licences=run.recipe.data.licences,
    )

    def evidence(planes: np.ndarray) -> np.ndarray:
        features = backbone(scale_pixels(planes[np.newaxis].astype(np.float32)), training=False)
        return np.asarray(features.numpy()[0] @ weights, np.float32)

    classifier = Classifier(model, logit_gradient(model), evidence, bias)
    return Detector(description, run.view, _runner(parts)), classifier, run


def _runner(parts: Parts) -> Callable[[np.ndarray], Output]:
    """The graph of a detector file, run by TensorFlow: uint8 [N, S, S, 3] to Output."""
    tf = load_tensorflow()
    graph = tf.function(compose(parts), reduce_retracing=True, autograph=False)

    def run(views: np.ndarray) -> Output:
        found = [graph(tf.constant(views[first : first + _BATCH])) for first in range(0, len(views), _BATCH)]
        return Output(
            np.concatenate([one["scores"].numpy() for one in found]),
            np.concatenate([one["heatmap"].numpy() for one in found]),
        )

    return run
