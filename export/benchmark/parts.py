"""The parts of one detector as models of their own: what leads to the backbone, the bare backbone, what follows it.

They are cut out of the detector file itself, so weights and scales are its own, and in a row they give its scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.benchmark.latency import allocate
from export.tflite.flatbuffer import read_graph
from train.common.errors import ExportError
from train.common.quiet import native_chatter_hidden

FRONT, BACKBONE, HEAD = "front end, scale", "bare backbone", "head, heatmap"


@dataclass(frozen=True)
class NetworkPart:
    """A piece of a detector: a TFLite model with one input, and the batch that a view gives it there."""

    name: str
    tflite: bytes
    batch: np.ndarray


def cut_parts(tflite: bytes, view: np.ndarray, name: str) -> tuple[NetworkPart, ...]:
    """Cut a sealed int8 detector into FRONT, BACKBONE and HEAD, fed with what one view uint8 [S, S, 3] becomes there.

    The cuts are at the backbone's int8 tensors. Raises ExportError where the detector has none, and where its parts in
    a row do not give its scores.
    """
    graph = read_graph(tflite, name)
    makers = {tensor.name: operator for operator in graph.operators for tensor in operator.outputs}
    quantised, features = makers.get("backbone/input"), makers.get("features")
    if quantised is None or features is None or features.name != "DEQUANTIZE":
        raise ExportError(f"{name} has no int8 backbone to measure separately; choose an int8 variant.")
    image, begin, end = graph.inputs[0].index, quantised.outputs[0].index, features.inputs[0].index
    # The scores first, which the proof below looks at.
    outputs = [tensor.index for tensor in sorted(graph.outputs, key=lambda tensor: tensor.name != "scores")]
    parts, batch = [], view[np.newaxis]
    for title, entry, exits in ((FRONT, image, [begin]), (BACKBONE, begin, [end]), (HEAD, end, outputs)):
        piece = cut_model(tflite, [entry], exits)
        parts.append(NetworkPart(title, piece, batch))
        batch = _first_output(piece, batch)
    if not np.array_equal(batch, _first_output(cut_model(tflite, [image], outputs), view[np.newaxis])):
        raise ExportError(f"The parts of {name} do not reproduce its scores, so their times would be meaningless.")
    return tuple(parts)


def cut_model(tflite: bytes, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The model that leads from some tensors, by index, to others: what lies between and its constants, no metadata."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite, 0))
    graph = model.subgraphs[0]
    wanted, kept = set(outputs), []
    for operator in reversed(graph.operators):
        if wanted & set(map(int, operator.outputs)):
            kept.append(operator)
            wanted |= set(map(int, operator.inputs)) - set(inputs)
    graph.operators = kept[::-1]
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    model.subgraphs, model.signatureDefs, model.metadata = [graph], [], []
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _first_output(tflite: bytes, batch: np.ndarray) -> np.ndarray:
    with native_chatter_hidden():
        interpreter = allocate(tflite, 1)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
        interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
