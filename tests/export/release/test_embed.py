"""Embeddings: those of a backbone against Keras's own predict, those of a detector against its Keras state."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from ela.front_ends import parse_front_end
from export.release.embed import embed
from fauxlens import app
from train.common.errors import ElaError, TrainError
from train.common.tf import load_tensorflow
from train.data.manifest import SCHEMA, Manifest, read_manifest, write_manifest
from train.features.table import read_features
from train.image.decode import decode
from train.image.view import apply_view, parse_view
from train.model import backbone_of, scale_pixels

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

VIEW = "upright|square|resize(32)"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("few")
    random = np.random.default_rng(4)
    rows = []
    for index in range(6):
        path = folder / f"{index}.png"
        Image.fromarray(random.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(path)
        fake = index % 2 == 1
        rows.append(
            dict.fromkeys(SCHEMA)
            | {
                "path": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "phash": f"{index:016x}",
                "width": 48,
                "height": 40,
                "format": "PNG",
                "bytes": path.stat().st_size,
                "label": "fake" if fake else "real",
                "generator": "noise" if fake else "camera",
                "family": "unknown" if fake else "camera",
                "source": "few",
                "group": str(index),
                "split": "train",
            }
        )
    write_manifest(Manifest(pl.DataFrame(rows, schema=SCHEMA), folder), folder / "manifest.csv")
    return folder / "manifest.csv"


def seen(manifest: Path) -> np.ndarray:
    view = parse_view(VIEW)
    return np.stack([apply_view(view, decode(manifest.parent / f"{index}.png")) for index in range(6)])


@pytest.mark.slow
def test_a_backbones_features_are_keras_pooled_output(manifest: Path, tmp_path: Path) -> None:
    tf = load_tensorflow()
    options = {"alpha": 1.0, "include_top": False, "weights": None, "input_shape": (32, 32, 3)}
    keras = tf.keras.applications.MobileNetV2(pooling="avg", **options)
    planes = scale_pixels(seen(manifest).astype(np.float32))
    for layer in keras.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    keras(planes, training=True)  # Statistics of batch norm with which features depend on pictures.
    keras.save_weights(str(tmp_path / "v2.h5"))
    out = tmp_path / "deep" / "features.npz"
    words = ["embed", "mobilenet-v2", str(manifest), "--out", str(out), "--weights", str(tmp_path / "v2.h5")]
    done = CliRunner().invoke(app, [*words, "--view", VIEW])
    assert done.exit_code == 0, done.output
    found = read_features(out)
    expected = keras.predict(planes, verbose=0)
    np.testing.assert_allclose(found.values, expected, rtol=1e-3, atol=1e-3 * expected.max())
    assert np.abs(expected[0] - expected[1]).max() > 0.1 * expected.max()
    assert found.rows["path"].to_list() == [f"{index}.png" for index in range(6)]
    assert (out.parent / found.note.manifest).resolve() == manifest.resolve()


def test_a_backbone_sees_what_the_front_end_makes_of_a_picture(manifest: Path, tmp_path: Path) -> None:
    """The features behind error levels are those that a network without one makes of the error levels themselves."""
    planes = parse_front_end("ela").planes(seen(manifest))
    assert planes.shape == (6, 32, 32, 3)
    for index in range(6):
        Image.fromarray(planes[index]).save(tmp_path / f"{index}.png")
    rows = read_manifest(manifest).frame.with_columns(
        sha256=pl.Series(hashlib.sha256((tmp_path / f"{index}.png").read_bytes()).hexdigest() for index in range(6)),
        width=pl.lit(32, pl.Int64),
        height=pl.lit(32, pl.Int64),
    )
    write_manifest(Manifest(rows, tmp_path), tmp_path / "levels.csv")
    weights = tmp_path / "v1.h5"
    tf = load_tensorflow()
    options = {"include_top": False, "weights": None, "input_shape": (32, 32, 3)}
    tf.keras.applications.MobileNet(**options).save_weights(str(weights))
    words: dict[str, Any] = {"weights": str(weights), "view": VIEW}
    found = embed("mobilenet-v1", manifest, tmp_path / "f.npz", front_end="ela", **words)
    expected = embed("mobilenet-v1", tmp_path / "levels.csv", tmp_path / "f.npz", **words)
    np.testing.assert_array_equal(found.values, expected.values)
    assert np.ptp(found.values, axis=0).max() > 0
    assert found.note.network == f"mobilenet-v1 ({weights}) behind ela"
    with pytest.raises(TrainError, match="--front-end does not go with facenet"):
        embed("facenet", manifest, tmp_path / "f.npz", front_end="ela", view="square|resize(96)")
    with pytest.raises(ElaError, match="Front end 'sobel' is not known"):
        embed("mobilenet-v1", manifest, tmp_path / "f.npz", front_end="sobel", **words)


def test_a_detectors_features_are_those_of_its_keras_state(tiny: Tiny, manifest: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny.sealed["float32"])
    found = embed(str(path), manifest, tmp_path / "f.npz")
    backbone = backbone_of(tiny.states["float"].model)
    expected = backbone(scale_pixels(seen(manifest).astype(np.float32))).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert found.note.view == VIEW
    with pytest.raises(TrainError, match=r"--weights is for backbones given by name; .*tiny\.tflite has its own"):
        embed(str(path), manifest, tmp_path / "f.npz", weights="none")


def test_what_is_no_model_is_told_with_the_backbones(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"'lenet' is neither a file nor a backbone: .*mobilenet-v1, .*facenet"):
        embed("lenet", manifest, tmp_path / "f.npz")
    done = CliRunner().invoke(app, ["embed", "mobilenet-v1", str(manifest), "--out", str(tmp_path / "f.csv")])
    assert done.exit_code == 2
    assert "must end in .parquet or .npz, the type that --out writes" in " ".join(done.output.split())
