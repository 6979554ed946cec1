"""Backbones against Keras's own models and preprocessing: same weights in, same features out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.backbones.published import build_published
from train.backbones.spec import BuildSpec
from train.backbones.table import BACKBONES
from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.model import HEAD, build_classifier, choose_trainable, features_layer, scale_pixels
from train.recipe import Model
from train.weights import Origin, read_origin, save_weights

pytestmark = pytest.mark.slow

FUNCTIONS = {
    "mobilenet-v1": ("MobileNet", {"alpha": 0.25}),
    "mobilenet-v2": ("MobileNetV2", {"alpha": 0.35}),
    "mobilenet-v3-small": ("MobileNetV3Small", {"alpha": 0.75, "include_preprocessing": False}),
    "efficientnet-b0": ("EfficientNetB0", {}),
    "vgg19": ("VGG19", {}),
    "xception": ("Xception", {}),
}
"""A backbone of each kind of input scale and of each kind of layer; the others are of the same functions."""
WIDTHS = {"mobilenet-v1": 0.25, "mobilenet-v2": 0.35, "mobilenet-v3-small": 0.75}


def keras_model(name: str, size: int) -> Any:
    """Keras's own model, with the statistics of batch norm that `views` give, so that features depend on pictures."""
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(3)
    function, options = FUNCTIONS[name]
    model = getattr(tf.keras.applications, function)(
        weights=None, include_top=False, input_shape=(size, size, 3), **options
    )
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(keras_input(name)(views(size)), training=True)
    return model


def keras_input(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """What Keras's own model wants to see of views, by Keras's own function where it has one."""
    applications = load_tensorflow().keras.applications
    if name == "vgg19":
        return lambda views: np.asarray(applications.vgg19.preprocess_input(views.astype(np.float32)))
    if name == "efficientnet-b0":
        # The weights of its own normalisation stand in its file, and are those of torchvision: mean and deviation of
        # ImageNet. Without the file Keras only divides by 255.
        mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        return lambda views: np.asarray((views.astype(float) / 255 - mean) / deviation * 255, np.float32)
    # Half a grey level from Keras's v / 127.5 - 1.
    return lambda views: np.asarray((views.astype(float) - 128) / 127.5, np.float32)


def views(size: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (3, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_file_of_keras_gives_the_features_of_keras(name: str, tmp_path: Path) -> None:
    kind = BACKBONES[name]
    keras, path = keras_model(name, kind.smallest), tmp_path / "published.h5"
    keras.save_weights(str(path))
    settings = Model(backbone=kind.name, width=WIDTHS.get(name, 1.0), weights=str(path))
    classifier = build_classifier(settings, kind.smallest)
    seen = views(kind.smallest)
    expected = keras(keras_input(name)(seen), training=False).numpy()
    tf = load_tensorflow()
    inner = tf.keras.Model(classifier.input, features_layer(classifier).output)
    found = inner(scale_pixels(seen.astype(np.float32)), training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-3 * np.abs(expected).max())
    # Not because pictures hardly matter.
    assert np.abs(expected[0] - expected[1]).max() > 0.1 * np.abs(expected).max()
    assert features_layer(classifier).name == kind.features
    names = {layer.name for layer in classifier.layers}
    assert names.issuperset((kind.first, *kind.shown))


def test_layers_have_the_same_names_in_the_second_model_of_a_process(tmp_path: Path) -> None:
    settings = Model(backbone="mobilenet-v3-small", width=0.75, weights="none")
    first, second = (build_classifier(settings, 32) for _ in range(2))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    # So a run's weights are found by name, and know their backbone.
    save_weights(first, tmp_path / "run.h5", settings)
    assert read_origin(tmp_path / "run.h5") == Origin("rgb", 0.75, "mobilenet-v3-small")
    begun = build_classifier(Model(backbone="mobilenet-v3-small", width=0.75, weights=str(tmp_path / "run.h5")), 32)
    assert np.array_equal(begun.get_layer("Conv").get_weights()[0], first.get_layer("Conv").get_weights()[0])
    with pytest.raises(TrainError, match="holds weights of mobilenet-v3-small but the recipe needs mobilenet-v2") as no:
        build_classifier(Model(backbone="mobilenet-v2", weights=str(tmp_path / "run.h5")), 32)
    assert "\n" not in str(no.value)


def test_a_stage_can_begin_at_a_layer_and_a_wrong_one_is_told_with_right_ones() -> None:
    classifier = build_classifier(Model(backbone="mobilenet-v2", width=0.35, weights="none"), 32)
    choose_trainable(classifier, "block_16_project")
    learning = [layer.name for layer in classifier.layers if layer.trainable and layer.weights]
    assert learning == ["block_16_project", "block_16_project_BN", "Conv_1", "Conv_1_bn", HEAD]
    with pytest.raises(TrainError, match=r"'conv1' is not a layer of this backbone: .*one such as block_"):
        choose_trainable(classifier, "conv1")


def test_further_planes_begin_with_the_features_of_three(tmp_path: Path) -> None:
    kind = BACKBONES["efficientnet-b0"]
    keras_model("efficientnet-b0", 32).save_weights(str(tmp_path / "b0.h5"))
    plain = build_published(kind, BuildSpec(1.0, 32, weights=str(tmp_path / "b0.h5")))
    wide = build_published(kind, BuildSpec(1.0, 32, planes=6, weights=str(tmp_path / "b0.h5")))
    planes = scale_pixels(np.random.default_rng(4).uniform(0, 255, (2, 32, 32, 6)).astype(np.float32))
    expected = plain(planes[..., :3], training=False).numpy()
    found = wide(planes, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_the_alexnet_like_network_is_as_described() -> None:
    layers = load_tensorflow().keras.layers
    model = build_classifier(Model(backbone="alexnet-like", weights="none", dropout=0.0), 96)
    described = []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            described.append((layer.filters, *layer.kernel_size, layer.activation.__name__))
        elif isinstance(layer, layers.MaxPooling2D):
            described.append(("pool", *layer.pool_size, layer.strides[0]))
        elif isinstance(layer, layers.Dense):
            described.append(("dense", layer.units))
    assert described == [
        (16, 2, 2, "relu"),
        (32, 10, 10, "relu"),
        ("pool", 2, 2, 2),
        (64, 6, 6, "relu"),
        ("pool", 3, 3, 2),
        (128, 3, 3, "relu"),
        (128, 3, 3, "relu"),
        ("pool", 2, 2, 2),
        ("dense", 512),
        ("dense", 512),
        ("dense", 1),
    ]
    choose_trainable(model, "head")
    assert [layer.name for layer in model.layers if layer.trainable and layer.weights] == ["hidden_1", "hidden_2", HEAD]


def test_facenet_is_that_of_keras_facenet(tmp_path: Path) -> None:
    network = pytest.importorskip("keras_facenet.inception_resnet_v1", reason="the extra facenet is not installed")
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(3)
    whole = network.InceptionResNetV1(input_shape=(75, 75, 3), classes=512)
    whole.save_weights(str(tmp_path / "facenet.h5"))
    classifier = build_classifier(Model(backbone="facenet", weights=str(tmp_path / "facenet.h5")), 75)
    seen = scale_pixels(views(75).astype(np.float32))
    expected = tf.keras.Model(whole.input, whole.get_layer("AvgPool").output)(seen, training=False).numpy()
    found = tf.keras.Model(classifier.input, classifier.get_layer("mean").output)(seen, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert {layer.name for layer in classifier.layers}.issuperset(BACKBONES["facenet"].shown)
