from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from export.checks import check_detector, inspect, operators_of
from export.errors import ExportError
from export.metadata import attach

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


def test_facts_of_the_int8_file(tiny: Tiny) -> None:
    facts = check_detector(tiny.sealed["ptq-int8"], int8_convolutions=5, partitions=1)
    assert (facts.int8_convolutions, facts.float_convolutions) == (5, 1)
    assert (facts.quantize, facts.dequantize, facts.partitions) == (1, 1, 1)
    assert facts.bytes == len(tiny.sealed["ptq-int8"])
    assert sum(facts.operators.values()) == len(operators_of(tiny.sealed["ptq-int8"]))


def test_facts_agree_with_what_litert_loads(tiny: Tiny) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    for sealed in tiny.sealed.values():
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_content=sealed, experimental_op_resolver_type=plain)
        interpreter.allocate_tensors()
        names = [node["op_name"] for node in interpreter._get_ops_details()]
        assert names == [operator.name for operator in operators_of(sealed)]


def test_facts_of_the_float_file(tiny: Tiny) -> None:
    facts = check_detector(tiny.sealed["float32"])
    assert (facts.int8_convolutions, facts.float_convolutions, facts.quantize) == (0, 6, 0)


def test_a_float_file_that_calls_itself_int8_is_refused(tiny: Tiny, describe: Describe) -> None:
    with pytest.raises(ExportError, match="no int8 convolution"):
        check_detector(attach(tiny.raw["float32"], describe("ptq-int8")))


@pytest.mark.parametrize(("promise", "words"), [({"int8_convolutions": 27}, "27"), ({"partitions": 0}, "partitions")])
def test_broken_promises_are_told(tiny: Tiny, promise: Any, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        check_detector(tiny.sealed["ptq-int8"], **promise)


@pytest.mark.parametrize("changes", [{"size": 64}, {"heatmap": (4, 4)}])
def test_a_contradicting_description_is_refused(tiny: Tiny, describe: Describe, changes: Any) -> None:
    with pytest.raises(ExportError, match="tensor"):
        check_detector(attach(tiny.raw["float32"], describe(**changes)))


def convert_function(build: Any, *, quantise: Any = None, flex: bool = False, batch: int | None = 1) -> bytes:
    from train.tf import load_tensorflow

    tf = load_tensorflow()
    signature = [tf.TensorSpec([batch, 32, 32, 3], tf.uint8, name="image")]
    function = tf.function(lambda image: build(tf, tf.cast(image, tf.float32)), input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], tf.Module())
    if quantise is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = quantise
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    data: bytes = converter.convert()
    return data


def outputs_of(tf: Any, maps: Any) -> dict[str, Any]:
    heat = tf.reshape(maps, [-1, 8, 8])
    fake = tf.reshape(tf.sigmoid(tf.reduce_mean(heat, axis=[1, 2])), [-1, 1])
    return {"scores": tf.concat([1 - fake, fake], axis=1), "heatmap": tf.nn.relu(heat)}


def test_a_flex_operator_is_named(describe: Describe) -> None:
    def build(tf: Any, x: Any) -> Any:
        return outputs_of(tf, tf.image.adjust_hue(x, 0.1)[:, ::4, ::4, :1])

    with pytest.raises(ExportError, match=r"operator \d+ is FlexAdjustHue"):
        check_detector(attach(convert_function(build, flex=True), describe()))


def test_a_head_that_was_quantised_too_is_named(tiny: Tiny, describe: Describe) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    kernels = [rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((3, 3, 3, 8), (1, 1, 8, 1))]

    def build(tf: Any, x: Any) -> Any:
        features = tf.nn.relu6(tf.nn.conv2d(x, kernels[0], 4, "SAME"))
        return outputs_of(tf, tf.nn.conv2d(features, kernels[1], 1, "SAME"))

    views = tiny.bundle.references.views
    data = convert_function(build, quantise=lambda: ([view[None]] for view in views))
    with pytest.raises(ExportError, match=r"CONV_2D, INT8\) stands where the float 1x1 head"):
        check_detector(attach(data, describe("ptq-int8")))


def test_outputs_by_other_names_cannot_be_sealed(describe: Describe) -> None:
    def build(tf: Any, x: Any) -> Any:
        return {"probability": tf.reduce_mean(x, axis=[1, 2])[:, :2]}

    with pytest.raises(ExportError, match="scores and heatmap"):
        attach(convert_function(build), describe())


@pytest.mark.parametrize("data", [b"", b"PK\3\4" + bytes(100), b"\xff\xff\xff\x7fTFL3" + bytes(100)])
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ExportError):
        inspect(data)
