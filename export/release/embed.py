"""Features of a manifest's pictures: by a backbone, a run's float state, or a detector file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np

from ela.front_ends import parse_front_end
from export.artifacts.metadata import read_description
from export.artifacts.trial import admit
from export.inference.detector import read_detector
from export.tflite.intermediates import read_intermediates
from train.backbones.spec import BuildSpec
from train.backbones.table import BACKBONES
from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.common.tf import load_tensorflow
from train.data.manifest import read_manifest
from train.data.store import pack_beside
from train.features.table import LABELS, FeatureNote, FeatureTable
from train.fit.loop import load_model
from train.fit.run_folder import open_run, read_state
from train.image.view import Unclear, View, parse_view
from train.model import HEAD, build_classifier, scale_pixels
from train.recipe import Model

_CHUNK = 128

Embed = Callable[[np.ndarray], np.ndarray]
"""Views uint8 [N, S, S, 3] to features float32 [N, D]."""


def embed(
    model: str,
    manifest_path: Path,
    out: Path,
    *,
    weights: str | None = None,
    view: str | None = None,
    unclear: Unclear | None = None,
    front_end: str | None = None,
    on_progress: ProgressCallback | None = None,
) -> FeatureTable:
    """The features of every picture of a manifest that the view can take.

    model: a backbone's name, a run folder, a .tflite or a bundle. The features are what the last linear layer takes:
    of a linear head the mean of the last feature map; of `facenet` its own embedding of length 1. weights and front_end
    (as in recipes), view and unclear are for backbones, whose view is the upright square at the side that their weights
    were trained at where none is given. Into planes beyond the first three published weights do not look. out: where
    the features will be written, from where the note counts its path. Raises TrainError for a model that is none of
    these, and for options that do not go with it.
    """
    options = {"weights": weights, "view": view, "unclear": unclear, "front-end": front_end}
    given = [f"--{name}" for name, value in options.items() if value]
    # Before the network, which takes seconds to build.
    manifest = read_manifest(manifest_path)
    if model in BACKBONES and not Path(model).exists():
        network, run, looked, policy = _backbone(model, weights, view, unclear, front_end)
    elif given:
        raise TrainError(f"{given[0]} is for backbones given by name; {model} has its own.")
    elif not Path(model).exists():
        raise TrainError(
            f"{model!r} is neither a file nor a backbone: name a run folder, a detector or one of "
            f"{', '.join(BACKBONES)}."
        )
    else:
        network, run, looked, policy = (_run if Path(model).is_dir() else _detector)(Path(model))
    store = pack_beside(manifest, manifest_path, looked, unclear=policy)
    parts = []
    for start in range(0, len(store.pixels), _CHUNK):
        parts.append(run(store.pixels[start : start + _CHUNK]).astype(np.float32))
        if on_progress is not None:
            on_progress(min(start + _CHUNK, len(store.pixels)), len(store.pixels))
    where = Path(os.path.relpath(manifest_path.resolve(), out.resolve().parent)).as_posix()
    note = FeatureNote(network, looked.text, policy, manifest.sha256, where)
    return FeatureTable(store.manifest.frame.select(LABELS), np.concatenate(parts), note)


def _backbone(
    name: str, weights: str | None, view: str | None, unclear: Unclear | None, front_end: str | None
) -> tuple[str, Embed, View, Unclear]:
    kind = BACKBONES[name]
    settings = Model(backbone=kind.name, weights=weights or kind.weights or "none", front_end=front_end or "rgb")
    parsed = parse_front_end(settings.front_end)
    looked = parse_view(view or f"upright|square|resize({kind.published_size})")
    policy = unclear or "drop"
    if policy not in get_args(Unclear):
        raise TrainError(f"--unclear {policy} is unknown: choose one of {', '.join(get_args(Unclear))}.")
    parsed.check_size(looked.size)
    if kind.whole is None:
        run = _by_classifier(build_classifier(settings, looked.size), settings.front_end)
    elif front_end is not None:
        raise TrainError(f"--front-end does not go with {name}, whose embedding is that of a picture: leave it out.")
    else:
        published = None if settings.weights == "none" else settings.weights
        run = _by_keras(kind.whole(BuildSpec(1.0, looked.size, weights=published)), "rgb")
    seen = "" if front_end is None else f" behind {front_end}"
    return f"{kind.name} ({settings.weights}){seen}", run, looked, policy


def _run(folder: Path) -> tuple[str, Embed, View, Unclear]:
    run = open_run(folder)
    read_state(run, "float")
    embed_views = _by_classifier(load_model(run), run.recipe.model.front_end)
    return (
        f"{run.recipe.model.backbone} of {folder.resolve().name}",
        embed_views,
        run.view,
        run.recipe.data.unclear_faces,
    )


def _detector(path: Path) -> tuple[str, Embed, View, Unclear]:
    tflite = read_detector(path)
    description = read_description(tflite, str(path))
    admit(tflite, str(path))

    def run(views: np.ndarray) -> np.ndarray:
        features = read_intermediates(tflite, views, ["features"], str(path))["features"]
        return np.asarray(features.mean(axis=(1, 2)))

    return f"{description.variant} of {path.name}", run, parse_view(description.view), description.unclear_faces


def _by_classifier(classifier: object, front_end: str) -> Embed:
    tf = load_tensorflow()
    inner = tf.keras.Model(classifier.input, classifier.get_layer(HEAD).input)  # type: ignore[attr-defined]
    return _by_keras(inner, front_end)


def _by_keras(model: object, front_end: str) -> Embed:
    tf = load_tensorflow()
    planes_of = parse_front_end(front_end).planes
    call = tf.function(lambda planes: model(planes, training=False), reduce_retracing=True)  # type: ignore[operator]

    def run(views: np.ndarray) -> np.ndarray:
        return np.asarray(call(tf.constant(scale_pixels(planes_of(views).astype(np.float32)))).numpy())

    return run
