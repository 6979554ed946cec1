"""The moving average of weights, number by number, and that the model has it only where it is asked for."""

import numpy as np
import pytest

from train.common.tf import load_tensorflow
from train.fit.weight_average import WeightAverage


def test_it_follows_the_weights_with_a_memory_that_grows_to_its_decay() -> None:
    keras = load_tensorflow().keras
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    random = np.random.default_rng(0)
    expected = [one.astype(np.float64) for one in model.get_weights()]
    average = WeightAverage(model, 0.4, model.weights)
    for step in range(1, 9):
        weights = [random.normal(size=one.shape).astype(np.float32) for one in expected]
        model.set_weights(weights)
        average.update()
        # Below 2/11, 3/12, 4/13 ... until that passes 0.4, at the sixth step.
        decay = min(0.4, (1 + step) / (10 + step))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, weights, strict=True)]
    with average.applied():
        for mine, right in zip(model.get_weights(), expected, strict=True):
            assert mine == pytest.approx(right, abs=1e-5)
    for mine, right in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, right)


def test_a_decay_of_zero_is_no_average() -> None:
    keras = load_tensorflow().keras
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    average = WeightAverage(model, 0.0, model.weights)
    average.update()
    before = model.get_weights()
    with average.applied():
        assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))
