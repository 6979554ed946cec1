"""The process in which a detector file from a stranger is tried (export/artifacts/trial.py)."""

import os
import sys
from contextlib import suppress

import numpy as np

from export.artifacts.metadata import read_description
from export.artifacts.trial import CPU_SECONDS, MEMORY, REFUSED
from export.runtimes.litert import open_converted
from train.common.errors import ExportError


def serve_trial() -> None:
    """Open and run the file that comes by standard input: all that the process of a trial does."""
    _limit()
    tflite = sys.stdin.buffer.read()
    try:
        run = open_converted(tflite, name="the file")
        rng = np.random.default_rng(0)
        side = read_description(tflite).size
        views = [np.zeros((side, side, 3)), np.full((side, side, 3), 255), rng.integers(0, 256, (side, side, 3))]
        run(np.stack(views).astype(np.uint8))
    except (ExportError, RuntimeError, ValueError) as error:
        sys.stdout.write(" ".join(str(error).split()))
        sys.stdout.flush()
        os._exit(REFUSED)


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
