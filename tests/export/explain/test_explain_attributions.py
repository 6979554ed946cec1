from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ela.front_ends import FRONT_ENDS, parse_front_end
from export.explain.attributions import (
    TOLERANCE,
    activations,
    blank_planes,
    integrated_gradients,
    logit_gradient,
)
from train.backbones.table import BACKBONES
from train.common.tf import load_tensorflow
from train.model import predict_logits, scale_pixels

if TYPE_CHECKING:
    from tests.export.explain.conftest import Headed

LAST_FEATURES = BACKBONES["mobilenet-v1"].features
GREY = np.full((24, 24, 3), 128, np.uint8)


def cubic(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logit sum(v^3), whose slope is 3 v^2."""
    values = planes.astype(np.float64)
    return (values**3).sum(axis=(1, 2, 3)), 3 * values**2


def test_attributions_add_up_to_the_logit(headed: Headed) -> None:
    gradient = logit_gradient(headed.model)
    for planes in headed.planes:
        found = integrated_gradients(gradient, planes, GREY)
        expected = predict_logits(headed.model, np.stack([planes, GREY])).tolist()
        assert found.logit == pytest.approx(expected[0], abs=1e-5)
        assert found.blank_logit == pytest.approx(expected[1], abs=1e-5)
        assert found.complete
        limit = TOLERANCE * max(1, abs(expected[0] - expected[1]))
        assert found.attributions.sum() == pytest.approx(expected[0] - expected[1], abs=limit + 1e-4)
        assert np.abs(found.attributions).sum() > 0.1


def test_of_a_linear_model_they_are_its_weights_times_the_path() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 4, 2))

    def linear(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (planes * weights).sum(axis=(1, 2, 3)), np.broadcast_to(weights, planes.shape)

    rng = np.random.default_rng(1)
    planes, blank = rng.integers(0, 256, (2, 4, 4, 2)).astype(np.uint8)
    found = integrated_gradients(linear, planes, blank)
    path = scale_pixels(planes.astype(float)) - scale_pixels(blank.astype(float))
    np.testing.assert_allclose(found.attributions, weights * path, atol=1e-5)
    assert found.steps == 32


def test_of_a_cubic_they_are_the_integral(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    planes, blank = rng.integers(0, 256, (2, 6, 6, 3)).astype(np.uint8)
    monkeypatch.setattr("export.explain.attributions.TOLERANCE", 1e-6)
    found = integrated_gradients(cubic, planes, blank)
    ends = [scale_pixels(one.astype(float)) ** 3 for one in (planes, blank)]
    np.testing.assert_allclose(found.attributions, ends[0] - ends[1], atol=1e-5)
    assert found.steps > 32  # so that the halving of steps is tested, too


def test_what_does_not_add_up_is_said() -> None:
    def step(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (planes.mean(axis=(1, 2, 3)) > 0.3).astype(np.float64), np.zeros(planes.shape)

    found = integrated_gradients(step, np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8))
    assert not found.complete
    assert found.residual == -1
    assert found.steps == 1024


def test_of_the_blank_itself_nothing_is_attributed() -> None:
    found = integrated_gradients(cubic, GREY, GREY)
    assert found.complete
    assert not found.attributions.any()


@pytest.mark.parametrize("text", [*FRONT_ENDS, "rgb+ela"])
def test_a_blank_shows_nothing(text: str) -> None:
    blank = blank_planes(parse_front_end(text), 64)
    expected = {"rgb": [128] * 3, "ela": [0] * 3, "npr": [128] * 3, "srm": [128] * 3, "rgb+ela": [128] * 3 + [0] * 3}
    assert blank.dtype == np.uint8
    np.testing.assert_array_equal(blank, np.broadcast_to(expected[text], (64, 64, len(expected[text]))))


def test_activations_are_those_of_the_layers(headed: Headed) -> None:
    tf = load_tensorflow()
    first = headed.model.layers[3].name
    shown = activations(headed.model, headed.planes[0], (first, LAST_FEATURES), strongest=3)
    for one, layer in zip(shown, (first, LAST_FEATURES), strict=True):
        inner = tf.keras.Model(headed.model.input, headed.model.get_layer(layer).output)
        values = inner(scale_pixels(headed.planes[:1].astype(np.float32))).numpy()[0]
        assert (one.layer, one.channels) == (layer, values.shape[-1])
        np.testing.assert_allclose(one.mean, values.mean(-1), atol=1e-6)
        np.testing.assert_allclose(one.highest, values.max(-1), atol=1e-6)
        means = values.mean((0, 1))
        assert [number for number, _ in one.strongest] == sorted(range(len(means)), key=lambda k: -means[k])[:3]
        for number, cells in one.strongest:
            np.testing.assert_allclose(cells, values[..., number], atol=1e-6)
    assert len(activations(headed.model, headed.planes[0], (LAST_FEATURES,))) == 1
