from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.artifacts.metadata import attach
from export.tflite.checks import Requirements, check_detector, inspect
from export.tflite.flatbuffer import Operator, read_graph
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


def test_facts_of_the_int8_file(tiny: Tiny) -> None:
    facts = check_detector(tiny.sealed["ptq-int8"], requirements=Requirements(int8_convolutions=5, partitions=1))
    assert (facts.int8_convolutions, facts.float_convolutions) == (5, 1)
    assert (facts.quantize, facts.dequantize, facts.partitions) == (1, 1, 1)
    assert facts.bytes == len(tiny.sealed["ptq-int8"])
    assert sum(facts.operators.values()) == len(read_graph(tiny.sealed["ptq-int8"]).operators)


def test_facts_agree_with_what_litert_loads(tiny: Tiny) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    for sealed in tiny.sealed.values():
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_content=sealed, experimental_op_resolver_type=plain)
        interpreter.allocate_tensors()
        names = [node["op_name"] for node in interpreter._get_ops_details()]
        assert names == [operator.name for operator in read_graph(sealed).operators]


def test_facts_of_the_float_file(tiny: Tiny) -> None:
    facts = check_detector(tiny.sealed["float32"])
    assert (facts.int8_convolutions, facts.float_convolutions, facts.quantize) == (0, 6, 0)


def test_a_float_file_that_calls_itself_int8_is_refused(tiny: Tiny, describe: Describe) -> None:
    with pytest.raises(ExportError, match="no int8 convolution"):
        check_detector(attach(tiny.raw["float32"], describe("ptq-int8")))


@pytest.mark.parametrize(
    ("requirement", "words"),
    [({"int8_convolutions": 27}, "27"), ({"partitions": 0}, r"XNNPACK does not take operator 0 \(CAST, planes\)")],
)
def test_broken_requirements_are_told(tiny: Tiny, requirement: Any, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        check_detector(tiny.sealed["ptq-int8"], requirements=Requirements(**requirement))


@pytest.mark.parametrize("changes", [{"size": 64}, {"heatmap": (4, 4)}])
def test_a_contradicting_description_is_refused(tiny: Tiny, describe: Describe, changes: Any) -> None:
    with pytest.raises(ExportError, match="tensor"):
        check_detector(attach(tiny.raw["float32"], describe(**changes)))


def convert_function(
    build: Any, *, quantise: Any = None, optimise: bool = False, flex: bool = False, batch: int | None = 1
) -> bytes:
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    signature = [tf.TensorSpec([batch, 32, 32, 3], tf.uint8, name="image")]
    function = tf.function(lambda image: build(tf, tf.cast(image, tf.float32)), input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], tf.Module())
    if optimise or quantise is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantise is not None:
        converter.representative_dataset = quantise
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    data: bytes = converter.convert()
    return data


def int8_chain(tiny: Tiny, layer: Any) -> bytes:
    """Two convolutions in int8 with what `layer` makes of the first one's output between them, and a float head."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((3, 3, 3, 8), (3, 3, 8, 8), (1, 1, 8, 8))]

    def build(tf: Any, x: Any) -> Any:
        def quantised(values: Any, high: float = 6.0) -> Any:
            return tf.quantization.fake_quant_with_min_max_args(values, 0, high)

        def weights(kernel: Any) -> Any:
            high = np.abs(kernel).max(axis=(0, 1, 2))
            return tf.quantization.fake_quant_with_min_max_vars_per_channel(kernel, -high, high, narrow_range=True)

        y = quantised(tf.nn.relu6(tf.nn.conv2d(quantised(x, 255.0), weights(kernels[0]), 4, "SAME")))
        y = quantised(tf.nn.relu6(tf.nn.conv2d(layer(tf, y, quantised), weights(kernels[1]), 1, "SAME")))
        return outputs_of(tf, tf.reduce_sum(tf.nn.conv2d(y, kernels[2], 1, "SAME"), axis=3, keepdims=True))

    return convert_function(build, optimise=True)


def test_a_float_island_is_named(tiny: Tiny, describe: Describe) -> None:
    unnamed = Requirements(named=False)
    check_detector(attach(int8_chain(tiny, lambda tf, y, quantised: y), describe("ptq-int8")), requirements=unnamed)
    data = int8_chain(tiny, lambda tf, y, quantised: quantised(tf.math.sin(y)))
    with pytest.raises(ExportError, match=r"operator \d+ \(DEQUANTIZE, .*\) is a float island in the backbone: tensor"):
        check_detector(attach(data, describe("ptq-int8")), requirements=unnamed)


def test_weights_that_share_a_range_are_named(tiny: Tiny, describe: Describe) -> None:
    from export.quantize.fake_quant import fake_quantise, quantised_backbone
    from export.tflite.convert import convert

    model = fake_quantise(tiny.states["float"].model, "per-tensor")
    # Rough activation ranges will do: this is about weights.
    model(np.zeros((1, 32, 32, 3), np.float32), training=True)
    parts = replace(tiny.states["ptq"].parts, backbone=quantised_backbone(model))
    sealed = attach(convert(parts, "int8"), describe("ptq-int8"))
    shared = (
        r"\(DEPTHWISE_CONV_2D, backbone/re_lu_\d\) has weights backbone/re_lu_\d/kernel of which \d+ of 16 channels"
    )
    with pytest.raises(ExportError, match=shared):
        check_detector(sealed)
    check_detector(sealed, requirements=Requirements(depthwise="per-tensor"))


@pytest.mark.parametrize(("change", "words"), [({"axis": 1}, "along axis 1"), ({"scales": 1}, "with 1 scales")])
def test_weights_with_scales_along_another_axis_are_named(
    tiny: Tiny, change: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = read_graph(tiny.sealed["ptq-int8"])

    def turned(operator: Operator) -> Operator:
        image, weights, *others = operator.inputs
        return replace(operator, inputs=(image, replace(weights, **change), *others))

    operators = tuple(turned(one) if one.is_int8_convolution else one for one in graph.operators)
    monkeypatch.setattr("export.tflite.checks.read_graph", lambda *_: replace(graph, operators=operators))
    with pytest.raises(ExportError, match=words):
        check_detector(tiny.sealed["ptq-int8"])


def test_a_stage_without_its_name_is_told(tiny: Tiny, describe: Describe) -> None:
    from export.tflite.naming import name_tensors

    with pytest.raises(ExportError, match="not exactly one tensor is named evidence"):
        check_detector(attach(tiny.raw["float32"].replace(b"evidence\0", b"evidents\0"), describe("float32")))
    with pytest.raises(ExportError, match="no scaling"):
        name_tensors(convert_function(lambda tf, x: outputs_of(tf, x[:, ::4, ::4, :1])))


def test_operators_that_xnnpack_does_not_take_are_told(describe: Describe) -> None:
    def build(tf: Any, x: Any) -> Any:
        halves = tf.nn.avg_pool2d(x, 4, 4, "VALID")
        return outputs_of(tf, tf.reduce_sum(tf.math.cumsum(tf.nn.relu(halves), axis=1) * 2.0, axis=3))

    sealed = attach(convert_function(build), describe())
    with pytest.raises(ExportError, match=r"2 XNNPACK partitions .* \(CUMSUM, "):
        check_detector(sealed, requirements=Requirements(partitions=1, named=False))
    check_detector(sealed, requirements=Requirements(partitions=2, named=False))


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
    rng = np.random.default_rng(0)
    kernels = [rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((3, 3, 3, 8), (1, 1, 8, 8))]

    def build(tf: Any, x: Any) -> Any:
        features = tf.nn.relu6(tf.nn.conv2d(x, kernels[0], 4, "SAME"))
        return outputs_of(tf, tf.reduce_sum(tf.nn.conv2d(features, kernels[1], 1, "SAME"), axis=3, keepdims=True))

    views = tiny.bundle.references.views
    data = convert_function(build, quantise=lambda: ([view[None]] for view in views))
    with pytest.raises(ExportError, match=r"\(CONV_2D, .*\), INT8, is where the float head"):
        check_detector(attach(data, describe("ptq-int8")), requirements=Requirements(named=False))


def test_outputs_by_other_names_cannot_be_sealed(describe: Describe) -> None:
    def build(tf: Any, x: Any) -> Any:
        return {"probability": tf.reduce_mean(x, axis=[1, 2])[:, :2]}

    with pytest.raises(ExportError, match="scores and heatmap"):
        attach(convert_function(build), describe())


@pytest.mark.parametrize("data", [b"", b"PK\3\4" + bytes(100), b"\xff\xff\xff\x7fTFL3" + bytes(100)])
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ExportError):
        inspect(data)
