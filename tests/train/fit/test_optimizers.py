"""Optimizers take the steps of their papers; weight decay leaves biases and batch norm alone."""

from typing import Any

import numpy as np
import pytest

from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.fit.optimizers import make_optimizer
from train.recipe import parse_recipe
from train.recipe_training import Fit

RATE, BEGIN = 0.1, np.array([1.0, -2.0, 0.5])
GRADIENTS = (np.array([0.5, 1.0, -1.0]), np.array([0.25, -1.0, 2.0]), np.array([1.0, 0.0, 0.5]))


def _steps(settings: Fit, name: str = "kernel") -> np.ndarray:
    tf = load_tensorflow()
    weight = tf.Variable(BEGIN, dtype=tf.float32, name=name)
    optimizer = make_optimizer(settings, RATE)
    optimizer.build([weight])
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), weight)])
    return np.asarray(weight.numpy())


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.02])
def test_sgd_with_momentum(nesterov: bool, decay: float) -> None:
    # Sutskever et al., ICML 2013, section 2, and decoupled decay (Loshchilov and Hutter 2019, algorithm 1).
    weight, velocity = BEGIN.copy(), np.zeros(3)
    for gradient in GRADIENTS:
        weight = weight - RATE * decay * weight
        velocity = 0.9 * velocity - RATE * gradient
        weight = weight + (0.9 * velocity - RATE * gradient if nesterov else velocity)
    settings = Fit(optimizer="sgd", momentum=0.9, nesterov=nesterov, weight_decay=decay)
    assert _steps(settings) == pytest.approx(weight, rel=1e-5)


@pytest.mark.parametrize(("optimizer", "decay"), [("adam", 0.0), ("adam", 0.02), ("adamw", 0.02)])
def test_adam(optimizer: Any, decay: float) -> None:
    # Kingma and Ba 2015, algorithm 1, with Keras's epsilon inside the corrected step.
    weight, first, second = BEGIN.copy(), np.zeros(3), np.zeros(3)
    for step, gradient in enumerate(GRADIENTS, 1):
        weight = weight - RATE * decay * weight
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weight = weight - rate * first / (np.sqrt(second) + 1e-7)
    assert _steps(Fit(optimizer=optimizer, weight_decay=decay)) == pytest.approx(weight, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("name", ["bias", "gamma", "beta"])
def test_weight_decay_leaves_batch_norm_and_biases_alone(optimizer: Any, name: str) -> None:
    decayed, plain = Fit(optimizer=optimizer, weight_decay=0.5), Fit(optimizer="sgd" if optimizer == "sgd" else "adam")
    assert _steps(decayed, name) == pytest.approx(_steps(plain))
    assert _steps(decayed) != pytest.approx(_steps(plain))


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        ({"optimizer": "adamw"}, "set fit.weight_decay"),
        ({"nesterov": True}, "needs fit.optimizer = 'sgd'"),
        ({"optimizer": "rmsprop"}, "fit.optimizer"),
    ],
)
def test_what_contradicts_itself_is_refused(fit: dict[str, Any], said: str) -> None:
    stage = {"name": "all", "epochs": 1, "learning_rate": 0.1, "train_from": "all"}
    data = {"view": "upright|square|resize(32)", "generators": ["*"]}
    with pytest.raises(TrainError, match=said):
        parse_recipe({"title": "x", "data": data, "model": {}, "stages": [stage], "fit": fit}, "recipe")
