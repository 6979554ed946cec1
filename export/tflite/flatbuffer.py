"""What a TFLite flatbuffer is made of, read by its schema: operators, tensors and their quantisation; nothing is run.

Schema: tflite/converter/schema/schema.fbs of TensorFlow Lite, by the reader that comes with LiteRT.
"""

import functools
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.artifacts.metadata import check_identifier
from train.common.errors import ExportError

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph; `dtype` as schema.fbs names it, e.g. UINT8.

    scales: how many scales it is quantised with, 0 for a plain one, and `axis` the dimension they run along.
    constant: whether its values stand in the file.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: int = 0
    axis: int = 0
    constant: bool = False


@dataclass(frozen=True)
class Operator:
    """One operator in execution order: its index, name (e.g. CONV_2D), and its tensors; absent inputs are left out."""

    index: int
    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    custom: str | None = None

    @property
    def is_convolution(self) -> bool:
        """Whether it is an ordinary, pointwise or depthwise convolution."""
        return self.name in CONVOLUTIONS

    @property
    def is_int8_convolution(self) -> bool:
        """Whether it convolves int8 values by int8 weights."""
        return self.is_convolution and all(tensor.dtype == "INT8" for tensor in self.inputs[:2])

    @property
    def title(self) -> str:
        """How errors call it, e.g. operator 12 (CONV_2D, backbone/conv_pw_4_relu)."""
        result = self.outputs[0].name if self.outputs else "no result"
        return f"operator {self.index} ({self.custom or self.name}, {result})"


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a model, and how many subgraphs and signatures the model has.

    `inputs` and `outputs` carry the names that the first signature gives them, where there is one.
    """

    subgraphs: int
    signatures: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]


def read_graph(tflite: bytes, name: str = "the detector file") -> Graph:
    """Read a model, sealed or just converted; `name` is how errors call it. Raises ExportError where it is damaged."""
    model = open_model(tflite, name)
    try:
        graph = model.Subgraphs(0)
        tensors = tuple(_tensor(model, graph, index) for index in range(graph.TensorsLength()))
        operators = tuple(_operator(model, graph, tensors, index) for index in range(graph.OperatorsLength()))
        inputs, outputs = _ends(model, graph, tensors)
        return Graph(model.SubgraphsLength(), model.SignatureDefsLength(), inputs, outputs, operators)
    except (struct.error, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ExportError(f"{name} is damaged (its operators cannot be read); export it again.") from error


def open_model(tflite: bytes, name: str) -> Any:
    """The generated reader of a model. Raises ExportError for what is none, is damaged or holds no graph."""
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


def int8_values(tflite: bytes, tensor: Tensor, name: str = "the detector file") -> np.ndarray:
    """The values of a constant int8 tensor, in its shape. Raises ExportError where the file does not hold as many."""
    model = open_model(tflite, name)
    data = model.Buffers(model.Subgraphs(0).Tensors(tensor.index).Buffer()).DataAsNumpy()
    if tensor.dtype != "INT8" or not isinstance(data, np.ndarray) or data.size != math.prod(tensor.shape):
        raise ExportError(f"{name} is damaged (tensor {tensor.name} has no values of its shape); export it again.")
    return data.view(np.int8).reshape(tensor.shape)


def constant_values(tflite: bytes, tensor: Tensor, name: str = "the detector file") -> np.ndarray:
    """The real numbers that a constant tensor stands for, float32, in its shape: stored so, or as int8 or int32.

    Quantised values are (integer - zero point) * scale, with a scale a channel along `axis` (LiteRT 8-bit quantization
    specification). Raises ExportError for another type and where the file does not hold as many values.
    """
    model = open_model(tflite, name)
    found = model.Subgraphs(0).Tensors(tensor.index)
    data = model.Buffers(found.Buffer()).DataAsNumpy()
    types = {"FLOAT32": np.float32, "INT8": np.int8, "INT32": np.int32}
    if tensor.dtype not in types:
        raise ExportError(f"{name}: tensor {tensor.name} is {tensor.dtype}; use a float32 or an int8 detector.")
    dtype = np.dtype(types[tensor.dtype])
    if not isinstance(data, np.ndarray) or data.size != math.prod(tensor.shape) * dtype.itemsize:
        raise ExportError(f"{name} is damaged (tensor {tensor.name} has no values of its shape); export it again.")
    values = data.view(dtype).reshape(tensor.shape).astype(np.float32)
    if not tensor.scales:
        return values
    quantization = found.Quantization()
    scales = np.array([quantization.Scale(i) for i in range(tensor.scales)], np.float32)
    zeros = np.array([quantization.ZeroPoint(i) for i in range(quantization.ZeroPointLength())], np.float32)
    along = [1] * values.ndim
    along[tensor.axis] = -1
    offset = zeros.reshape(along) if zeros.size == scales.size else 0.0
    return np.asarray((values - offset) * scales.reshape(along), np.float32)


def operators_between(operators: tuple[Operator, ...], first: Operator, last: Operator) -> tuple[Operator, ...]:
    """The operators on the ways by which `first` reaches `last`, both left out, in execution order."""
    reached = {tensor.index for tensor in first.outputs}
    downstream = []
    for operator in operators[first.index + 1 :]:
        if any(tensor.index in reached for tensor in operator.inputs):
            reached |= {tensor.index for tensor in operator.outputs}
            downstream.append(operator)
    wanted = {tensor.index for tensor in last.inputs}
    ways = []
    for operator in reversed(downstream):
        if operator.index < last.index and any(tensor.index in wanted for tensor in operator.outputs):
            wanted |= {tensor.index for tensor in operator.inputs}
            ways.append(operator)
    return tuple(reversed(ways))


def _tensor(model: Any, graph: Any, index: int) -> Tensor:
    found = graph.Tensors(index)
    # One by one: for a scalar the reader's ShapeAsNumpy gives the number 0.
    shape = tuple(int(found.Shape(i)) for i in range(found.ShapeLength()))
    quantization = found.Quantization()
    return Tensor(
        index,
        (found.Name() or b"").decode("utf-8", "replace"),
        _names("TensorType")[found.Type()],
        shape,
        quantization.ScaleLength() if quantization else 0,
        quantization.QuantizedDimension() if quantization else 0,
        # schema.fbs: every tensor names a buffer, and that of a computed one is empty.
        model.Buffers(found.Buffer()).DataLength() > 0,
    )


def _operator(model: Any, graph: Any, tensors: tuple[Tensor, ...], index: int) -> Operator:
    node = graph.Operators(index)
    code = model.OperatorCodes(node.OpcodeIndex())
    # schema.fbs: files older than schema 3a keep codes below 127 in the deprecated field only.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    custom = code.CustomCode()
    # schema.fbs: -1 stands for an optional input that is absent.
    inputs = tuple(tensors[node.Inputs(i)] for i in range(node.InputsLength()) if node.Inputs(i) >= 0)
    outputs = tuple(tensors[node.Outputs(i)] for i in range(node.OutputsLength()))
    name = _names("BuiltinOperator").get(number, str(number))
    return Operator(index, name, inputs, outputs, custom.decode() if custom else None)


def _ends(model: Any, graph: Any, tensors: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    names: dict[int, str] = {}
    if model.SignatureDefsLength():
        signature = model.SignatureDefs(0)
        maps = [signature.Inputs(i) for i in range(signature.InputsLength())]
        maps += [signature.Outputs(i) for i in range(signature.OutputsLength())]
        names = {entry.TensorIndex(): entry.Name().decode() for entry in maps}

    def end(index: int) -> Tensor:
        found = tensors[index]
        return Tensor(index, names.get(index, found.name), found.dtype, found.shape, found.scales, found.axis)

    inputs = tuple(end(graph.Inputs(i)) for i in range(graph.InputsLength()))
    return inputs, tuple(end(graph.Outputs(i)) for i in range(graph.OutputsLength()))


@functools.cache
def _names(enumeration: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {value: key for key, value in vars(getattr(schema, enumeration)).items() if not key.startswith("_")}
