"""Which convolutions an engine really computes in int8: what it made of a network, not what the file asks for."""

import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.benchmark.engines import compile_openvino, load_onnxruntime, session_options
from export.tflite.flatbuffer import read_graph


@dataclass(frozen=True)
class Convolutions:
    """How many convolutions compute in int8, and the names of those that do not."""

    int8: int
    in_float: tuple[str, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return self.int8 + len(self.in_float)


def convolutions_of(engine: str, path: Path) -> Convolutions:
    """Those of a file in an engine of ENGINES."""
    return {"LiteRT": _litert, "onnxruntime": _onnxruntime, "OpenVINO": _openvino}[engine](path)


def _litert(path: Path) -> Convolutions:
    every = [one for one in read_graph(path.read_bytes(), path.name).operators if one.is_convolution]
    return _sorted([(one.outputs[0].name, one.is_int8_convolution) for one in every])


def _onnxruntime(path: Path) -> Convolutions:
    """By the graph it has after its own optimisations, which turn QDQ pairs and what is between into one operator."""
    ort, onnx = load_onnxruntime(), importlib.import_module("onnx")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "optimised.onnx"
        options = session_options(1)
        options.optimized_model_filepath = str(written)
        ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(str(written)).graph.node
    every = [node for node in nodes if node.op_type.endswith("Conv")]
    return _sorted([(node.name or node.output[0], node.op_type == "QLinearConv") for node in every])


def _openvino(path: Path) -> Convolutions:
    """By the precision that its compiled model states of each layer."""

    def info(operation: Any, key: str) -> str:
        return str(operation.get_rt_info()[key].astype(str))

    every = [one for one in compile_openvino(path, 1).get_runtime_model().get_ops() if info(one, "layerType") == _CONV]
    return _sorted([(one.get_friendly_name(), info(one, "runtimePrecision") in ("u8", "i8")) for one in every])


_CONV = "Convolution"


def _sorted(every: list[tuple[str, bool]]) -> Convolutions:
    return Convolutions(sum(int8 for _, int8 in every), tuple(name for name, int8 in every if not int8))
