"""A network that is recovered from a detector file computes what the file computes, and can be trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.artifacts.bundle import read_bundle
from export.release.recover import recover
from export.runtimes.litert import open_detector_file
from export.tflite.recover import recover_classifier
from tests.export.conftest import SIZE, Tiny
from train.common.errors import ExportError
from train.common.own_files import WEIGHTS, foreign_file
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.fit.run_folder import Run
from train.model import build_classifier, predict_logits


@pytest.fixture(scope="module")
def views(trained_run: Run) -> np.ndarray:
    return np.array(trained_run.store().pixels[:64])


def test_the_recovered_network_gives_the_files_logits(bundle_path: Path, views: np.ndarray) -> None:
    bundle, variant = read_bundle(bundle_path), "ptq-int8"
    tflite, description = bundle.variants[variant], bundle.descriptions[variant]
    model, settings = recover_classifier(tflite, description, iter(views), variant)
    run = open_detector_file(tflite, name=variant)
    scores = np.array([run(view[np.newaxis]).scores[0].astype(np.float64) for view in views])
    calibration = description.calibration
    expected = (np.log(scores[:, 1] / scores[:, 0]) - calibration.bias) / calibration.scale
    # Where a score has saturated its logit is lost.
    kept = np.abs(expected) * calibration.scale < 9
    assert kept.sum() > len(views) / 2
    # The head's bias is not in the recovered network, and rounding of activations is not either.
    found = predict_logits(model, views)[kept]
    assert np.corrcoef(found, expected[kept])[0, 1] > 0.97
    assert 0.8 < np.polyfit(found, expected[kept], 1)[0] < 1.25
    assert settings.width == 0.25


def test_training_begins_with_the_recovered_backbone(
    bundle_path: Path, trained_run: Run, views: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "recovered.h5"
    assert recover(bundle_path, trained_run.manifest_path, out, pictures=64, seed=1) == 64
    assert foreign_file({out: WEIGHTS}) is None
    settings = replace(trained_run.recipe.model, weights=str(out))
    begun = build_classifier(settings, trained_run.view.size)
    bundle = read_bundle(bundle_path)
    again, _ = recover_classifier(
        bundle.variants[bundle.default], bundle.descriptions[bundle.default], iter(views), "the bundle"
    )
    first = "conv1"
    np.testing.assert_array_equal(begun.get_layer(first).get_weights()[0], again.get_layer(first).get_weights()[0])


def test_a_network_of_other_layers_is_refused(tiny: Tiny) -> None:
    description = tiny.bundle.descriptions["ptq-int8"]
    with pytest.raises(ExportError, match="5 convolutions where MobileNet V1 has 27"):
        recover_classifier(
            tiny.raw["ptq-int8"],
            replace(description, size=SIZE),
            iter(np.zeros((1, SIZE, SIZE, 3), np.uint8)),
            "tiny.tflite",
        )


def test_a_manifest_without_training_pictures_is_refused(bundle_path: Path, trained_run: Run, tmp_path: Path) -> None:
    manifest = read_manifest(trained_run.manifest_path)
    kept = manifest.frame.filter(manifest.frame["split"] == "test").head(3)
    folder = trained_run.manifest_path.parent
    path = folder / f"{tmp_path.name}-only-test.csv"
    write_manifest(Manifest(kept, folder), path)
    try:
        with pytest.raises(ExportError, match="no picture in its training split"):
            recover(bundle_path, path, tmp_path / "out.h5", pictures=64, seed=1)
    finally:
        path.unlink()
    assert not (tmp_path / "out.h5").exists()


def test_a_float_detector_is_refused(bundle_path: Path, views: np.ndarray) -> None:
    bundle = read_bundle(bundle_path)
    with pytest.raises(ExportError, match="has no int8 convolution"):
        recover_classifier(bundle.variants["float32"], bundle.descriptions["float32"], iter(views), "a.tflite")
