"""Processes of their own, for what must not affect this one: what may crash, brings TensorFlow, or starts cold."""

import os
import subprocess
import sys
from pathlib import Path

from train.common.errors import ExportError

_ROOT = Path(__file__).parents[2]
_SECONDS = 300


def run_worker(module: str, *arguments: object) -> str:
    """Run `main` of a module of this package and return what it printed; ExportError with its last line if it fails."""
    command = [sys.executable, "-c", f"from export.benchmark.{module} import main; main()", *map(str, arguments)]
    # The environment: this package first, no GPU, and TensorFlow's start-up lines hidden, as they would be the last.
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"{module} did not end within {_SECONDS} seconds; stop other programs and try again."
        ) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["without a word"]
        said = " ".join(lines[-1].split())[:300].rstrip(".")
        raise ExportError(f"{module} failed with status {done.returncode} ({said}).")
    return done.stdout
