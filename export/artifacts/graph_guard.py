"""Is the graph of a detector file one that `export` could have made? Asked before an interpreter meets the file.

A seal says that a file is whole, not who made it, and LiteRT trusts what it is given: of 1,262 files with altered
graphs and a good seal 15 crashed it and one never ended. So tables, indices, types, shapes, buffers and operators are
compared with what the exporter writes; only then is the file tried, in a process of its own
(export/artifacts/trial.py). Fields by number: schema.fbs of TensorFlow Lite.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from export.artifacts.flat_tables import BadFlatBuffer, FlatTable, root_table
from train.common.errors import ExportError

OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE", 8: "FLOOR", 9: "FULLY_CONNECTED", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU",
    20: "RELU_N1_TO_1", 21: "RELU6", 22: "RESHAPE", 25: "SOFTMAX", 34: "PAD", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB",
    42: "DIV", 43: "SQUEEZE", 45: "STRIDED_SLICE", 47: "EXP", 49: "SPLIT", 53: "CAST", 55: "MAXIMUM", 57: "MINIMUM",
    59: "NEG", 60: "PADV2", 61: "GREATER", 65: "SLICE", 70: "EXPAND_DIMS", 74: "SUM", 82: "REDUCE_MAX", 83: "PACK",
    88: "UNPACK", 92: "SQUARE", 99: "SQUARED_DIFFERENCE", 101: "ABS", 114: "QUANTIZE", 117: "HARD_SWISH",
    152: "RELU_0_TO_1",
}  # fmt: skip
"""What front ends, backbones (train/backbones/table.py), heads and heatmap become, by number."""
# TensorType: number -> bytes an element.
_TYPES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}
_FLOAT32, _UINT8 = 0, 3
_FLOATS = {0: "<f4", 1: "<f2"}
# Of operators whose window moves: fields of the options with strides, and with the factors of dilation or the window.
_STRIDES = {3: (1, 2), 4: (1, 2), 1: (1, 2), 17: (1, 2)}
_FACTORS = {3: (4, 5), 4: (5, 6), 1: (3, 4), 17: (3, 4)}
_OPTIONS = {3: 1, 4: 2, 1: 5, 17: 5}
MAX_OPERATORS, MAX_TENSORS = 2_000, 8_000
MAX_ELEMENTS = 1 << 26
MAX_COMPUTED_BYTES = 1 << 30


@dataclass(frozen=True)
class _Tensor:
    kind: int
    shape: tuple[int, ...]
    constant: bool


def check_graph(tflite: bytes, name: str) -> None:
    """Raise ExportError unless a sealed model's graph could have come from `export`; `name` is what errors call it."""
    try:
        _check(root_table(tflite))
    except (BadFlatBuffer, struct.error, OverflowError) as error:
        raise ExportError(
            f"{name} does not hold a graph that Fauxlens exports ({error}): take a detector made by `fauxlens export`."
        ) from None


def _check(model: FlatTable) -> None:
    _want(model.number(0, "<I") == 3, "its version is not 3")
    graphs = model.tables(2)
    _want(len(graphs) == 1, f"it has {len(graphs)} subgraphs, not one")
    codes = [_code(table) for table in model.tables(1)]
    buffers = [_buffer(table) for table in model.tables(4)]
    graph = graphs[0]
    tables = graph.tables(0)
    _want(0 < len(tables) <= MAX_TENSORS, f"it has {len(tables)} tensors")
    tensors = [_tensor(table, buffers, number) for number, table in enumerate(tables)]
    _check_numbers(tables, buffers)
    computed = sum(math.prod(one.shape) * _TYPES[one.kind] for one in tensors if not one.constant)
    _want(computed <= MAX_COMPUTED_BYTES, f"its tensors take {computed >> 20} MB")
    inputs, outputs = graph.numbers(1, "i") or (), graph.numbers(2, "i") or ()
    for index in (*inputs, *outputs):
        _want(0 <= index < len(tensors) and not tensors[index].constant, "an input or output is no computed tensor")
    _want([tensors[index].kind for index in inputs] == [_UINT8], "its input is not one uint8 tensor")
    _want([tensors[index].kind for index in outputs] == [_FLOAT32] * 2, "its outputs are not two float32 tensors")
    _check_operators(graph, codes, tensors, inputs, outputs)
    _check_signature(model, inputs, outputs)


def _check_operators(
    graph: FlatTable, codes: list[int], tensors: list[_Tensor], inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> None:
    operators = graph.tables(3)
    _want(0 < len(operators) <= MAX_OPERATORS, f"it has {len(operators)} operators")
    known = set(inputs)
    for number, operator in enumerate(operators):
        what = f"operator {number}"
        index = operator.number(0, "<I")
        _want(index < len(codes), f"{what} has no code")
        # Custom options, variables, intermediate tensors, options kept elsewhere: nothing the exporter uses.
        _want(operator.bytes_at(5)[1] == 0, f"{what} has custom options")
        _want(not operator.numbers(8, "i"), f"{what} has intermediate tensors")
        _want(not any(operator.numbers(7, "B") or ()), f"{what} changes a variable")
        _want(not any(operator.has(field) for field in (9, 10, 12)), f"{what} has options that are not its own")
        takes, gives = operator.numbers(1, "i") or (), operator.numbers(2, "i") or ()
        _want(1 <= len(takes) <= 64 and 1 <= len(gives) <= 64, f"{what} takes {len(takes)} tensors")
        for one in takes:
            _want(-1 <= one < len(tensors), f"{what} takes tensor {one}, which is not there")
            _want(one == -1 or tensors[one].constant or one in known, f"{what} takes tensor {one} before it is made")
        for one in gives:
            _want(0 <= one < len(tensors) and not tensors[one].constant, f"{what} gives tensor {one}")
            _want(one not in known, f"{what} gives tensor {one} again")
            known.add(one)
        _check_options(operator, codes[index], what)
        _check_shapes(codes[index], takes, gives, tensors, what)
    _want(set(outputs) <= known, "an output is never made")


def _check_options(operator: FlatTable, code: int, what: str) -> None:
    kind, options = operator.number(3, "<B"), operator.table(4)
    if code not in _OPTIONS:
        return
    _want(kind == _OPTIONS[code] and options is not None, f"{what} lacks its options")
    assert options is not None
    _want(options.number(0, "<B") in (0, 1), f"{what} has an unknown padding")
    for field in _STRIDES[code]:
        _want(1 <= options.number(field, "<i") <= 64, f"{what} has a stride outside 1 to 64")
    for field in _FACTORS[code]:
        _want(1 <= options.number(field, "<i", 1) <= 4096, f"{what} has a window or a dilation outside 1 to 4096")


def _check_shapes(code: int, takes: tuple[int, ...], gives: tuple[int, ...], tensors: list[_Tensor], what: str) -> None:
    shapes = [tensors[one].shape if one >= 0 else () for one in takes]
    result = tensors[gives[0]].shape
    wrong = f"{what} ({OPERATORS[code]}) has shapes that do not fit"
    if code in (3, 4):
        _want(2 <= len(shapes) <= 3 and len(shapes[0]) == len(shapes[1]) == len(result) == 4, wrong)
        channels = shapes[1][0 if code == 3 else 3]
        _want(result[3] == channels and (len(shapes) < 3 or shapes[2] in ((), (channels,))), wrong)
        fits = shapes[0][3] == shapes[1][3] if code == 3 else shapes[1][0] == 1 and channels % shapes[0][3] == 0
        _want(fits and result[0] == shapes[0][0], wrong)
    elif code == 9:
        _want(len(shapes) >= 2 and len(shapes[1]) == 2 and math.prod(shapes[0]) % shapes[1][1] == 0, wrong)
        _want(len(shapes) < 3 or shapes[2] in ((), (shapes[1][0],)), wrong)
    elif code in (22, 43, 70):
        _want(math.prod(shapes[0]) == math.prod(result), wrong)
    elif code in (0, 18, 41, 42, 55, 57, 61, 99):
        _want(len(shapes) == 2 and result == _broadcast(*shapes), wrong)
    elif code in (6, 8, 14, 19, 20, 21, 25, 47, 53, 59, 92, 101, 114, 117, 152):
        _want(len(shapes) == 1 and shapes[0] == result, wrong)
    elif code == 2:
        same_rank = all(len(shape) == len(result) for shape in shapes)
        _want(same_rank and sum(map(math.prod, shapes)) == math.prod(result), wrong)


def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    rank = max(len(one), len(other))
    pairs = list(zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other, strict=True))
    return tuple(map(max, pairs)) if all(1 in pair or pair[0] == pair[1] for pair in pairs) else None


def _check_signature(model: FlatTable, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    signatures = model.tables(7)
    _want(len(signatures) == 1, f"it has {len(signatures)} signatures, not one")
    signature = signatures[0]
    _want(signature.number(4, "<I") == 0, "its signature is of another subgraph")
    for field, wanted in ((0, inputs), (1, outputs)):
        named = sorted(entry.number(1, "<I") for entry in signature.tables(field))
        _want(named == sorted(wanted), "its signature names other tensors than inputs and outputs")
        for entry in signature.tables(field):
            entry.text(0)


def _code(table: FlatTable) -> int:
    code = max(table.number(0, "<b"), table.number(3, "<i"))
    _want(not table.has(1), "it has a custom operator")
    _want(code in OPERATORS, f"operator code {code} is none that the exporter writes")
    _want(1 <= table.number(2, "<i", 1) <= 16, "an operator has an unknown version")
    return code


def _buffer(table: FlatTable) -> tuple[int, int]:
    _want(table.number(1, "<Q") <= 1 and table.number(2, "<Q") <= 1, "a buffer lies outside the model")
    return table.bytes_at(0)


def _tensor(table: FlatTable, places: list[tuple[int, int]], number: int) -> _Tensor:
    what = f"tensor {number}"
    kind, shape, buffer = table.number(1, "<b"), table.numbers(0, "i") or (), table.number(2, "<I")
    _want(kind in _TYPES, f"{what} is of type {kind}")
    _want(len(shape) <= 6 and all(1 <= side <= MAX_ELEMENTS for side in shape), f"{what} has the shape {list(shape)}")
    _want(math.prod(shape) <= MAX_ELEMENTS, f"{what} has the shape {list(shape)}")
    _want((table.numbers(7, "i") or shape) == shape, f"{what} has a shape that is not fixed")
    _want(buffer < len(places), f"{what} has no buffer")
    _want(table.number(5, "<B") == 0 and not table.has(6) and not table.tables(9), f"{what} is sparse or a variable")
    constant = places[buffer][1] > 0
    _want(not constant or places[buffer][1] == math.prod(shape) * _TYPES[kind], f"{what} has values of another number")
    quantization = table.table(4)
    if quantization is not None:
        _check_quantization(quantization, shape, what)
    table.text(3)
    return _Tensor(kind, shape, constant)


def _check_numbers(tables: tuple[FlatTable, ...], places: list[tuple[int, int]]) -> None:
    """Weights that are no numbers need not show in the outputs: on x86 a ReLU makes numbers of them."""
    seen = set()
    for number, table in enumerate(tables):
        kind, buffer = table.number(1, "<b"), table.number(2, "<I")
        # Tensors may share a buffer, which is read once.
        if kind not in _FLOATS or (kind, buffer) in seen:
            continue
        seen.add((kind, buffer))
        start, count = places[buffer]
        values = np.frombuffer(table.data[start : start + count], _FLOATS[kind])
        # A single one may be what a border is filled with.
        good = np.isfinite(values).all() if len(values) > 1 else not np.isnan(values).any()
        _want(bool(good), f"tensor {number} has values that are not finite numbers")


def _check_quantization(table: FlatTable, shape: tuple[int, ...], what: str) -> None:
    scales, points = table.numbers(2, "f") or (), table.numbers(3, "q") or ()
    axis = table.number(6, "<i")
    _want(not table.has(5), f"{what} is quantised in an unknown way")
    _want(all(math.isfinite(scale) and scale > 0 for scale in scales), f"{what} has a scale that is not above 0")
    _want(all(-128 <= point <= 255 for point in points), f"{what} has a zero point outside its numbers")
    if len(scales) > 1:
        _want(0 <= axis < len(shape) and len(scales) == shape[axis], f"{what} has {len(scales)} scales")
    _want(len(points) in (0, len(scales)), f"{what} has {len(points)} zero points for {len(scales)} scales")


def _want(holds: bool, complaint: str) -> None:
    if not holds:
        raise BadFlatBuffer(complaint)
