"""LiteRT's arm64 code, the same that runs on phones, under QEMU's user emulation.

It gives the bits of x86 on every core, because the graph is composed so (export/tflite/convert.py): its int8 arithmetic
is exact, the head has as many channels as kernels add up alike, and the sigmoid is made of exactly rounded operations.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes import arm64_assets
from export.runtimes.arm64_assets import CORES
from export.runtimes.interface import Output, RuntimeAbsentError
from export.runtimes.process import Program, run_program
from train.common.errors import ExportError
from train.common.progress import LogCallback

_WORKER = Path(__file__).parent / "arm64_worker.py"


def run(tflite: bytes, views: np.ndarray, runtime: str = "arm64") -> Output:
    """Run views uint8 [N, S, S, 3] through a sealed detector file on one of CORES.

    Raises RuntimeAbsentError where assets are missing, ExportError where what answered was not arm64 code on that core,
    else as run_program.
    """
    read_description(tflite)
    if (reason := missing()) is not None:
        raise RuntimeAbsentError(reason)
    with tempfile.TemporaryDirectory(prefix="fauxlens-arm64-") as place:
        report = Path(place) / "machine.json"
        command = [*emulated_python(runtime), str(_WORKER), str(arm64_assets.packages()), str(report)]
        output = run_program(Program(runtime, command, arm64_assets.folder()), tflite, views)
        if len(views):
            _check_machine(runtime, report.read_text(encoding="utf-8") if report.is_file() else "")
    return output


def missing() -> str | None:
    """What is absent of the emulator and the assets, in one sentence; None where all is there. It starts nothing."""
    if arm64_assets.emulator() is None:
        return "The runtime arm64 needs QEMU's user emulation, which is not on this machine: apt-get install qemu-user."
    if not arm64_assets.folder().exists():
        return "The runtime arm64 needs arm64 programs, which are not set up: run `fauxlens doctor --set-up arm64`."
    return None


def set_up(log: LogCallback) -> None:
    """Make the assets for all cores. Raises ExportError where the emulator or a tool is absent, or a tool fails."""
    if arm64_assets.emulator() is None:
        raise ExportError(str(missing()))
    arm64_assets.make(log)


def emulated_python(runtime: str) -> list[str]:
    """How the emulated Python of one of CORES is started, isolated, and without this machine's variables.

    Some of these are about its processor.
    """
    core = CORES[runtime]
    root = arm64_assets.emulated_root(core)
    # qemu-user starts no emulated machine: the program's system calls are this kernel's.
    emulated = [str(arm64_assets.emulator()), "-L", str(root), "-cpu", core.qemu, str(root / "usr/bin/python3")]
    return ["env", "-i", "OPENBLAS_NUM_THREADS=1", *emulated, "-I", "-S", "-B"]


def _check_machine(runtime: str, report: str) -> None:
    """Raises ExportError unless a worker's report is that of arm64 code on that core, with the versions of here."""
    wanted = {"machine": "aarch64", "built_for": "aarch64-linux-gnu", "dot_product": CORES[runtime].dot_product}
    wanted |= dict(pin.split("==") for pin in arm64_assets.pins())
    try:
        answer = json.loads(report)
    except ValueError:
        answer = report
    if answer != wanted:
        raise ExportError(
            f"The program started as {runtime} ran on another machine: it says {json.dumps(answer)[:300]} and "
            f"should say {json.dumps(wanted)}; remove {arm64_assets.folder()} and run "
            f"`fauxlens doctor --set-up {runtime}`."
        )
