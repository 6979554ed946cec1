"""A run's float Keras state opened as a detector, so that whatever looks at a detector file can look at a run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export.explain.attributions import Gradient, logit_gradient
from export.inference.detector import LoadedDetector
from export.quantize.describe import describe
from export.quantize.states import load_keras_state
from export.runtimes.interface import Output
from export.tflite.convert import GraphParts, compose
from train.backbones.table import BACKBONES
from train.common.tf import load_tensorflow
from train.fit.run_folder import Run, open_run
from train.model import scale_pixels

_BATCH = 64


@dataclass(frozen=True)
class Classifier:
    """A float Keras classifier: the model, its gradient, and `evidence`, which maps one picture's front-end planes,
    uint8 [S, S, C], to what each place adds to the logit, float32 [h, w]: the logit is its mean plus `bias`. A dense
    head adds nothing place by place: None. last_layer: the name of its last feature map; shown: layers to draw."""

    model: Any
    gradient: Gradient
    evidence: Callable[[np.ndarray], np.ndarray | None]
    bias: float
    last_layer: str
    shown: tuple[str, ...]


def open_run_detector(folder: Path) -> tuple[LoadedDetector, Classifier, Run]:
    """Open the float state of a run folder; raises TrainError when it is none or its training is not finished."""
    run = open_run(folder)
    state = load_keras_state(run, "float")
    description = describe(run, state.seen, "float32", state)
    model, parts = state.model, state.parts

    def evidence(planes: np.ndarray) -> np.ndarray | None:
        if parts.hidden:
            return None
        features = parts.backbone(scale_pixels(planes[np.newaxis].astype(np.float32)), training=False)
        return np.asarray(features.numpy()[0] @ parts.head_weights, np.float32)

    shown = BACKBONES[run.recipe.model.backbone].shown
    classifier = Classifier(model, logit_gradient(model), evidence, parts.head_bias, state.cam_layer, shown)
    return LoadedDetector(description, run.view, _runner(parts)), classifier, run


def _runner(parts: GraphParts) -> Callable[[np.ndarray], Output]:
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
