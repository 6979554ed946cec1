"""Biases that are whole numbers already when the converter rounds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.quantize.biases import folded_biases, round_biases
from export.quantize.fake_quant import fake_quantise, quantised_backbone
from export.tflite.convert import convert
from export.tflite.flatbuffer import read_graph

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


@pytest.fixture
def model(tiny: Tiny) -> Any:
    """The tiny detector's calibrated model, its biases where training left them."""
    copy = fake_quantise(tiny.states["float"].model)
    copy.set_weights(tiny.states["ptq"].model.get_weights())
    return copy


def written_biases(tflite: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """The int32 biases of a file's int8 convolutions and their steps, as an interpreter reads them."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=tflite)
    details = {one["index"]: one for one in interpreter.get_tensor_details()}
    found = []
    for operator in read_graph(tflite).operators:
        if operator.is_convolution and operator.inputs[1].dtype == "INT8":
            index = operator.inputs[2].index
            found.append((interpreter.get_tensor(index), details[index]["quantization_parameters"]["scales"]))
    return found


def converted(tiny: Tiny, model: Any) -> bytes:
    return convert(replace(tiny.states["ptq"].parts, backbone=quantised_backbone(model)), "int8")


def test_the_steps_are_those_that_the_converter_writes(tiny: Tiny, model: Any) -> None:
    written, folded = written_biases(converted(tiny, model)), list(folded_biases(model))
    assert len(written) == len(folded) == 5
    for (_, steps), ours in zip(written, folded, strict=True):
        np.testing.assert_allclose(steps, ours.step, rtol=1e-5)


def test_the_file_then_holds_the_keras_biases(tiny: Tiny, model: Any) -> None:
    def rounding() -> float:
        pairs = zip(written_biases(converted(tiny, model)), folded_biases(model), strict=True)
        return max(float(np.abs(whole - ours.bias / ours.step).max()) for (whole, _), ours in pairs)

    assert rounding() > 0.4, "nothing was rounded, so nothing is shown"
    before = [one.bias for one in folded_biases(model)]
    round_biases(model)
    assert rounding() < 0.01
    for was, now in zip(before, folded_biases(model), strict=True):
        assert np.abs(now.bias - was).max() <= 0.5 * now.step.max() + 1e-6


def test_rounding_twice_changes_nothing(model: Any) -> None:
    round_biases(model)
    once = [one.variable.numpy() for one in folded_biases(model)]
    round_biases(model)
    for first, second in zip(once, folded_biases(model), strict=True):
        np.testing.assert_allclose(second.variable.numpy(), first, atol=1e-6)


def test_a_channel_without_weights_is_left_alone(model: Any) -> None:
    one = next(folded_biases(model))
    assert one.batch_norm is not None
    one.batch_norm.gamma.assign(np.zeros_like(one.batch_norm.gamma.numpy()))
    beta = one.variable.numpy()
    round_biases(model)
    np.testing.assert_array_equal(one.variable.numpy(), beta)
