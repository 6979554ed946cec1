"""Rewriting changes no float result, and wrapping puts fake quantisation where tfmot or TFLite's kernels have it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.quantize.rewrite import rewritten
from export.quantize.wrap import SIGMOID_RANGE, range_of, wrapped
from train.backbones.hard_swish import hard_swish_layer
from train.backbones.rebuild import rebuild
from train.backbones.spec import CENTRED
from train.common.errors import ExportError
from train.common.tf import load_tensorflow
from train.model import backbone_of
from train.recipe import Model
from train.weights import load_weights, save_weights

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

CENTRE = (0.3, -0.1, 0.2)


@pytest.fixture(scope="module")
def swishes() -> Any:
    """A gate with both activations inside convolutions, a separable convolution, and a layer that centres."""
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(5)
    layers = tf.keras.layers
    entry = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="first")(entry)
    x = layers.Activation("swish", name="swish")(layers.BatchNormalization(name="bn")(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = layers.Conv2D(4, 1, activation="swish", name="reduce")(gate)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="expand")(gate)
    x = layers.Multiply(name="gated")([x, gate])
    x = hard_swish_layer()(name="hard")(x)
    x = layers.SeparableConv2D(6, 3, activation="relu", name="separable")(x)
    return rebuild(tf.keras.Model(entry, x), centre=CENTRE)


def test_rewriting_changes_no_result(swishes: Any) -> None:
    model = rewritten(swishes)
    names = [layer.name for layer in model.layers]
    assert CENTRED in {layer.name for layer in swishes.layers} and CENTRED not in names
    assert {"first", "swish_sigmoid", "swish", "reduce_swish", "expand_sigmoid", "separable_depthwise"} <= set(names)
    planes = np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    expected = swishes(planes).numpy()
    assert expected.std() > 0.01
    np.testing.assert_allclose(model(planes).numpy(), expected, atol=1e-5)


def test_a_backbone_that_int8_has_all_layers_of_is_left_alone(tiny: Tiny) -> None:
    backbone = backbone_of(tiny.states["float"].model)
    assert rewritten(backbone) is backbone


def test_sigmoids_have_the_range_that_tflite_fixes(swishes: Any) -> None:
    model = wrapped(rewritten(swishes))
    assert tuple(map(float, range_of(model.get_layer("quant_swish_sigmoid").output))) == SIGMOID_RANGE
    values = model.get_layer("quant_swish_sigmoid")(np.linspace(-9, 9, 64, dtype=np.float32).reshape(1, 8, 8, 1))
    np.testing.assert_array_equal(values.numpy() * 256, np.rint(values.numpy() * 256))


def test_fine_tuning_reaches_every_kernel_and_bias(swishes: Any) -> None:
    tf = load_tensorflow()
    model = wrapped(rewritten(swishes))
    planes = np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(planes, training=True)))
    learning = [one for one in model.trainable_variables if one.name.endswith(("kernel:0", "bias:0"))]
    assert len(learning) == 8
    for variable, slope in zip(learning, tape.gradient(loss, learning), strict=True):
        assert slope is not None and np.abs(slope.numpy()).max() > 0, variable.name


def test_weights_are_kept_and_read_back(swishes: Any, tmp_path: Path) -> None:
    settings = Model(backbone="efficientnet-b0", weights="none")
    first, second = (wrapped(rewritten(swishes)) for _ in range(2))
    first(np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32), training=True)
    save_weights(first, tmp_path / "ptq.h5", settings)
    load_weights(second, tmp_path / "ptq.h5", settings)
    pairs = zip(first.weights, second.weights, strict=True)
    assert all(one.name == other.name and np.array_equal(one.numpy(), other.numpy()) for one, other in pairs)


def test_chains_of_convolution_batch_norm_and_relu_are_wrapped_as_tfmot_does(tiny: Tiny) -> None:
    import tensorflow_model_optimization as tfmot

    backbone = backbone_of(tiny.states["float"].model)
    theirs, ours = tfmot.quantization.keras.quantize_model(backbone), wrapped(backbone)

    def variables(model: Any) -> list[tuple[str, tuple[int, ...]]]:
        return [(re.sub(r"quantize_layer_\d+", "quantize_layer", one.name), tuple(one.shape)) for one in model.weights]

    assert variables(ours) == variables(theirs)
    planes = np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    for model in (theirs, ours):
        model(planes, training=True)
    np.testing.assert_array_equal(ours(planes, training=False).numpy(), theirs(planes, training=False).numpy())


def test_a_layer_without_a_rule_is_named() -> None:
    layers = load_tensorflow().keras.layers
    entry = layers.Input((8, 8, 3))
    model = load_tensorflow().keras.Model(entry, layers.ELU(name="odd")(layers.Conv2D(4, 1, name="conv")(entry)))
    with pytest.raises(ExportError, match="Layer odd is a ELU, of which it is not known how int8 rounds it"):
        wrapped(model)
