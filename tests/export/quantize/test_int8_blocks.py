"""Blocks as the backbones have them, in int8: Keras's float state, its fake-quantised state and the file agree.

Random weights whose batch norm knows its pictures, and a head fitted to tell checkered pictures from plain noise; so
logits differ as those of a detector do, and nothing has to be trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ela.front_ends import parse_front_end
from export.artifacts.graph_guard import check_graph
from export.artifacts.metadata import attach
from export.artifacts.tolerances import StageLimits, Tolerances, allowed_flips
from export.parity.gradcam import grad_cam
from export.parity.heatmap_similarity import cosine
from export.parity.layer_errors import compare_layers, first_fallen
from export.quantize.biases import round_biases
from export.quantize.fake_quant import calibrate_ranges, fake_quantise, freeze_batch_norm, quantised_backbone
from export.quantize.states import KerasState
from export.runtimes.registry import RUNTIMES
from export.tflite.checks import Requirements, check_detector
from export.tflite.convert import GraphParts, convert
from tests.export.conftest import SIZE, draw, look
from train.backbones.hard_swish import hard_swish_layer
from train.backbones.rebuild import rebuild
from train.backbones.table import BACKBONES
from train.common.tf import load_tensorflow
from train.evaluate.calibration import Calibration, OperatingPoints
from train.model import (
    HEAD,
    POOLED,
    build_classifier,
    features_layer,
    head_of,
    hidden_of,
    predict_logits,
    scale_pixels,
)
from train.recipe import Model

pytestmark = pytest.mark.slow


def normalised(layers: Any, x: Any, convolution: Any) -> Any:
    return layers.BatchNormalization(momentum=0.0, name=f"{convolution.name}_bn")(convolution(x))


def with_swishes(layers: Any, x: Any) -> Any:
    """As EfficientNet has them: swishes, one of them twice used, and a gate with both activations in convolutions."""
    x = normalised(layers, x, layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False, name="stem"))
    x = start = layers.Activation("swish", name="stem_swish")(x)
    x = normalised(layers, x, layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise"))
    x = layers.Activation("swish", name="depthwise_swish")(x)
    gate = layers.Reshape((1, 1, 12), name="reshape")(layers.GlobalAveragePooling2D(name="squeeze")(x))
    gate = layers.Conv2D(6, 1, activation="swish", name="reduce")(gate)
    gate = layers.Conv2D(12, 1, activation="sigmoid", name="expand")(gate)
    x = layers.Multiply(name="gated")([x, gate])
    x = normalised(layers, x, layers.Conv2D(12, 1, use_bias=False, name="project"))
    return layers.Add(name="sum")([start, x])


def with_hard_swishes(layers: Any, x: Any) -> Any:
    """As MobileNet V3 has them: hard swishes, and a gate with a hard sigmoid."""
    x = normalised(layers, x, layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False, name="stem"))
    x = start = hard_swish_layer()(name="stem_swish")(x)
    x = layers.ZeroPadding2D(1, name="pad")(x)
    x = normalised(layers, x, layers.DepthwiseConv2D(3, use_bias=False, name="depthwise"))
    x = layers.ReLU(name="depthwise_relu")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = layers.ReLU(name="reduce_relu")(layers.Conv2D(6, 1, name="reduce")(gate))
    gate = layers.Rescaling(1.0, offset=3.0, name="shift")(layers.Conv2D(12, 1, name="expand")(gate))
    gate = layers.Rescaling(1 / 6, name="sixth")(layers.ReLU(6.0, name="limit")(gate))
    x = layers.Multiply(name="gated")([x, gate])
    x = normalised(layers, x, layers.Conv2D(12, 1, use_bias=False, name="project"))
    x = layers.Add(name="sum")([start, x])
    x = normalised(layers, x, layers.Conv2D(16, 1, use_bias=False, name="last"))
    return hard_swish_layer()(name="last_swish")(x)


def with_pools(layers: Any, x: Any) -> Any:
    """As the larger networks have them: pools, branches, separable convolutions, biases with and without batch norm."""
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="plain")(x)
    x = start = layers.MaxPooling2D(2, name="pool")(x)
    x = normalised(layers, x, layers.SeparableConv2D(12, 3, padding="same", use_bias=False, name="separable"))
    x = layers.Activation("relu", name="sum_relu")(layers.Add(name="sum")([start, x]))
    one = normalised(layers, x, layers.Conv2D(8, 3, padding="same", name="biased"))
    one = layers.Activation("relu", name="one_relu")(one)
    other = layers.AveragePooling2D(3, strides=1, padding="same", name="average")(x)
    other = normalised(layers, other, layers.Conv2D(8, 1, use_bias=False, name="other"))
    other = layers.Activation("relu", name="other_relu")(other)
    return layers.Concatenate(name="both")([one, other])


BLOCKS = {
    "swishes": (with_swishes, {"LOGISTIC", "MUL", "MEAN", "ADD"}, 5, (0.1, -0.2, 0.3)),
    "hard swishes": (with_hard_swishes, {"HARD_SWISH", "MUL", "MEAN", "ADD"}, 6, ()),
    "pools": (with_pools, {"MAX_POOL_2D", "AVERAGE_POOL_2D", "CONCATENATION", "ADD"}, 5, (0.1, -0.2, 0.3)),
}
"""How each is built, the operators that its file must have, how many convolutions, and what is added to its planes."""


def classifier_of(name: str, views: np.ndarray, fake: np.ndarray) -> Any:
    """A float classifier of the blocks, its batch norm measured and its head fitted on views."""
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(3)
    layers, rng = tf.keras.layers, np.random.default_rng(3)
    build, _, _, centre = BLOCKS[name]
    entry = layers.Input((SIZE, SIZE, 3))
    backbone = rebuild(tf.keras.Model(entry, build(layers, entry)), centre=centre)
    logit = layers.Dense(1, name=HEAD)(layers.GlobalAveragePooling2D(name=POOLED)(backbone.output))
    model = tf.keras.Model(backbone.input, logit)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.beta.assign(rng.normal(0, 0.3, layer.beta.shape))
            layer.gamma.assign(rng.uniform(0.6, 1.4, layer.gamma.shape))
    model(scale_pixels(views.astype(np.float32)), training=True)
    fit_head(model, views, fake)
    return model


def fit_head(model: Any, views: np.ndarray, fake: np.ndarray) -> None:
    """Fit the last layer by ridge regression to tell the fake views from the others."""
    inner = load_tensorflow().keras.Model(model.input, model.layers[-1].input)
    pooled = inner(scale_pixels(views.astype(np.float32)), training=False).numpy()
    centred, wanted = pooled - pooled.mean(axis=0), np.where(fake, 4.0, -4.0)
    ridge = 0.5 * len(views) * centred.var(axis=0).mean() * np.eye(centred.shape[1])
    kernel = np.linalg.solve(centred.T @ centred + ridge, centred.T @ wanted)
    model.get_layer(HEAD).set_weights([kernel[:, np.newaxis], np.array([-pooled.mean(axis=0) @ kernel])])


def in_int8(model: Any, seen: np.ndarray) -> Any:
    """The fake-quantised classifier of a float one, calibrated on views, as `quantize` leaves it."""
    quantised = fake_quantise(model)
    calibrate_ranges(quantised, [(scale_pixels(seen.astype(np.float32)), seen, seen)] * 4, 0.3)
    round_biases(quantised)
    freeze_batch_norm(quantised, False)
    return quantised


def assert_within(limits: StageLimits, before: np.ndarray, after: np.ndarray) -> None:
    change = np.abs(after - before)
    assert change.mean() <= limits.mean and np.percentile(change, 99) <= limits.p99, (change.mean(), change.max())
    assert np.count_nonzero((before >= 0.5) != (after >= 0.5)) <= allowed_flips(limits, len(before))


def probability(model: Any, views: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-predict_logits(model, views).astype(np.float64))))


@pytest.mark.parametrize("name", BLOCKS)
def test_the_states_and_the_file_agree_as_those_of_a_whole_detector_must(name: str, describe: Any) -> None:
    pixels, fake = draw(96, seed=0)
    seen, views = look(pixels), look(draw(32, seed=1)[0])
    model = classifier_of(name, seen, fake)
    quantised = in_int8(model, seen)
    features = features_layer(quantised)
    rgb, backbone = parse_front_end("rgb"), quantised_backbone(quantised)
    parts = GraphParts(rgb, backbone, *head_of(quantised), Calibration(1.0, 0.0), SIZE)
    state = KerasState("ptq", quantised, parts, OperatingPoints(0.5, 0.75, 0.875, 0.375), (), features.name)
    heatmap = tuple(features.output.shape[1:3])
    sealed = attach(convert(parts, "int8"), describe("ptq-int8", heatmap=heatmap), author="tests")

    # That every convolution, and all between them, is int8.
    _, operators, convolutions, _ = BLOCKS[name]
    facts = check_detector(sealed, name, Requirements(int8_convolutions=convolutions))
    assert operators <= set(facts.operators) and facts.quantize == facts.dequantize == 1
    check_graph(sealed, name)

    before, after = probability(model, views), probability(quantised, views)
    output = RUNTIMES["litert"].call(sealed, views)
    file = output.scores[:, 1].astype(np.float64)
    assert before.std() > 0.1, "nothing is told apart, so nothing is shown"
    assert_within(Tolerances().quantising, before, after)
    assert_within(Tolerances().converting, after, file)
    assert first_fallen(compare_layers(state, sealed, views[:2], ["a", "b"])) is None
    shown = np.flatnonzero((after > 0.5) & (file > 0.5))[:4]
    maps = grad_cam(quantised, views[shown], state.cam_layer)
    likeness = [cosine(one, other) for one, other in zip(maps, output.heatmaps[shown], strict=True)]
    assert len(likeness) == 4 and np.mean(likeness) > Tolerances().heatmap_mean


def test_a_dense_head_stays_float(describe: Any) -> None:
    load_tensorflow().keras.utils.set_random_seed(3)
    size = BACKBONES["alexnet-like"].smallest
    pixels, fake = draw(96, seed=0)
    # A part of each picture: the patch of a fake is in every one somewhere.
    seen = np.ascontiguousarray(pixels[:, 8 : 8 + size, 8 : 8 + size])
    model = build_classifier(Model(backbone="alexnet-like", weights="none", dropout=0.0), size)
    fit_head(model, seen, fake)
    quantised = in_int8(model, seen)
    rgb, backbone = parse_front_end("rgb"), quantised_backbone(quantised)
    parts = GraphParts(rgb, backbone, *head_of(quantised), Calibration(1.0, 0.0), size, hidden_of(quantised))
    heatmap = tuple(features_layer(quantised).output.shape[1:3])
    about = describe("ptq-int8", size=size, view=f"upright|square|resize({size})", heatmap=heatmap)
    sealed = attach(convert(parts, "int8"), about, author="tests")
    assert check_detector(sealed, requirements=Requirements(int8_convolutions=5)).float_convolutions == 0
    check_graph(sealed, "it")
    before, after = probability(model, seen), probability(quantised, seen)
    assert before.std() > 0.1
    assert_within(Tolerances().quantising, before, after)
    assert_within(Tolerances().converting, after, RUNTIMES["litert"].call(sealed, seen).scores[:, 1])
