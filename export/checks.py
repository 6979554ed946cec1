"""Static promises of an exported detector file: read from the flatbuffer, before anything is run."""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export.description import Description
from export.errors import ExportError
from export.metadata import check_identifier, read_description
from export.runtimes.litert import load_interpreter

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Operator:
    """One operator in execution order: its index, name (e.g. CONV_2D), the types of its first input and filter, and
    the shape of its first output."""

    index: int
    name: str
    input_type: str
    filter_type: str
    output_shape: tuple[int, ...]
    custom: str | None


@dataclass(frozen=True)
class Tensor:
    """An input or output of the model by its signature name; `dtype` as schema.fbs names it, e.g. UINT8."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Facts:
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


def inspect(tflite: bytes, name: str = "the detector file") -> Facts:
    """Gather the facts of a model, sealed or just converted. Raises ExportError where it cannot be read or loaded."""
    model = _model(tflite, name)
    operators = operators_of(tflite, name)
    counts = Counter(operator.custom or operator.name for operator in operators)
    int8 = sum(_is_int8(operator) for operator in operators if operator.name in _CONVOLUTIONS)
    convolutions = sum(operator.name in _CONVOLUTIONS for operator in operators)
    inputs, outputs = _ends(model, name)
    return Facts(
        bytes=len(tflite),
        subgraphs=model.SubgraphsLength(),
        signatures=model.SignatureDefsLength(),
        inputs=inputs,
        outputs=outputs,
        operators=dict(sorted(counts.items())),
        int8_convolutions=int8,
        float_convolutions=convolutions - int8,
        quantize=counts["QUANTIZE"],
        dequantize=counts["DEQUANTIZE"],
        partitions=0 if any(o.custom for o in operators) else count_partitions(tflite, name),
    )


def check_detector(
    tflite: bytes,
    name: str = "the detector file",
    *,
    int8_convolutions: int | None = None,
    partitions: int | None = None,
) -> Facts:
    """Hold a detector file to its contract and return its facts.

    One subgraph, one signature, batch 1, the right names, types and shapes, no custom or Flex operator; in an int8
    variant every convolution of the backbone is int8. `int8_convolutions` and `partitions`, where given, are the exact
    count wanted (27 for MobileNet V1) and the most allowed. Raises ExportError naming the operator or tensor at fault.
    """
    description = read_description(tflite, name)
    operators = operators_of(tflite, name)
    for operator in operators:
        if operator.custom:
            raise ExportError(
                f"{name}: operator {operator.index} is {operator.custom}, which no stock runtime has; build the graph "
                "from TFLite's own operators."
            )
    facts = inspect(tflite, name)
    _check_ends(facts, description, name)
    if description.variant.endswith("int8"):
        _check_int8(operators, description, name)
    if int8_convolutions is not None and facts.int8_convolutions != int8_convolutions:
        raise ExportError(
            f"{name} has {facts.int8_convolutions} int8 convolutions where {int8_convolutions} were expected; "
            "quantise the flat backbone and convert with Optimize.DEFAULT."
        )
    if partitions is not None and facts.partitions > partitions:
        raise ExportError(
            f"{name} falls into {facts.partitions} XNNPACK partitions where at most {partitions} are allowed; look for "
            "an operator that XNNPACK does not take."
        )
    return facts


def operators_of(tflite: bytes, name: str = "the detector file") -> tuple[Operator, ...]:
    """The operators of the first subgraph in execution order. Raises ExportError where they cannot be read."""
    model = _model(tflite, name)
    try:
        graph = model.Subgraphs(0)
        return tuple(_operator(model, graph, index) for index in range(graph.OperatorsLength()))
    except (struct.error, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ExportError(f"{name} is damaged (its operators cannot be read); export it again.") from error


def count_partitions(tflite: bytes, name: str = "the detector file") -> int:
    """How many pieces XNNPACK takes over: the DELEGATE nodes LiteRT appends to the graph when it is allocated."""
    interpreter = load_interpreter(tflite, "litert", name)
    return sum(node["op_name"] == "DELEGATE" for node in interpreter._get_ops_details())


def _check_ends(facts: Facts, description: Description, name: str) -> None:
    if facts.subgraphs != 1 or facts.signatures != 1:
        raise ExportError(
            f"{name} has {facts.subgraphs} subgraphs and {facts.signatures} signatures where a detector has one of "
            "each; convert a single concrete function."
        )
    size = description.size
    wanted = (
        Tensor("image", "UINT8", (1, size, size, 3)),
        Tensor("heatmap", "FLOAT32", (1, *description.heatmap)),
        Tensor("scores", "FLOAT32", (1, 2)),
    )
    found = (*facts.inputs, *sorted(facts.outputs, key=lambda tensor: tensor.name))
    for one, other in zip(wanted, found, strict=False):
        if one != other:
            raise ExportError(
                f"{name}: tensor {other.name} is {other.dtype} {list(other.shape)} where a detector has {one.name} "
                f"{one.dtype} {list(one.shape)}; convert the composed graph with a batch of 1."
            )
    if len(found) != len(wanted):
        raise ExportError(f"{name} has {len(found)} inputs and outputs where a detector has {len(wanted)}.")


def _check_int8(operators: tuple[Operator, ...], description: Description, name: str) -> None:
    convolutions = [operator for operator in operators if operator.name in _CONVOLUTIONS]
    first = next((i for i, operator in enumerate(convolutions) if _is_int8(operator)), None)
    if first is None:
        raise ExportError(f"{name} is called {description.variant} but has no int8 convolution; quantise it again.")
    # Before the first int8 convolution lies the front end, whose arithmetic is float; after it only the head is.
    front = convolutions[:first] if description.front_end == "rgb" else []
    after = [operator for operator in convolutions[first:] if not _is_int8(operator)]
    for operator in front or after[:-1]:
        raise ExportError(
            f"{name}: operator {operator.index} ({operator.name}) of the backbone runs in {operator.input_type}, not "
            "int8; quantise the whole backbone."
        )
    head = after[-1] if after else None
    if head is None or head is not convolutions[-1] or head.output_shape[-1] != 1:
        culprit = head or convolutions[-1]
        raise ExportError(
            f"{name}: operator {culprit.index} ({culprit.name}, {culprit.input_type}) stands where the float 1x1 head "
            "should be; keep the head out of quantisation."
        )


def _is_int8(operator: Operator) -> bool:
    return operator.input_type == "INT8" and operator.filter_type == "INT8"


def _model(tflite: bytes, name: str) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    check_identifier(tflite, name)
    model = schema.Model.GetRootAs(tflite, 0)
    try:
        usable = model.SubgraphsLength() > 0
    except (struct.error, IndexError, ValueError) as error:
        raise ExportError(f"{name} is damaged (its root cannot be read); export it again.") from error
    if not usable:
        raise ExportError(f"{name} holds no graph; export it again.")
    return model


def _operator(model: Any, graph: Any, index: int) -> Operator:
    node = graph.Operators(index)
    code = model.OperatorCodes(node.OpcodeIndex())
    # schema.fbs: files older than schema 3a keep codes below 127 in the deprecated field only.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    custom = code.CustomCode()
    inputs = [node.Inputs(i) for i in range(node.InputsLength()) if node.Inputs(i) >= 0]
    types = [_names("TensorType")[graph.Tensors(i).Type()] for i in inputs[:2]] + ["", ""]
    shape = tuple(int(side) for side in graph.Tensors(node.Outputs(0)).ShapeAsNumpy())
    name = _names("BuiltinOperator").get(number, str(number))
    return Operator(index, name, types[0], types[1], shape, custom.decode() if custom else None)


def _ends(model: Any, name: str) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    graph = model.Subgraphs(0)
    names: dict[int, str] = {}
    if model.SignatureDefsLength():
        signature = model.SignatureDefs(0)
        maps = [signature.Inputs(i) for i in range(signature.InputsLength())]
        maps += [signature.Outputs(i) for i in range(signature.OutputsLength())]
        names = {entry.TensorIndex(): entry.Name().decode() for entry in maps}

    def tensor(index: int) -> Tensor:
        found = graph.Tensors(index)
        shape = tuple(int(side) for side in found.ShapeAsNumpy())
        return Tensor(names.get(index, found.Name().decode()), _names("TensorType")[found.Type()], shape)

    inputs = tuple(tensor(graph.Inputs(i)) for i in range(graph.InputsLength()))
    return inputs, tuple(tensor(graph.Outputs(i)) for i in range(graph.OutputsLength()))


def _names(enumeration: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {value: key for key, value in vars(getattr(schema, enumeration)).items() if not key.startswith("_")}
