"""Learning rates are those of Keras's own schedules, whatever the recipe; a plateau is worked out from the history."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.common.tf import load_tensorflow
from train.fit.schedules import learning_rate, reduction
from train.recipe_training import Stage


def _stage(**settings: Any) -> Stage:
    plain: dict[str, Any] = {"name": "all", "epochs": 10, "learning_rate": 0.02, "train_from": "all"}
    return Stage(**(plain | settings))


@settings(max_examples=25)
@given(steps=st.integers(4, 400), rising=st.integers(0, 100), data=st.data())
def test_cosine_with_warm_up_is_keras_s(steps: int, rising: int, data: st.DataObject) -> None:
    rising = min(rising, steps - 2)
    step = data.draw(st.integers(0, steps - 1))
    stage = _stage(schedule="cosine", warm_up=rising / steps)
    keras = load_tensorflow().keras.optimizers.schedules.CosineDecay(
        0.0 if rising else 0.02,
        decay_steps=steps - rising,
        warmup_target=0.02 if rising else None,
        # Ours takes its first step above 0 already, so Keras's is one step behind while the rate rises.
        warmup_steps=rising + 1 if rising else 0,
    )
    expected = float(keras(step + 1 if rising else step))
    assert learning_rate(stage, step, steps) == pytest.approx(expected, rel=2e-5, abs=1e-8)


@settings(max_examples=40)
@given(
    losses=st.lists(st.sampled_from([0.1, 0.2, 0.20005, 0.3, 0.5, 0.7]), max_size=14),
    factor=st.sampled_from([0.1, 0.5, 0.9]),
    patience=st.integers(1, 4),
)
def test_a_plateau_is_keras_s(losses: list[float], factor: float, patience: int) -> None:
    tf = load_tensorflow()
    stage = _stage(schedule="plateau", plateau_factor=factor, plateau_patience=patience)
    callback = tf.keras.callbacks.ReduceLROnPlateau(factor=factor, patience=patience)

    class Optimizer:
        lr = tf.Variable(0.02, dtype=tf.float64)

    class Model:
        optimizer = Optimizer()

    callback.set_model(Model())
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        assert learning_rate(stage, epoch, 1000, losses[:epoch]) == pytest.approx(float(Optimizer.lr.numpy()))
        callback.on_epoch_end(epoch, {"val_loss": loss})
    assert 0.02 * reduction(stage, losses) == pytest.approx(float(Optimizer.lr.numpy()))


def test_a_plateau_begins_with_the_warm_up_and_constant_stays() -> None:
    stalled = [0.5, 0.5, 0.5]
    stage = _stage(schedule="plateau", plateau_factor=0.5, warm_up=0.1)
    assert learning_rate(stage, 0, 100) == pytest.approx(0.02 / 11)
    assert learning_rate(stage, 50, 100) == 0.02
    assert learning_rate(stage, 50, 100, stalled) == 0.01
    assert all(learning_rate(_stage(), step, 100, stalled) == 0.02 for step in (0, 50, 99))
    assert math.isclose(learning_rate(_stage(schedule="cosine"), 50, 100, stalled), 0.01)
