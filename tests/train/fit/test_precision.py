"""Mixed precision: layers compute in bfloat16 while they learn, and what comes of it is a float32 run as any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.common.tf import layers_in, load_tensorflow
from train.fit import loop
from train.fit.checkpoints import load_progress
from train.fit.epoch import validate_logits
from train.fit.pipeline import begin
from train.fit.run_folder import open_run, weights_path
from train.fit.stage_data import gather_stage_data
from train.model import build_classifier, predict_logits
from train.recipe import parse_recipe

RECIPE: dict[str, Any] = {
    "title": "Mixed",
    "data": {"view": "upright|square|resize(32)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none", "batch_norm_momentum": 0.9},
    "stages": [
        {"name": "head", "epochs": 1, "learning_rate": 0.01, "train_from": "head", "features": "cached"},
        {"name": "all", "epochs": 3, "learning_rate": 0.003, "train_from": "all"},
    ],
    "fit": {"batch_size": 32, "precision": "mixed", "seed": 2},
}


class Interrupted(Exception):
    pass


def test_a_mixed_run_resumes_to_the_same_weights_and_ships_float32(
    small_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def build(*arguments: Any, **options: Any) -> Any:
        built.append(build_classifier(*arguments, **options))
        return built[-1]

    monkeypatch.setattr(loop, "build_classifier", build)
    recipe = parse_recipe(RECIPE, "mixed")
    whole = begin(recipe, small_manifest, tmp_path / "whole")
    model = loop.fit(whole, whole.store())
    learned, shipped = built
    assert shipped is model
    kinds = {layer.name: layer.compute_dtype for layer in learned.layers}
    assert kinds["conv1"] == kinds["conv_pw_13"] == "bfloat16"
    assert kinds["logit"] == "float32"
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert {weight.dtype for one in (learned, model) for weight in one.get_weights()} == {np.dtype("float32")}

    broken = begin(recipe, small_manifest, tmp_path / "broken")

    def stop(done: Any) -> None:
        if (done.stage, done.epoch, done.batch) == ("all", 2, 2):
            raise Interrupted

    with pytest.raises(Interrupted):
        loop.fit(broken, broken.store(), on_batch=stop)
    assert not weights_path(broken, "float").exists()
    again = loop.fit(broken, broken.store())
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))

    # What was validated in bfloat16 is nearly, and not to the bit, what float32 says of the kept weights.
    progress = load_progress(whole.folder / "checkpoints")
    data = gather_stage_data(open_run(whole.folder), whole.store())
    loss, _ = validate_logits(predict_logits(model, data.val_planes), data.val)
    kept = progress.history[progress.kept]
    assert loss == pytest.approx(kept.val_loss, abs=0.05)
    assert loss != kept.val_loss


def test_the_policy_ends_with_its_block() -> None:
    tf = load_tensorflow()
    settings = parse_recipe(RECIPE, "mixed").model
    with pytest.raises(Interrupted), layers_in("mixed_bfloat16"):
        assert build_classifier(settings, 32).get_layer("conv1").compute_dtype == "bfloat16"
        raise Interrupted
    assert tf.keras.mixed_precision.global_policy().name == "float32"
    assert build_classifier(settings, 32).get_layer("conv1").compute_dtype == "float32"
