"""A detector file that nobody vouches for is tried in a process of its own before this one opens it.

What passes is remembered by its SHA-256 and LiteRT's version in the user's cache folder, so that it is tried once.
"""

import os
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version

from export.artifacts.graph_guard import check_graph
from export.artifacts.metadata import read_description
from export.artifacts.seal import digest_of
from export.artifacts.vouched import is_vouched, vouch
from train.common.atomic import write_bytes
from train.common.errors import ExportError
from train.common.places import cache_folder

CPU_SECONDS, PATIENCE = 60, 600
"""What the trial may take: a detector takes below one second of a core, and a busy machine makes it wait."""
MEMORY = 4 << 30
PROGRAM = "from export.inference.trial_worker import serve_trial; serve_trial()"
REFUSED = 3
"""The status of a trial whose file LiteRT refused in words."""


def admit(tflite: bytes, name: str) -> None:
    """Raise ExportError unless a detector file may be given to a runtime, here or in another program.

    It has to be whole and sealed, its graph one that `export` could have made, and LiteRT has to run it in a process
    of its own. `name` is what errors call it.
    """
    read_description(tflite, name)
    check_graph(tflite, name)
    prove(tflite, name)


def prove(tflite: bytes, name: str) -> None:
    """Raise ExportError unless LiteRT opens and runs a file without harm; `name` is what the error calls it."""
    digest = digest_of(tflite)
    if is_vouched(digest):
        return
    note = cache_folder() / "proven" / f"{digest}-{version('ai-edge-litert')}"
    if not note.exists():
        _try(tflite, name)
        # Where it cannot be kept the next process tries again.
        with suppress(OSError):
            write_bytes(note, b"")
    vouch(digest)


def _try(tflite: bytes, name: str) -> None:
    command = [sys.executable, "-P", "-c", PROGRAM]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, input=tflite, env=environment, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ExportError(f"{name} never ends; {_AGAIN}.") from None
    except OSError as error:
        raise ExportError(f"{name} cannot be tested in a separate process ({error}): close other programs.") from None
    if done.returncode == REFUSED:
        reason = done.stdout.decode("utf-8", "replace").split("\n")[0][:300]
        raise ExportError(f"{name} is refused ({reason}); {_AGAIN}.")
    if done.returncode:
        raise ExportError(
            f"{name} crashes LiteRT or needs too much time or memory (status {done.returncode}); {_AGAIN}."
        )


_AGAIN = "take a detector made by `fauxlens export`"
