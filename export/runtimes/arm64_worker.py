"""What runs as arm64 code: views through LiteRT, both outputs handed back raw, and a word on what machine it was.

Started by export/runtimes/arm64.py in the emulated machine's own Python, with -I. It imports nothing of Fauxlens.
"""

import json
import platform
import sys
import sysconfig
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Where the packages of the emulated machine stand.
sys.path.insert(0, sys.argv[1])

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def outputs_of_views(tflite: bytes, views: bytes) -> dict[str, np.ndarray]:
    """`scores` float32 [N, 2] and `heatmap` float32 [N, h, w] of raw views, by XNNPACK on one thread."""
    interpreter = Interpreter(model_content=tflite, num_threads=1)
    runner = interpreter.get_signature_runner()
    shape = runner.get_input_details()["image"]["shape"]
    answers = [runner(image=view[np.newaxis]) for view in np.frombuffer(views, np.uint8).reshape(-1, *shape[1:])]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in ("scores", "heatmap")}


def machine() -> dict[str, Any]:
    """The kernel's name of the machine, what Python was built for, what NumPy finds in the processor, and versions."""
    features = import_module("numpy._core._multiarray_umath").__cpu_features__
    return {
        "machine": platform.machine(),
        "built_for": sysconfig.get_config_var("MULTIARCH"),
        # Armv8.2's integer dot product, for which XNNPACK has kernels of its own.
        "dot_product": bool(features["ASIMDDP"]),
        "ai-edge-litert": version("ai-edge-litert"),
        "numpy": version("numpy"),
    }


def main(report: str, model: str, views: str, scores: str, heatmaps: str) -> None:
    """Read the model and the views, write both outputs, little-endian, and the report as JSON."""
    outputs = outputs_of_views(Path(model).read_bytes(), Path(views).read_bytes())
    for path, name in ((scores, "scores"), (heatmaps, "heatmap")):
        Path(path).write_bytes(outputs[name].astype("<f4").tobytes())
    Path(report).write_text(json.dumps(machine()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[2:])
