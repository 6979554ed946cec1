"""Cached features: the head learns from what the frozen network gives, once, and ends where it would have."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ela.front_ends import parse_front_end
from train.common.tf import load_tensorflow, seed_everything
from train.fit.batches import rows_of
from train.fit.checkpoints import load_progress
from train.fit.epoch import validate_logits
from train.fit.loop import fit
from train.fit.pipeline import begin, resume
from train.fit.stage_data import StageData, prepare_stage
from train.model import POOLED, build_classifier, choose_trainable, predict_logits
from train.recipe import Recipe, parse_recipe

CACHED = {
    "title": "Cached",
    "data": {"view": "upright|square|resize(96)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none", "dropout": 0.2, "batch_norm_momentum": 0.5},
    "stages": [
        {"name": "head", "epochs": 4, "learning_rate": 1e-2, "train_from": "head", "features": "cached"},
        {"name": "all", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"},
    ],
    "augment": {"flip": 0.5},
    "fit": {"batch_size": 32, "seed": 4},
}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return parse_recipe(CACHED, "cached")


@pytest.fixture
def data(recipe: Recipe, small_manifest: Path, tmp_path: Path) -> StageData:
    store = begin(recipe, small_manifest, tmp_path / "run").store()
    learn, val = rows_of(store, recipe, "train"), rows_of(store, recipe, "val")
    return StageData(recipe, store, parse_front_end("rgb"), learn, val, np.asarray(store.pixels[val.index]))


def _compiled(data: StageData) -> Any:
    tf = load_tensorflow()
    seed_everything(data.recipe.fit.seed)
    model = build_classifier(data.recipe.model, 96)
    # Statistics of batch norm that fit: without them a random network gives the same for every picture.
    for planes, _, _ in data.augmented(9, 0):
        model(planes, training=True)
    choose_trainable(model, "head")
    model.compile(tf.keras.optimizers.Adam(1e-2), tf.keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def test_the_features_are_those_of_the_pictures_augmented_once(data: StageData) -> None:
    tf = load_tensorflow()
    model = _compiled(data)
    training = prepare_stage(model, data, 0)
    planes, labels, weights = (np.concatenate(part) for part in zip(*data.augmented(0, 0), strict=True))
    pooled = tf.keras.Model(model.input, model.get_layer(POOLED).output).predict(planes, verbose=0)
    assert pooled.std(axis=0).max() > 0.01
    orders = []
    for epoch in (0, 1):
        features, of_features, by_weight = (np.concatenate(part) for part in zip(*training.batches(epoch), strict=True))
        order = [int(np.abs(pooled - one).sum(axis=1).argmin()) for one in features]
        assert sorted(order) == list(range(len(planes)))
        assert np.allclose(features, pooled[order], atol=1e-5)
        assert np.array_equal(of_features, labels[order])
        assert np.array_equal(by_weight, weights[order])
        orders.append(order)
    assert orders[0] != orders[1]


def test_the_head_is_the_classifiers_own(data: StageData) -> None:
    model = _compiled(data)
    training = prepare_stage(model, data, 0)
    before = predict_logits(model, data.val_planes)
    for x, y, weight in training.batches(0):
        training.model.train_on_batch(x, y, sample_weight=weight)
    assert not np.array_equal(predict_logits(model, data.val_planes), before)
    # What the stage says of its head is what the whole network does on the validation pictures.
    found = validate_logits(training.evaluate(), data.val)
    assert found == pytest.approx(validate_logits(predict_logits(model, data.val_planes), data.val), rel=1e-5)


def test_a_stage_evaluates_all_epochs_by_one_function(data: StageData, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def counted(model: Any) -> Any:
        made.append(model)
        return lambda planes: np.zeros(len(planes), np.float32)

    monkeypatch.setattr("train.fit.stage_data.predictor", counted)
    stage = prepare_stage("a model", data, 1)
    for _ in range(2):
        assert len(stage.evaluate()) == len(data.val_planes)
    assert made == ["a model"]


class StoppedStage(Exception):
    """Stands for a kill."""


def test_a_cached_stage_that_was_stopped_ends_where_an_unbroken_one_ends(
    recipe: Recipe, small_manifest: Path, tmp_path: Path
) -> None:
    def stop(done: Any) -> None:
        if (done.stage, done.epoch, done.batch) == ("head", 3, 1):
            raise StoppedStage

    whole = begin(recipe, small_manifest, tmp_path / "whole")
    kept = fit(whole, whole.store()).get_weights()
    broken = begin(recipe, small_manifest, tmp_path / "broken")
    with pytest.raises(StoppedStage):
        fit(broken, broken.store(), on_batch=stop)
    again = resume(tmp_path / "broken", recipe)
    weights = fit(again, again.store()).get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(kept, weights, strict=True))
    histories = [load_progress(run.folder / "checkpoints").history for run in (whole, broken)]
    assert histories[0] == histories[1]
    assert [(done.stage, done.epoch) for done in histories[0]] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]


def test_the_frozen_layers_stay_as_they_are(recipe: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    only_head = dataclasses.replace(recipe, stages=recipe.stages[:1])
    seed_everything(recipe.fit.seed)
    untrained = build_classifier(recipe.model, 96)
    run = begin(only_head, small_manifest, tmp_path / "run")
    trained = fit(run, run.store())
    for one, other in zip(untrained.layers[:-1], trained.layers[:-1], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert not np.array_equal(untrained.layers[-1].get_weights()[1], trained.layers[-1].get_weights()[1])
