"""What there is to explain: pictures and their manifest, a small classifier, and runs that nobody trained.

The runs are whole run folders of random weights: what is tested on them must hold for any weights.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from train.backbones.table import BACKBONES
from train.data.manifest import SCHEMA, Manifest, write_manifest
from train.fit.run_folder import Run

LAST_FEATURES = BACKBONES["mobilenet-v1"].features


@dataclass(frozen=True)
class Drawn:
    """A manifest of 16 drawn pictures of 80 x 72 pixels: reals of two sources, fakes of a seen and an unseen kind."""

    manifest: Path
    pictures: tuple[Path, ...]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(4)
    rows = []
    for index in range(16):
        pixels = rng.uniform(60, 190, 3) + rng.normal(0, 12, (72, 80, 3))
        checks = (np.indices((72, 80)) // 4).sum(0) % 2 * 2 - 1
        fake = index % 2 == 1
        pixels += fake * checks[..., None] * rng.uniform(5, 60)
        path = folder / f"{index:02}.png"
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
        known = index < 10
        rows.append(
            {
                "path": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "phash": f"{index:016x}",
                "width": 80,
                "height": 72,
                "format": "PNG",
                "jpeg_quality": None,
                "bytes": path.stat().st_size,
                "label": "fake" if fake else "real",
                "generator": ("checker" if known else "other") if fake else "camera",
                "family": "unknown" if fake else "camera",
                "source": "drawn" if known else "elsewhere",
                "group": f"g{index}",
                "split": ("train", "val", "test")[index // 2 % 3],
                "faces": None,
                "eye_x": None,
                "eye_y": None,
                "eye_distance": None,
            }
        )
    frame = pl.DataFrame(rows, schema={name: kind() for name, kind in SCHEMA.items()})
    write_manifest(Manifest(frame, folder), folder / "manifest.csv")
    return Drawn(folder / "manifest.csv", tuple(folder / f"{index:02}.png" for index in range(16)))


MakeRun = Callable[[str], Run]


@pytest.fixture(scope="session")
def make_run(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Makes the finished run of a front end, once each: MobileNet of width 0.25 at 64 pixels, with random weights."""
    made: dict[str, Run] = {}

    def make(front_end: str) -> Run:
        if front_end not in made:
            made[front_end] = _finished_run(front_end, drawn, tmp_path_factory.mktemp("runs") / "bare")
        return made[front_end]

    return make


def _finished_run(front_end: str, drawn: Drawn, folder: Path) -> Run:
    from train.common.tf import load_tensorflow
    from train.data.manifest import read_manifest
    from train.evaluate.calibration import Calibration, OperatingPoints
    from train.evaluate.scores import write_scores
    from train.fit.loop import save_weights
    from train.fit.run_folder import State, scores_path, start_run, weights_path, write_state
    from train.model import HEAD, build_classifier
    from train.recipe import parse_recipe

    recipe = parse_recipe(
        {
            "title": "Nobody trained this",
            "data": {"view": "upright|square|resize(64)", "generators": ["camera", "checker"], "licences": ["Drawn."]},
            "model": {"width": 0.25, "weights": "none", "front_end": front_end},
            "stages": [{"name": "none", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
            "fit": {"batch_size": 8, "patience": 1, "seed": 1},
        },
        "tests",
    )
    manifest = read_manifest(drawn.manifest)
    run = start_run(folder, recipe, drawn.manifest, manifest)
    load_tensorflow().keras.utils.set_random_seed(11)
    model = build_classifier(recipe.model, 64)
    kernel, bias = model.get_layer(HEAD).get_weights()
    # Large enough that some places speak for fake and others against it.
    model.get_layer(HEAD).set_weights([kernel * 20, bias + 0.25])
    save_weights(model, weights_path(run, "float"), recipe.model)
    scores = manifest.frame.select("path", "label", "generator", "family", "source", "split").with_columns(
        seen=pl.col("source") == "drawn", logit=pl.lit(0.0), probability=pl.lit(0.5)
    )
    write_scores(scores, scores_path(run, "float"))
    write_state(run, State("float", Calibration(0.9, 0.05), OperatingPoints(0.6, 0.8, 0.9, 0.4)))
    return run


@dataclass(frozen=True)
class Headed:
    """A small classifier with the head that all detectors have, and some planes uint8 [3, 24, 24, 3] for it."""

    model: Any
    planes: np.ndarray


@pytest.fixture(scope="session")
def headed() -> Headed:
    """Weights of the head of both signs, so that places speak for fake and against it."""
    return Headed(make_headed(np.random.default_rng(1).normal(0, 1, 6)), _planes())


@pytest.fixture(scope="session")
def silent() -> Headed:
    """A head without a positive weight: nothing can ever speak for fake."""
    return Headed(make_headed(-np.abs(np.random.default_rng(1).normal(0, 1, 6))), _planes())


def _planes() -> np.ndarray:
    rng = np.random.default_rng(2)
    # Large patches as well as noise, so that channels respond here and not there.
    patches = rng.uniform(0, 255, (3, 3, 3, 3)).repeat(8, 1).repeat(8, 2)
    return np.clip(patches + rng.normal(0, 20, (3, 24, 24, 3)), 0, 255).astype(np.uint8)


def make_headed(head: np.ndarray) -> Any:
    from train.common.tf import load_tensorflow
    from train.model import HEAD

    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(5)
    layers = tf.keras.layers
    image = layers.Input((24, 24, 3))
    x = layers.Conv2D(5, 3, 2, "same", use_bias=False)(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.Conv2D(6, 3, 2, "same", use_bias=False)(x)
    x = layers.ReLU(6.0, name=LAST_FEATURES)(layers.BatchNormalization()(x))
    logit = layers.Dense(1, name=HEAD)(layers.GlobalAveragePooling2D()(x))
    model = tf.keras.Model(image, logit)
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.set_weights([4 * layer.get_weights()[0]])
    model.get_layer(HEAD).set_weights([head.reshape(6, 1).astype(np.float32), np.array([0.3], np.float32)])
    return model
