"""Which operators XNNPACK, LiteRT's delegate on CPUs, takes over, and in how many pieces."""

from typing import Any

from export.runtimes.litert import load_interpreter
from export.tflite.flatbuffer import Operator


def count_partitions(tflite: bytes, name: str = "the detector file") -> int:
    """How many pieces XNNPACK takes over: the DELEGATE nodes LiteRT appends to the graph when it is allocated."""
    return len(_pieces(tflite, name))


def left_out(tflite: bytes, operators: tuple[Operator, ...], name: str = "the detector file") -> tuple[Operator, ...]:
    """The operators that XNNPACK does not take, in execution order: those in no piece."""
    taken: set[int] = set()
    for piece in _pieces(tflite, name):
        # A piece says what goes in and out. Its operators are those on the ways back from the one to the other.
        entries, wanted = set(map(int, piece["inputs"])), set(map(int, piece["outputs"]))
        for operator in reversed(operators):
            if any(tensor.index in wanted for tensor in operator.outputs):
                taken.add(operator.index)
                wanted |= {tensor.index for tensor in operator.inputs} - entries
    return tuple(operator for operator in operators if operator.index not in taken)


def _pieces(tflite: bytes, name: str) -> list[Any]:
    interpreter = load_interpreter(tflite, "litert", name)
    return [node for node in interpreter._get_ops_details() if node["op_name"] == "DELEGATE"]
