"""The table of runtimes. A new one is one file here, with `run` and `missing`, and one line in the table."""

import numpy as np

from export.runtimes.interface import Output, Promise, Runtime
from export.runtimes.litert import open_detector_file


def _in_process(name: str, promise: Promise) -> Runtime:
    def call(tflite: bytes, views: np.ndarray) -> Output:
        return open_detector_file(tflite, name)(views)

    return Runtime(name, promise, call, lambda: None)


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        _in_process("litert", "bits"),
        # TFLite's own kernels: about one step on 0.04 % of values away from XNNPACK, which grows through the layers.
        _in_process("litert-builtin", "decisions"),
    )
}
