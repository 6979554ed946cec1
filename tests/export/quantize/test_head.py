"""What bounds a head in training bounds it in fine-tuning with fake quantisation."""

import numpy as np

from export.quantize.fake_quant import fake_quantise
from train.common.tf import load_tensorflow
from train.head import HEAD
from train.model import build_classifier
from train.recipe import Model


def test_a_non_negative_head_stays_so() -> None:
    keras = load_tensorflow().keras
    settings = Model(width=0.25, weights="none", dropout=0.0, head="non-negative")
    network = fake_quantise(build_classifier(settings, 32), "per-channel")
    before = network.get_layer(HEAD).get_weights()[0]
    network.compile(keras.optimizers.SGD(1000.0), keras.losses.BinaryCrossentropy(True))
    pictures = np.random.default_rng(1).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    network.train_on_batch(pictures, np.zeros((16, 1), np.float32))
    learned = network.get_layer(HEAD).get_weights()[0]
    assert learned.min() == 0
    assert (learned[before > 0] == 0).any(), "the step was too small to meet the bound"
