"""Programs that run detectors outside this process: what they are handed, and how their answers come back.

Such a program is started once for all views, with four paths as its last arguments: the detector file, the views (raw
uint8 [N, S, S, 3]), and two files that it writes: scores float32 [N, 2] and heatmaps float32 [N, h, w], raw and
little-endian, so that every bit arrives.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes.interface import Output, check_views
from train.common.errors import ExportError

TIMEOUT = 600.0
"""Seconds that a program has for all views: against one that hangs. A quiet machine needs a fiftieth of it."""
_SET_UP_SECONDS = 900


@dataclass(frozen=True)
class Program:
    """How a runtime's program is started: its command, what is added to the environment, and where its assets are."""

    runtime: str
    command: Sequence[str]
    assets: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def run_program(program: Program, tflite: bytes, views: np.ndarray) -> Output:
    """Let a program run views uint8 [N, S, S, 3] through a sealed detector file.

    It works in a folder of its own that is removed afterwards. Raises ExportError for a file that is damaged or not
    sealed, views of another shape, and a program that fails, takes longer than TIMEOUT or answers another number of
    bytes.
    """
    description = read_description(tflite)
    check_views(views, description.size)
    if not len(views):
        return Output(np.zeros((0, 2), np.float32), np.zeros((0, *description.heatmap), np.float32))
    runtime = program.runtime
    with tempfile.TemporaryDirectory(prefix=f"fauxlens-{runtime}-") as name:
        model, pictures, scores, heatmaps = (Path(name) / file for file in ("model", "views", "scores", "heatmaps"))
        model.write_bytes(tflite)
        pictures.write_bytes(views.tobytes())
        _start(program, [str(path) for path in (model, pictures, scores, heatmaps)], Path(name))
        count = len(views)
        return Output(_read(runtime, scores, (count, 2)), _read(runtime, heatmaps, (count, *description.heatmap)))


def run_tool(purpose: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a tool of a set-up in `folder`. Raises ExportError with the first line that speaks of an error."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SET_UP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExportError(f"{purpose} failed ({_sentence(str(error))}); fix that and set it up again.") from error
    if done.returncode:
        lines = _lines(done.stderr, done.stdout)
        said = next(
            (line for line in lines if "error" in line.lower() or "ERR!" in line),
            lines[-1] if lines else "without a word",
        )
        raise ExportError(f"{purpose} failed ({_sentence(said)}); fix that and set it up again.")


def _start(program: Program, paths: list[str], folder: Path) -> None:
    again = (
        f"if that stays so, remove {program.assets} and run `fauxlens doctor --set-up {program.runtime}`, which "
        "installs it again."
    )
    try:
        done = subprocess.run(
            [*program.command, *paths],
            cwd=folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError(f"The runtime {program.runtime} did not end within {TIMEOUT:g} seconds; {again}") from error
    except OSError as error:
        raise ExportError(f"The runtime {program.runtime} could not be started ({error}); {again}") from error
    if done.returncode:
        lines = _lines(done.stdout, done.stderr)
        said = f"its last line was: {_sentence(lines[-1])}" if lines else "without a word"
        raise ExportError(f"The runtime {program.runtime} failed with status {done.returncode}, {said}; {again}")


def _read(runtime: str, path: Path, shape: tuple[int, ...]) -> np.ndarray:
    data = path.read_bytes() if path.is_file() else b""
    if len(data) != 4 * np.prod(shape):
        raise ExportError(
            f"The runtime {runtime} wrote {len(data)} bytes of {path.name} where float32 {list(shape)} take "
            f"{4 * np.prod(shape)}; export the detector again."
        )
    return np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)


def _lines(*outputs: bytes) -> list[str]:
    return [line for output in outputs for line in output.decode(errors="replace").splitlines() if line.strip()]


def _sentence(line: str) -> str:
    return " ".join(line.split())[:300].rstrip(".")
