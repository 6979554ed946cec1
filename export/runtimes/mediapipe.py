"""MediaPipe's ImageClassifier: an independent client that opens the detector file unmodified, by its TFLite metadata.

Its package pulls in what must not enter our own environment, so it has one of its own, made from mediapipe.lock, which
comes from the first lines of mediapipe_worker.py.
Task: https://ai.google.dev/edge/mediapipe/solutions/vision/image_classifier
"""

import ctypes.util
import sys
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.interface import Output, RuntimeAbsentError
from export.runtimes.process import Program, run_program, run_tool
from train.common.errors import ExportError
from train.common.progress import LogCallback

_LOCK = Path(__file__).parent / "mediapipe.lock"
_WORKER = Path(__file__).parent / "mediapipe_worker.py"
INGREDIENTS = (_LOCK.read_text(encoding="utf-8"),)

# MediaPipe's library is linked against these two even where it draws nothing; and their packages in Debian.
_SYSTEM_LIBRARIES = {"EGL": "libegl1", "GLESv2": "libgles2"}

NOWHERE = "http://127.0.0.1:9"
"""A proxy that is none. MediaPipe sends metrics of its use to its makers (the privacy notice in its package) and has no
switch for that, but it honours proxies; port 9 is the discard service of RFC 863, which most machines do not run."""


def run(tflite: bytes, views: np.ndarray) -> Output:
    """Run views uint8 [N, S, S, 3] through a sealed detector file in MediaPipe, with its metrics sent nowhere.

    Raises RuntimeAbsentError where assets are missing, else as run_program.
    """
    description = read_description(tflite)
    if (reason := missing()) is not None:
        raise RuntimeAbsentError(reason)
    folder = _folder()
    command = [*_python(folder), str(_WORKER), str(description.size)]
    return run_program(Program("mediapipe", command, folder, _environment(folder)), tflite, views)


def missing() -> str | None:
    """What is absent of MediaPipe's environment, in one sentence; None where it is there. It starts nothing."""
    if not _folder().exists():
        return (
            "The runtime mediapipe needs a separate environment, which is not set up: run "
            "`fauxlens doctor --set-up mediapipe`."
        )
    return None


def set_up(log: LogCallback) -> None:
    """Make MediaPipe's own environment with the user's pip configuration, and start it once.

    Raises ExportError where a system library is absent, and where venv, pip or MediaPipe itself fails.
    """
    if _folder().exists():
        return
    absent = [package for library, package in _SYSTEM_LIBRARIES.items() if ctypes.util.find_library(library) is None]
    if absent:
        raise ExportError(
            f"MediaPipe needs system libraries that are not installed: apt-get install {' '.join(absent)}."
        )

    def make(folder: Path) -> None:
        run_tool("venv", [sys.executable, "-m", "venv", str(folder)], folder)
        log("pip fetches MediaPipe (150 MB) ...")
        pip = [*_python(folder), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        run_tool("pip", [*pip, "--only-binary", ":all:", "--requirement", str(_LOCK)], folder)
        # Matplotlib, which MediaPipe imports, looks for fonts when it is first started and keeps what it finds.
        run_tool("MediaPipe", [*_python(folder), "-c", "import mediapipe"], folder, _environment(folder))

    make_assets(_folder(), make)


def _folder() -> Path:
    return assets_folder("mediapipe", INGREDIENTS)


def _python(folder: Path) -> list[str]:
    """Isolated: no PYTHONPATH, and no module of ours that stands beside the worker."""
    return [str(folder / "bin" / "python"), "-I"]


def _environment(folder: Path) -> dict[str, str]:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), NOWHERE)
    return {**proxies, "no_proxy": "", "NO_PROXY": "", "MPLCONFIGDIR": str(folder / "matplotlib")}
