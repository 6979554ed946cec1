"""A backbone that is no chain to a linear head: what its detector file shows is what Keras and tf-keras-vis say."""

from typing import Any

import numpy as np
import pytest

from ela.front_ends import parse_front_end
from export.artifacts.graph_guard import OPERATORS, check_graph
from export.parity.gradcam import grad_cam
from export.runtimes.litert import open_converted
from export.tflite.convert import GraphParts, convert
from export.tflite.flatbuffer import read_graph
from train.backbones.rebuild import rebuild
from train.common.tf import load_tensorflow
from train.evaluate.calibration import Calibration
from train.model import HEAD, backbone_of, build_classifier, features_layer, head_of, hidden_of, predict_logits
from train.recipe import Model

pytestmark = pytest.mark.slow


def parts_of(model: Any, size: int) -> GraphParts:
    weights, bias = head_of(model)
    backbone, rgb = backbone_of(model), parse_front_end("rgb")
    return GraphParts(rgb, backbone, weights, bias, Calibration(1.0, 0.0), size, hidden_of(model))


def assert_heatmap_is_grad_cam(model: Any, planes: np.ndarray, heatmaps: np.ndarray) -> None:
    """The graph's heatmap is Grad-CAM by tf-keras-vis, which goes by gradients, divided by its maximum."""
    maps = grad_cam(model, planes, features_layer(model).name)
    scaled = maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)
    np.testing.assert_allclose(heatmaps, scaled, atol=2e-3)


def test_a_dense_heads_heatmap_is_grad_cam_cell_by_cell() -> None:
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(4)
    model = build_classifier(Model(backbone="alexnet-like", weights="none", dropout=0.0), 96)
    # Of both signs and far from zero, so that hidden values are on and off and places differ.
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Dense):
            kernel, bias = layer.get_weights()
            # The last one turned round, else these weights speak for "real" everywhere and the heatmap is empty.
            sign = -3 if layer.name == HEAD else 3
            layer.set_weights([kernel * sign, np.random.default_rng(1).normal(0, 0.1, bias.shape)])
    planes = np.random.default_rng(5).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    for arithmetic in ("float32", "float16"):
        tflite = convert(parts_of(model, 96), arithmetic)
        check_graph(tflite, arithmetic)
        output = open_converted(tflite)(planes)
        assert output.heatmaps.max() > 0.5
        if arithmetic == "float32":
            assert_heatmap_is_grad_cam(model, planes, output.heatmaps)
    assert (
        {"GREATER", "FULLY_CONNECTED"} <= {one.name for one in read_graph(tflite).operators} <= set(OPERATORS.values())
    )


def test_swishes_and_gates_as_efficientnet_has_them_come_out_as_keras_has_them() -> None:
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(4)
    layers = tf.keras.layers
    entry = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=4, padding="same", use_bias=False)(entry)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    # A gate for each channel, with both functions inside convolutions.
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="swish")(gate))
    x = layers.Conv2D(8, 3, padding="same", activation="swish")(layers.Multiply()([x, gate]))
    backbone = rebuild(tf.keras.Model(entry, x))
    logit = layers.Dense(1, name=HEAD)(layers.GlobalAveragePooling2D()(backbone.output))
    model = tf.keras.Model(backbone.input, logit)
    planes = np.random.default_rng(5).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    tflite = convert(parts_of(model, 32), "float32")
    check_graph(tflite, "float32")
    output = open_converted(tflite)(planes)
    np.testing.assert_allclose(output.scores[:, 1], 1 / (1 + np.exp(-predict_logits(model, planes))), atol=1e-5)
    assert output.heatmaps.max() > 0.5
    assert_heatmap_is_grad_cam(model, planes, output.heatmaps)
