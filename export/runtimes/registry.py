"""The table of runtimes. A new one is one file here, with `run`, `missing` and `set_up`, and one line in the table."""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from export.artifacts.trial import admit
from export.runtimes.interface import Guarantee, Output, ParityRun, Runtime
from export.runtimes.litert import open_detector_file

if TYPE_CHECKING:
    from export.artifacts.bundle import Bundle


def _in_process(name: str, guarantee: Guarantee) -> Runtime:
    def call(tflite: bytes, views: np.ndarray) -> Output:
        return open_detector_file(tflite, name)(views)

    return Runtime(name, guarantee, call, lambda: None)


def _elsewhere(name: str, guarantee: Guarantee, within: str = "", **options: str) -> Runtime:
    """A runtime outside this process: a module, `within` or of its own name, imported when it is first asked.

    options: what the module's `run` is given besides, where it is several runtimes.
    """

    def module() -> Any:
        return importlib.import_module(f"export.runtimes.{within or name}")

    def call(tflite: bytes, views: np.ndarray) -> Output:
        # Other programs trust a graph as LiteRT does, and some of them are emulators without limits.
        admit(tflite, f"the detector file for {name}")
        output: Output = module().run(tflite, views, **options)
        return output

    def missing() -> str | None:
        reason: str | None = module().missing()
        return reason

    return Runtime(name, guarantee, call, missing, lambda log: module().set_up(log))


def _phone(name: str, guarantee: Guarantee) -> Runtime:
    """A runtime that is given a whole bundle: a phone decodes pictures and makes views itself. It has no set-up."""
    elsewhere = _elsewhere(name, guarantee)

    def run_references(bundle: "Bundle", variant: str) -> ParityRun:
        admit(bundle.variants[variant], f"the variant {variant}")
        found: ParityRun = importlib.import_module(f"export.runtimes.{name}").run_references(bundle, variant)
        return found

    return Runtime(name, guarantee, elsewhere.call, elsewhere.missing, run_references=run_references)


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
        # The app's LiteRT is older, and rounds some last bits of a float sum otherwise.
        _elsewhere("apk", "last-bit"),
        _elsewhere("apk-a53", "last-bit", within="apk", runtime="apk-a53"),
        _elsewhere("browser", "bits"),
        # Its GPU guarantees decisions only; that comes with its answer.
        _phone("device", "last-bit"),
    )
}
