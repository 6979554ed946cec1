"""The engines that run a network here: each opens a file of it with a number of threads. Packages are imported late.

All are held to the same: a number of threads that they may use, none pinned to a processor and none that goes on
spinning after an invocation, since another engine has the next turn; the network's float parts in float32.
"""

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from export.benchmark.latency import load_with_threads

Outputs = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Opened:
    """A network in an engine: `feed` takes a batch uint8 [1, S, S, 3], `invoke` runs it, `read` gives scores float32
    [1, 2] and heatmap float32 [1, h, w]."""

    feed: Callable[[np.ndarray], object]
    invoke: Callable[[], object]
    read: Callable[[], Outputs]


@dataclass(frozen=True)
class Engine:
    """`load` imports the engine's package and returns it; `open` takes a file, sealed or made by this process, and a
    number of threads."""

    name: str
    load: Callable[[], Any] = field(repr=False)
    open: Callable[[Path, int], Opened] = field(repr=False)


def open_litert(path: Path, threads: int) -> Opened:
    """A sealed detector file in LiteRT, by XNNPACK."""
    interpreter = load_with_threads(path.read_bytes(), path.name, threads)
    image = interpreter.get_input_details()[0]["index"]
    outputs = next(iter(interpreter._get_full_signature_list().values()))["outputs"]

    def read() -> Outputs:
        return interpreter.get_tensor(outputs["scores"]), interpreter.get_tensor(outputs["heatmap"])

    return Opened(lambda batch: interpreter.set_tensor(image, batch), interpreter.invoke, read)


def open_onnxruntime(path: Path, threads: int) -> Opened:
    """An ONNX file in onnxruntime, on the CPU."""
    ort = load_onnxruntime()
    session = ort.InferenceSession(str(path), session_options(threads), providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name in ("scores", "heatmap"):
        binding.bind_output(name, "cpu")

    def feed(batch: np.ndarray) -> None:
        binding.bind_ortvalue_input("image", ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(batch)))

    def read() -> Outputs:
        scores, heatmap = binding.copy_outputs_to_cpu()
        return scores, heatmap

    return Opened(feed, lambda: session.run_with_iobinding(binding), read)


def open_openvino(path: Path, threads: int) -> Opened:
    """A `.tflite` or ONNX file in OpenVINO, on the CPU, by its latency hint."""
    ov = load_openvino()
    request = compile_openvino(path, threads).create_infer_request()

    def feed(batch: np.ndarray) -> None:
        request.set_input_tensor(ov.Tensor(np.ascontiguousarray(batch), shared_memory=False))

    def read() -> Outputs:
        return request.get_tensor("scores").data.copy(), request.get_tensor("heatmap").data.copy()

    return Opened(feed, lambda: request.infer(share_outputs=True), read)


def session_options(threads: int) -> Any:
    """onnxruntime's options for a number of threads."""
    options = load_onnxruntime().SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # 3 is error: it warns of its own optimisations.
    options.log_severity_level = 3
    # onnxruntime_session_options_config_keys.h: threads still spin during an invocation, but not after it.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def compile_openvino(path: Path, threads: int) -> Any:
    """OpenVINO's compiled model of a file."""
    core = load_openvino().Core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
        # Else what is float in the network runs in bfloat16 where the processor can.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return core.compile_model(core.read_model(str(path)), "CPU", settings)


def load_litert() -> Any:
    """LiteRT's interpreter."""
    return importlib.import_module("ai_edge_litert.interpreter")


def load_onnxruntime() -> Any:
    """onnxruntime, whose builds since 1.29 send notes of every session to their makers unless they are told not to."""
    # Its Privacy.md; has to be there before the library is loaded. `disable_telemetry_events` comes too late.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return importlib.import_module("onnxruntime")


def load_openvino() -> Any:
    """OpenVINO without its converter, whose very import tells its makers of it unless one has opted out."""
    for name in ("openvino.tools.ovc", "openvino_telemetry"):
        # None makes an import of that name fail, and OpenVINO does without it.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("LiteRT", load_litert, open_litert),
        Engine("onnxruntime", load_onnxruntime, open_onnxruntime),
        Engine("OpenVINO", load_openvino, open_openvino),
    )
}
