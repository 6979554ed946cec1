"""Every backbone that a recipe accepts trains one epoch on 40 pictures, from random weights, at its smallest size.

All layers learn. To trace graphs of a thousand layers takes far longer than to run them twice, so most take their steps
without a graph, and of these the file of weights is compared with the model. One of each way in which `train.backbones`
builds trains as users train it, is scored and read back.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ela.front_ends import parse_front_end
from train.backbones.table import BACKBONES
from train.common.tf import load_tensorflow
from train.evaluate.scores import read_scores
from train.fit.checkpoints import load_progress
from train.fit.loop import fit, load_model
from train.fit.pipeline import begin, train_and_score
from train.fit.run_folder import Run, open_run, read_state, scores_path, weights_path
from train.fit.scoring import keras_scorer, score_rows, scored_rows
from train.model import HEAD, build_classifier
from train.recipe import Recipe, parse_recipe

pytestmark = pytest.mark.slow

READ_BACK = ("mobilenet-v1", "mobilenet-v2", "alexnet-like")
"""Keras's model as it is, one that is laid out anew, and one with a dense head."""


def recipe_of(name: str) -> Recipe:
    kind = BACKBONES[name]
    return parse_recipe(
        {
            "title": name,
            "data": {"view": f"upright|square|resize({kind.smallest})", "generators": ["*"]},
            "model": {"backbone": name, "width": kind.widths[0], "weights": "none"},
            "stages": [{"name": "all", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
            # Without a state of its own, which a checkpoint would write beside tens of millions of weights.
            "fit": {"batch_size": 20, "optimizer": "sgd", "momentum": 0.0, "seed": 1},
        },
        name,
    )


@pytest.fixture(scope="module")
def manifest(noise: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures to train on, 8 to validate and 8 to test."""
    return noise(tmp_path_factory.mktemp("pictures"), ("train",) * 20 + ("val",) * 4 + ("test",) * 4, generators=2)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is gone after the test: the weights of all backbones are gigabytes."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)
    tf = load_tensorflow()
    tf.config.run_functions_eagerly(False)
    tf.keras.backend.clear_session()


@pytest.mark.parametrize("name", BACKBONES)
def test_one_epoch_from_random_weights(
    name: str, manifest: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "facenet":
        pytest.importorskip("keras_facenet", reason="the extra facenet is not installed")
    begun: dict[str, np.ndarray] = {}

    def build(*arguments: Any, **options: Any) -> Any:
        model = build_classifier(*arguments, **options)
        begun.update({layer.name: layer.get_weights()[0] for layer in model.layers if layer.trainable_weights})
        return model

    monkeypatch.setattr("train.fit.loop.build_classifier", build)
    run = begin(recipe_of(name), manifest, folder / "run")
    load_tensorflow().config.run_functions_eagerly(name not in READ_BACK)
    if name in READ_BACK:
        train_and_score(run)
        model = load_model(open_run(run.folder))
        assert_scores_are_of(model, run)
    else:
        model = fit(run, run.store())
        assert_file_is_of(model, run)
    (epoch,) = load_progress(run.folder / "checkpoints").history
    assert math.isfinite(epoch.train_loss) and math.isfinite(epoch.val_loss)
    # From the first layer to the head; of batch norm's scale not all need to move, and none is looked at.
    learned = {layer.name: layer.get_weights()[0] for layer in model.layers if layer.trainable_weights}
    assert begun.keys() == learned.keys() >= {BACKBONES[name].first, HEAD}
    moved = {one for one in learned if not np.array_equal(learned[one], begun[one])}
    assert {BACKBONES[name].first, HEAD} <= moved
    assert len(moved) > 0.9 * len(learned)


def assert_scores_are_of(model: Any, run: Run) -> None:
    """The scores that the run has written are those of the weights that it has written."""
    store = run.store()
    scorer = keras_scorer(model, parse_front_end("rgb"))
    expected = score_rows(store, scored_rows(store, run), scorer, read_state(run, "float").calibration)
    found = read_scores(scores_path(run, "float"))
    assert found["path"].to_list() == expected["path"].to_list()
    assert len(found) == 16
    np.testing.assert_allclose(found["log_odds"], expected["log_odds"], rtol=1e-4, atol=1e-5)


def assert_file_is_of(model: Any, run: Run) -> None:
    import h5py

    with h5py.File(weights_path(run, "float")) as file:
        for layer in model.layers:
            for weight in layer.weights:
                assert np.array_equal(file[layer.name][weight.name], weight.numpy())
