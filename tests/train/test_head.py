"""A head of two logits learns what Keras's softmax layer learns, and ships as one logit of the same value."""

import numpy as np
import pytest

from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.head import HEAD, two_logits
from train.model import build_classifier, with_one_logit
from train.recipe import Model, parse_recipe


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_two_logits_learn_as_keras_s_softmax(smoothing: float) -> None:
    tf = load_tensorflow()
    keras = tf.keras
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 7)).astype(np.float32)
    is_fake = (x[:, 0] + 0.3 * random.normal(size=64) > 0).astype(np.float32)
    weights = random.uniform(0.5, 2, 64).astype(np.float32)

    ours = keras.Sequential([keras.Input((7,)), two_logits()])
    theirs = keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)])
    theirs.set_weights(ours.get_weights())
    losses = keras.losses
    ours.compile(keras.optimizers.SGD(0.5, 0.9), losses.BinaryCrossentropy(True, label_smoothing=smoothing))
    theirs.compile(keras.optimizers.SGD(0.5, 0.9), losses.CategoricalCrossentropy(True, label_smoothing=smoothing))
    for _ in range(5):
        one = ours.train_on_batch(x, is_fake[:, None], sample_weight=weights)
        two = theirs.train_on_batch(x, np.stack([1 - is_fake, is_fake], 1), sample_weight=weights)
        assert one == pytest.approx(two, rel=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine == pytest.approx(other, rel=1e-4, abs=1e-6)
    probability = tf.nn.softmax(theirs(x)).numpy()[:, 1]
    assert tf.sigmoid(ours(x)).numpy()[:, 0] == pytest.approx(probability, abs=1e-6)


def test_what_ships_has_one_logit_of_the_same_value() -> None:
    settings = Model(width=0.25, weights="none", output="softmax")
    learned = build_classifier(settings, 32, learning=True)
    shipped = with_one_logit(learned, settings, 32)
    assert learned.get_layer(HEAD).get_weights()[0].shape == (256, 2)
    assert shipped.get_layer(HEAD).get_weights()[0].shape == (256, 1)
    planes = np.random.default_rng(1).normal(size=(5, 32, 32, 3)).astype(np.float32)
    assert np.array_equal(learned(planes, training=False), shipped(planes, training=False))
    plain = Model(width=0.25, weights="none")
    classifier = build_classifier(plain, 32, learning=True)
    assert with_one_logit(classifier, plain, 32) is classifier


def test_a_bounded_head_has_one_logit() -> None:
    stage = {"name": "all", "epochs": 1, "learning_rate": 0.1, "train_from": "all"}
    data = {"view": "upright|square|resize(32)", "generators": ["*"]}
    model = {"head": "non-negative", "output": "softmax"}
    with pytest.raises(TrainError, match="works with output = 'sigmoid' only"):
        parse_recipe({"title": "x", "data": data, "model": model, "stages": [stage]}, "recipe")


def test_a_non_negative_head_learns_at_or_above_zero() -> None:
    """It begins there, and a step that would lead below ends at exactly 0."""
    keras = load_tensorflow().keras
    network = build_classifier(Model(width=0.25, weights="none", dropout=0.0, head="non-negative"), 32)
    head = network.get_layer(HEAD)
    kernel, bias = head.get_weights()
    assert kernel.min() >= 0
    assert kernel.max() > 0
    # The head alone, on features as the backbone's: never negative.
    x = np.random.default_rng(1).uniform(0, 1, (16, len(kernel))).astype(np.float32)
    alone = keras.Sequential([keras.Input((len(kernel),)), head])
    alone.compile(keras.optimizers.SGD(0.05), keras.losses.BinaryCrossentropy(True))
    given = x @ kernel[:, 0] + bias[0]
    # All real: the gradient of the loss is the mean of sigmoid(logit) * x.
    slope = ((1 / (1 + np.exp(-given)))[:, None] * x).mean(0)
    alone.train_on_batch(x, np.zeros((16, 1), np.float32))
    learned = head.get_weights()[0][:, 0]
    assert learned == pytest.approx(np.maximum(kernel[:, 0] - 0.05 * slope, 0), abs=1e-6)
    assert (learned == 0).any() and (learned > 0).any()
