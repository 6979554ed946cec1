"""The network: weights that do not fit, no network, and layers that learn or rest as told."""

import functools
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.model import (
    HEAD,
    build_classifier,
    check_network,
    choose_trainable,
    head_of,
    predict_logits,
    predictor,
    scale_pixels,
)
from train.recipe import Model

SMALL = Model(width=0.25, weights="none")


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Keras cache, so that every download is a real one."""
    load_tensorflow()
    from tf_keras.src.utils import data_utils

    home = tmp_path / "keras"
    home.mkdir()  # Keras falls back to a shared folder where there is none
    original = data_utils.get_file
    monkeypatch.setattr(data_utils, "get_file", functools.partial(original, cache_dir=str(home)))
    return home


def _serve_weights(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    load_tensorflow()
    from tf_keras.src.applications import mobilenet

    monkeypatch.setattr(mobilenet, "BASE_WEIGHT_PATH", address)


def test_imagenet_weights_are_downloaded(
    served: tuple[Path, str], keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tf = load_tensorflow()
    folder, address = served
    published = tf.keras.applications.MobileNet((96, 96, 3), alpha=0.25, include_top=False, weights=None)
    published.save_weights(str(folder / "mobilenet_2_5_224_tf_no_top.h5"))
    _serve_weights(monkeypatch, f"{address}/")
    model = build_classifier(Model(width=0.25, weights="imagenet"), 96)
    expected = published.get_layer("conv_pw_13").get_weights()[0]
    assert np.array_equal(model.get_layer("conv_pw_13").get_weights()[0], expected)
    assert list(keras_home.rglob("*.h5"))


def test_no_network_says_what_to_do(
    served: tuple[Path, str], keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve_weights(monkeypatch, f"{served[1]}/nothing-here/")
    with pytest.raises(TrainError, match=r"could not be downloaded .*--weights") as caught:
        build_classifier(Model(width=0.25, weights="imagenet"), 96)
    assert "\n" not in str(caught.value)
    assert not list(keras_home.rglob("*.h5"))


def test_weights_of_another_width_do_not_fit(tmp_path: Path) -> None:
    tf = load_tensorflow()
    path = tmp_path / "half.h5"
    tf.keras.applications.MobileNet((96, 96, 3), alpha=0.5, include_top=False, weights=None).save_weights(str(path))
    with pytest.raises(TrainError, match=r"half\.h5: these weights do not fit .* width 0\.25"):
        build_classifier(Model(width=0.25, weights=str(path)), 96)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all"])
def test_a_file_that_holds_no_weights(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.h5"
    path.write_bytes(content)
    with pytest.raises(TrainError, match=r"broken\.h5: these weights do not fit"):
        build_classifier(Model(width=0.25, weights=str(path)), 96)


def test_missing_weights_file(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no such weights file"):
        build_classifier(Model(width=0.25, weights=str(tmp_path / "gone.h5")), 96)


def test_weights_that_cannot_be_are_refused_before_the_work(tmp_path: Path) -> None:
    # What `train` asks before it packs pictures.
    page = tmp_path / "page.h5"
    page.write_text("<!DOCTYPE html>")
    cut = tmp_path / "cut.h5"
    with h5py.File(cut, "w") as file:
        file["kernel"] = np.zeros(1000)
    cut.write_bytes(cut.read_bytes()[:4000])
    gone = tmp_path / "gone.h5"
    for path, said in ((gone, "no such weights"), (tmp_path, "no such"), (page, "not an HDF5"), (cut, "are damaged")):
        with pytest.raises(TrainError, match=said):
            check_network(Model(width=0.25, weights=str(path)), 96)


def test_only_layers_from_the_named_one_learn() -> None:
    model = build_classifier(SMALL, 96)
    choose_trainable(model, "conv_pw_12")
    learning = [layer.name for layer in model.layers if layer.trainable and layer.weights]
    assert learning == [
        "conv_pw_12",
        "conv_pw_12_bn",
        "conv_dw_13",
        "conv_dw_13_bn",
        "conv_pw_13",
        "conv_pw_13_bn",
        HEAD,
    ]
    choose_trainable(model, "head")
    assert [layer.name for layer in model.layers if layer.trainable and layer.weights] == [HEAD]
    choose_trainable(model, "all")
    assert all(layer.trainable for layer in model.layers)
    with pytest.raises(TrainError, match="'conv_99' is not a layer"):
        choose_trainable(model, "conv_99")


def test_logits_are_those_of_plain_keras() -> None:
    model = build_classifier(SMALL, 96)
    views = np.random.default_rng(0).integers(0, 256, (5, 96, 96, 3), dtype=np.uint8)
    expected = model.predict(scale_pixels(views.astype(np.float32)), verbose=0)[:, 0]
    assert np.allclose(predictor(model, batch_size=2)(views), expected, atol=1e-5)


def test_head_is_linear_on_the_mean() -> None:
    weights, bias = head_of(build_classifier(SMALL, 96))
    assert weights.shape == (256,)
    assert weights.dtype == np.float32
    assert bias == 0.0


def test_a_predictor_is_traced_once() -> None:
    traced = []

    def model(batch: Any, training: bool) -> Any:
        traced.append(training)
        return batch[:, 0, 0, :1]

    predict = predictor(model)
    planes = np.zeros((3, 2, 2, 3), np.uint8)
    assert np.array_equal(predict(planes), predict(planes))
    assert traced == [False]


def test_scaling_puts_no_pixel_between_two_int8_steps() -> None:
    # The input range of the quantised backbone is -128/127.5 .. 127/127.5 in 256 steps, one a grey level.
    steps = scale_pixels(np.arange(256.0)) * 127.5
    assert np.array_equal(steps, np.arange(-128.0, 128.0))


def test_more_planes_begin_with_the_features_of_three(tmp_path: Path) -> None:
    tf = load_tensorflow()
    path = tmp_path / "weights.h5"
    tf.keras.applications.MobileNet((64, 64, 3), alpha=0.25, include_top=False, weights=None).save_weights(str(path))
    plain = build_classifier(Model(width=0.25, weights=str(path)), 64)
    wide = build_classifier(Model(width=0.25, weights=str(path), front_end="rgb+npr"), 64)
    wide.get_layer(HEAD).set_weights(plain.get_layer(HEAD).get_weights())
    planes = np.random.default_rng(4).integers(0, 256, (3, 64, 64, 6), dtype=np.uint8)
    np.testing.assert_array_equal(predict_logits(wide, planes), predict_logits(plain, planes[..., :3]))
    # The further planes are not dead: the loss has a slope in their weights.
    with tf.GradientTape() as tape:
        logit = wide(scale_pixels(planes.astype(np.float32)))
    slope = tape.gradient(logit, wide.get_layer("conv1").kernel).numpy()
    assert np.abs(slope[:, :, 3:]).max() > 0
