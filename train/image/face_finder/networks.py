"""The two BlazeFace networks: their files, their shapes, and one call each by LiteRT.

Both are MediaPipe's (Bazarevsky et al. 2019, arXiv:1907.05047), Apache-2.0, taken unchanged from the npm package
`@mediapipe/face_detection` 0.4.1657300184 (models/LICENSE, models/ORIGIN.md).
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from train.common.errors import DataError
from train.common.quiet import native_chatter_hidden

NetworkName = Literal["short_range", "full_range"]


@dataclass(frozen=True)
class Network:
    """What a port must know of one network.

    `side` is the input square's side in pixels; `grids` has (cells a side, anchors a cell) in the order of the outputs'
    rows; `least_logit` is the smallest logit of a candidate, in 1/4096 (MediaPipe's scores 0.5 and 0.6).
    """

    name: NetworkName
    sha256: str
    side: int
    grids: tuple[tuple[int, int], ...]
    least_logit: int

    @property
    def anchors(self) -> int:
        """How many anchors, hence rows, the outputs have."""
        return sum(cells * cells * each for cells, each in self.grids)

    @property
    def path(self) -> Path:
        """Where the file lies that this package carries."""
        return Path(__file__).parent / "models" / f"{self.name}.tflite"


SHORT_RANGE = Network(
    "short_range",
    "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    128,
    ((16, 2), (8, 6)),
    0,
)
FULL_RANGE = Network(
    "full_range",
    "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce",
    192,
    ((48, 1),),
    1661,
)
NETWORKS = (SHORT_RANGE, FULL_RANGE)
LARGEST_FILE = 1 << 20
LICENCE, ORIGIN = (Path(__file__).parent / "models" / name for name in ("LICENSE", "ORIGIN.md"))


def shipped_file(network: Network) -> bytes:
    """Return the file that this package carries; DataError where it is missing or another one."""
    try:
        with network.path.open("rb") as file:
            data = file.read(LARGEST_FILE)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{network.path} cannot be read ({reason}): reinstall Fauxlens.") from None
    return checked_file(network, data, str(network.path))


def checked_file(network: Network, data: bytes, name: str) -> bytes:
    """Return `data` if it is the network's file; else DataError, which calls the file `name`."""
    found = hashlib.sha256(data).hexdigest()
    if found != network.sha256:
        raise DataError(
            f"{name} is not the face finder's file: its SHA-256 is {found[:12]}..., "
            f"expected {network.sha256[:12]}...; get it again."
        )
    return data


@cache
def open_network(network: Network) -> "Interpreter":
    """Return the network ready to run; the file that this package carries is read and checked once a process."""
    return Interpreter(shipped_file(network))


class Interpreter:
    """One network in LiteRT, on one thread; calls from several threads wait for each other."""

    def __init__(self, file: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter as LiteRT

        with native_chatter_hidden():
            self._inside: Any = LiteRT(model_content=file, num_threads=1)
            self._inside.allocate_tensors()
        self._input = self._inside.get_input_details()[0]["index"]
        # By shape: [1, anchors, 16] are the regressors, [1, anchors, 1] the logits.
        outputs = {int(one["shape"][-1]): one["index"] for one in self._inside.get_output_details()}
        self._regressors, self._logits = outputs[16], outputs[1]
        self._lock = Lock()

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take float32 [1, side, side, 3] in -1..1; return regressors [anchors, 16] and logits [anchors], float32."""
        with self._lock:
            self._inside.set_tensor(self._input, tensor)
            self._inside.invoke()
            return self._inside.get_tensor(self._regressors)[0], self._inside.get_tensor(self._logits)[0, :, 0]
