from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.inference.overlay import expand
from export.parity.gradcam import grad_cam, grad_cam_plus_plus, score_cam
from export.quantize.fake_quant import calibrate_ranges, fake_quantise
from train.backbones.table import BACKBONES
from train.common.tf import load_tensorflow
from train.model import HEAD, head_of, scale_pixels

if TYPE_CHECKING:
    from tests.export.explain.conftest import Headed

LAST_FEATURES = BACKBONES["mobilenet-v1"].features
GREY = np.full((24, 24, 3), 128, np.uint8)


def features_of(model: Any, planes: np.ndarray, layer: str) -> np.ndarray:
    """What the layer makes of planes, float32 [N, h, w, K]."""
    tf = load_tensorflow()
    return tf.keras.Model(model.input, model.get_layer(layer).output)(scale_pixels(planes.astype(np.float32))).numpy()


@pytest.fixture(scope="module", params=["float", "ptq"])
def classifier(request: pytest.FixtureRequest, headed: Headed) -> tuple[Any, str]:
    """The small classifier and its last layer, as it is and fake-quantised."""
    if request.param == "float":
        return headed.model, LAST_FEATURES
    quantised = fake_quantise(headed.model)
    batch = scale_pixels(headed.planes.astype(np.float32))
    calibrate_ranges(quantised, [(batch, batch, batch)] * 40, 0.8)
    return quantised, f"quant_{LAST_FEATURES}"


def test_grad_cam_is_its_closed_form(headed: Headed, classifier: tuple[Any, str]) -> None:
    model, layer = classifier
    features, weights = features_of(model, headed.planes, layer), head_of(model)[0]
    expected = np.maximum(features @ weights, 0) / np.prod(features.shape[1:3])
    found = grad_cam(model, headed.planes, layer)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert 0 < (found == 0).mean() < 1  # places speak for fake and others do not, or this shows little


def test_grad_cam_plus_plus_is_its_closed_form(headed: Headed, classifier: tuple[Any, str]) -> None:
    model, layer = classifier
    features, weights = features_of(model, headed.planes, layer), head_of(model)[0]
    expected = features @ np.maximum(weights, 0) / np.prod(features.shape[1:3])
    np.testing.assert_allclose(grad_cam_plus_plus(model, headed.planes, layer), expected, atol=1e-6)
    assert (weights < 0).any()


def test_grad_cam_plus_plus_is_the_formula_of_the_paper(headed: Headed) -> None:
    # Equations 10 and 19 of Chattopadhay et al. for one score S and Y = exp(S), a derivative at a time; then, as in the
    # paper's own code, the alphas of a channel are divided by their sum.
    features = features_of(headed.model, headed.planes, LAST_FEATURES).astype(np.float64)
    weights = head_of(headed.model)[0].astype(np.float64)
    slope = np.broadcast_to(weights / np.prod(features.shape[1:3]), features.shape)
    total = features.sum(axis=(1, 2), keepdims=True)
    alphas = slope**2 / (2 * slope**2 + total * slope**3)
    alphas = alphas / alphas.sum(axis=(1, 2), keepdims=True)
    channel = (alphas * np.maximum(slope, 0)).sum(axis=(1, 2), keepdims=True)
    expected = np.maximum((channel * features).sum(axis=-1), 0)
    np.testing.assert_allclose(grad_cam_plus_plus(headed.model, headed.planes, LAST_FEATURES), expected, atol=1e-6)


def test_grad_cam_plus_plus_does_not_overflow(headed: Headed) -> None:
    tf = load_tensorflow()
    certain = tf.keras.models.clone_model(headed.model)
    certain.set_weights(headed.model.get_weights())
    kernel, bias = certain.get_layer(HEAD).get_weights()
    certain.get_layer(HEAD).set_weights([kernel, bias + 200])
    expected = grad_cam_plus_plus(headed.model, headed.planes, LAST_FEATURES)
    np.testing.assert_allclose(grad_cam_plus_plus(certain, headed.planes, LAST_FEATURES), expected, atol=1e-6)


@pytest.mark.parametrize("blank", [GREY, GREY // 128 * np.array([0, 40, 255], np.uint8)], ids=["grey", "other"])
def test_score_cam_is_the_formula_of_the_paper(headed: Headed, classifier: tuple[Any, str], blank: np.ndarray) -> None:
    model, layer = classifier
    offset = scale_pixels(blank.astype(np.float64))
    for planes, found in zip(headed.planes, score_cam(model, headed.planes, layer, blank), strict=True):
        features = features_of(model, planes[None], layer)[0]
        nothing = float(model(offset[None].astype(np.float32))[0, 0])
        summed = np.zeros(features.shape[:2])
        increases = []
        for channel in np.moveaxis(features, -1, 0):
            mask = expand(channel, 24)
            mask = (mask - mask.min()) / (mask.max() - mask.min() + 1e-7)
            shown = offset + mask[..., None] * (scale_pixels(planes.astype(np.float64)) - offset)
            increases.append(float(model(shown[None].astype(np.float32))[0, 0]) - nothing)
            summed += increases[-1] * channel
        expected = np.maximum(summed, 0)
        # int8 steps make a mask's rounding errors visible in the logit.
        allowed = 1e-5 if layer == LAST_FEATURES else 0.02
        np.testing.assert_allclose(found, expected, atol=allowed * np.abs(summed).max())
        # Channels weigh differently, or the softmax of one logit, which weighs all alike, would pass too.
        assert np.ptp(increases) > 0.1 * np.abs(increases).max()


def test_score_cam_comes_in_groups_of_channels(headed: Headed, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = score_cam(headed.model, headed.planes, LAST_FEATURES, GREY)
    monkeypatch.setattr("export.parity.gradcam._CHANNELS_AT_ONCE", 4)
    np.testing.assert_allclose(score_cam(headed.model, headed.planes, LAST_FEATURES, GREY), whole, atol=1e-5)


def test_score_cam_leaves_standard_output_alone(headed: Headed, capsys: pytest.CaptureFixture[str]) -> None:
    score_cam(headed.model, headed.planes[:1], LAST_FEATURES, GREY)
    assert capsys.readouterr().out == ""


def test_where_nothing_speaks_for_fake_all_maps_are_zero(silent: Headed) -> None:
    # The small classifier has no bias before its head: grey planes, zero when scaled, give features of zero, so that
    # showing anything can only lower the logit.
    assert not grad_cam(silent.model, silent.planes, LAST_FEATURES).any()
    assert not grad_cam_plus_plus(silent.model, silent.planes, LAST_FEATURES).any()
    assert not score_cam(silent.model, silent.planes, LAST_FEATURES, GREY).any()
    assert features_of(silent.model, silent.planes, LAST_FEATURES).any()
