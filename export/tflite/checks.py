"""What is required of an exported detector file: checked in the flatbuffer, before anything is run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from export.artifacts.description import Description
from export.artifacts.metadata import read_description
from export.tflite.flatbuffer import Graph, Operator, Tensor, int8_values, operators_between, read_graph
from export.tflite.head_graph import HEAD_CHANNELS
from export.tflite.naming import STAGES
from export.tflite.xnnpack import count_partitions, left_out
from train.common.errors import ExportError
from train.recipe import Scales

LEAST_REACH = 64
"""The largest weight of every channel quantised by its own range is 127; fine-tuning may move it a little."""


@dataclass(frozen=True)
class GraphFacts:
    """What a detector file is made of.

    `bytes` of the whole file; `operators` counts by name; `int8_convolutions` and `float_convolutions` count CONV_2D
    and DEPTHWISE_CONV_2D; `partitions` is how many pieces of the graph XNNPACK takes over (one is best).
    """

    bytes: int
    subgraphs: int
    signatures: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: Mapping[str, int]
    int8_convolutions: int
    float_convolutions: int
    quantize: int
    dequantize: int
    partitions: int


@dataclass(frozen=True)
class Requirements:
    """What is required of a variant beyond the contract of every detector file; None where nothing is.

    int8_convolutions: exactly how many (27 for MobileNet V1). partitions: at most how many. depthwise: whether the
    depthwise weights of an int8 variant were quantised by a range a channel, or may share one. named: whether the
    tensors of `naming.STAGES` must be found by name.
    """

    int8_convolutions: int | None = None
    partitions: int | None = None
    depthwise: Scales = "per-channel"
    named: bool = True


def inspect(tflite: bytes, name: str = "the detector file") -> GraphFacts:
    """Gather the facts of a model, sealed or just converted. Raises ExportError where it cannot be read or loaded."""
    graph = read_graph(tflite, name)
    counts = Counter(operator.custom or operator.name for operator in graph.operators)
    int8 = sum(operator.is_int8_convolution for operator in graph.operators)
    return GraphFacts(
        bytes=len(tflite),
        subgraphs=graph.subgraphs,
        signatures=graph.signatures,
        inputs=graph.inputs,
        outputs=graph.outputs,
        operators=dict(sorted(counts.items())),
        int8_convolutions=int8,
        float_convolutions=sum(operator.is_convolution for operator in graph.operators) - int8,
        quantize=counts["QUANTIZE"],
        dequantize=counts["DEQUANTIZE"],
        partitions=0 if any(operator.custom for operator in graph.operators) else count_partitions(tflite, name),
    )


def check_detector(
    tflite: bytes, name: str = "the detector file", requirements: Requirements | None = None
) -> GraphFacts:
    """Check a detector file for its contract and `requirements`, and return its facts.

    One subgraph, one signature, batch 1, the right names, types and shapes, no custom or Flex operator. In an int8
    variant every convolution of the backbone is int8 with symmetric weights of one scale a channel, and nothing between
    them is float. Raises ExportError naming the operator and the tensor at fault.
    """
    requirements = requirements or Requirements()
    description = read_description(tflite, name)
    graph = read_graph(tflite, name)
    for operator in graph.operators:
        if operator.custom:
            raise ExportError(
                f"{name}: operator {operator.index} is {operator.custom}, which is not a builtin TFLite operator; "
                "build the graph from builtin operators."
            )
    facts = inspect(tflite, name)
    _check_ends(graph, description, name)
    if requirements.named:
        _check_names(graph, name)
    if description.variant.endswith("int8"):
        _check_int8(graph.operators, description, name)
        _check_scales(tflite, graph.operators, requirements.depthwise, name)
    wanted = requirements.int8_convolutions
    if wanted is not None and facts.int8_convolutions != wanted:
        raise ExportError(
            f"{name} has {facts.int8_convolutions} int8 convolutions where {wanted} were expected; quantise the flat "
            "backbone and convert with Optimize.DEFAULT."
        )
    if requirements.partitions is not None and facts.partitions > requirements.partitions:
        outside = ", ".join(operator.title for operator in left_out(tflite, graph.operators, name)[:3])
        raise ExportError(
            f"{name} falls into {facts.partitions} XNNPACK partitions where at most {requirements.partitions} are "
            "allowed; "
            f"{f'XNNPACK does not take {outside}' if outside else 'no operator is between them'}: build the graph "
            "without it."
        )
    return facts


def _check_ends(graph: Graph, description: Description, name: str) -> None:
    if graph.subgraphs != 1 or graph.signatures != 1:
        raise ExportError(
            f"{name} has {graph.subgraphs} subgraphs and {graph.signatures} signatures where a detector has one of "
            "each; convert a single concrete function."
        )
    size = description.size
    wanted: tuple[tuple[str, str, tuple[int, ...]], ...] = (
        ("image", "UINT8", (1, size, size, 3)),
        ("heatmap", "FLOAT32", (1, *description.heatmap)),
        ("scores", "FLOAT32", (1, 2)),
    )
    found = (*graph.inputs, *sorted(graph.outputs, key=lambda tensor: tensor.name))
    for (title, dtype, shape), tensor in zip(wanted, found, strict=False):
        if (tensor.name, tensor.dtype, tensor.shape) != (title, dtype, shape):
            raise ExportError(
                f"{name}: tensor {tensor.name} is {tensor.dtype} {list(tensor.shape)} where a detector has {title} "
                f"{dtype} {list(shape)}; convert the composed graph with a batch of 1."
            )
    if len(found) != len(wanted):
        raise ExportError(f"{name} has {len(found)} inputs and outputs where a detector has {len(wanted)}.")


def _check_names(graph: Graph, name: str) -> None:
    tensors = [tensor for operator in graph.operators for tensor in (*operator.inputs, *operator.outputs)]
    for stage in STAGES:
        if len({tensor.index for tensor in tensors if tensor.name == stage}) != 1:
            raise ExportError(
                f"{name}: not exactly one tensor is named {stage}; convert "
                "the composed graph with `export.tflite.convert`."
            )


def _check_int8(operators: tuple[Operator, ...], description: Description, name: str) -> None:
    convolutions = [operator for operator in operators if operator.is_convolution]
    int8 = [operator for operator in convolutions if operator.is_int8_convolution]
    if not int8:
        raise ExportError(f"{name} is called {description.variant} but has no int8 convolution; quantise it again.")
    # Before the first int8 convolution lies the front end, whose arithmetic is float; after it only the head is.
    start = convolutions.index(int8[0])
    front = convolutions[:start] if description.front_end == "rgb" else []
    after = [operator for operator in convolutions[start:] if not operator.is_int8_convolution]
    for operator in front or after[:-1]:
        raise ExportError(
            f"{name}: {operator.title} of the backbone runs in {operator.inputs[0].dtype}, not int8; quantise the "
            "whole backbone."
        )
    head = after[-1] if after else None
    # The hidden layers of a dense head, which has no convolution.
    dense = [operator for operator in operators if operator.name == "FULLY_CONNECTED"]
    is_dense = head is None and bool(dense) and all(one.dtype == "FLOAT32" for each in dense for one in each.inputs[:2])
    if not is_dense and (head is None or head is not convolutions[-1] or head.outputs[0].shape[-1] != HEAD_CHANNELS):
        culprit = head or convolutions[-1]
        raise ExportError(
            f"{name}: {culprit.title}, {culprit.inputs[0].dtype}, is where the float head should be; keep the "
            "head out of quantisation."
        )
    # To the end of the backbone, which is where int8 ends before the head: behind its last convolution there may be an
    # activation, a product or a sum. Behind the head the scores may be int8 again.
    end = (head or dense[0]).index
    leaves = [one for one in operators if one.name == "DEQUANTIZE" and not one.inputs[0].constant and one.index < end]
    for operator in operators_between(operators, int8[0], leaves[-1] if leaves else int8[-1]):
        for tensor in (*operator.inputs, *operator.outputs):
            if not tensor.constant and tensor.dtype != "INT8":
                raise ExportError(
                    f"{name}: {operator.title} is a float island in the backbone: tensor {tensor.name} is "
                    f"{tensor.dtype}; quantise the layer it comes from."
                )


def _check_scales(tflite: bytes, operators: tuple[Operator, ...], depthwise: Scales, name: str) -> None:
    """Every convolution has a scale a channel, along axis 0 of CONV_2D and axis 3 of DEPTHWISE_CONV_2D, and uses it.

    LiteRT 8-bit quantization specification. Batch norm, folded into the weights, gives every channel a scale of its own
    even where they were quantised by one range; what tells is whether each channel's weights reach over the integers.
    """
    for operator in operators:
        if not operator.is_int8_convolution:
            continue
        is_depthwise = operator.name == "DEPTHWISE_CONV_2D"
        axis, weights = 3 if is_depthwise else 0, operator.inputs[1]
        channels = weights.shape[axis]
        if weights.scales != channels or (channels > 1 and weights.axis != axis):
            raise ExportError(
                f"{name}: {operator.title} has weights {weights.name} with {weights.scales} scales along axis "
                f"{weights.axis} where {channels} along axis {axis} were expected; quantise the run again."
            )
        if is_depthwise and depthwise == "per-tensor":
            continue
        others = tuple(other for other in range(4) if other != axis)
        largest = np.abs(int8_values(tflite, weights, name).astype(np.int16)).max(axis=others)
        # A channel without any weight is dead, and has no range to use.
        if ((largest > 0) & (largest < LEAST_REACH)).any():
            raise ExportError(
                f"{name}: {operator.title} has weights {weights.name} of which {int((largest < LEAST_REACH).sum())} of "
                f"{channels} channels reach less than half of int8: they were quantised per tensor; quantise them "
                "per channel."
            )
