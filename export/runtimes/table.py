"""The table of runtimes. A new one is one file here, with `run`, `missing` and `set_up`, and one line in the table."""

import importlib
from typing import Any

import numpy as np

from export.runtimes.interface import Output, Promise, Runtime
from export.runtimes.litert import open_detector_file


def _in_process(name: str, promise: Promise) -> Runtime:
    def call(tflite: bytes, views: np.ndarray) -> Output:
        return open_detector_file(tflite, name)(views)

    return Runtime(name, promise, call, lambda: None)


def _elsewhere(name: str, promise: Promise, within: str = "", **options: str) -> Runtime:
    """A runtime outside this process: a module, `within` or of its own name, imported when it is first asked.

    options: what the module's `run` is given besides, where it is several runtimes.
    """

    def module() -> Any:
        return importlib.import_module(f"export.runtimes.{within or name}")

    def call(tflite: bytes, views: np.ndarray) -> Output:
        output: Output = module().run(tflite, views, **options)
        return output

    def missing() -> str | None:
        reason: str | None = module().missing()
        return reason

    return Runtime(name, promise, call, missing, lambda say: module().set_up(say))


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        _in_process("litert", "bits"),
        # TFLite's own kernels: about one step on 0.04 % of values away from XNNPACK, which grows through the layers.
        _in_process("litert-builtin", "decisions"),
        _elsewhere("jvm", "bits"),
        _elsewhere("mediapipe", "bits"),
        _elsewhere("arm64", "bits"),
        _elsewhere("arm64-a53", "bits", within="arm64", runtime="arm64-a53"),
        _elsewhere("browser", "bits"),
    )
}
