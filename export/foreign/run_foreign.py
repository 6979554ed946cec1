"""A model that is not ours, `.tflite` or `.onnx`, run in a process of its own, for its graph may be made to harm.

The graph of a detector is held to what `export` writes (export/artifacts/graph_guard.py); a stranger's may have any
operator, so nothing of it comes into this process but arrays of numbers, whose sizes are checked.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from export.artifacts.seal import read_file
from export.foreign.worker import PROGRAM, REFUSED
from train.common.documents import read_json_object
from train.common.errors import ExportError

Pixels = Literal["0..255", "0..1", "-1..1", "imagenet"]
PIXELS: tuple[Pixels, ...] = get_args(Pixels)
"""What a model of real numbers takes for a grey level v: v, v / 255, v / 127.5 - 1, or as torchvision's weights do."""
SUFFIXES = (".tflite", ".onnx")
PATIENCE = 900
MAX_OUTPUT_BYTES = 2 << 30
_WHERE = "give the position of the score for fake with --scores-at OUTPUT:INDEX"
_AGAIN = "take a model with one input of pictures, or leave out what it cannot do"


@dataclass(frozen=True)
class ForeignInput:
    """The one input of a model: its name, its shape with a batch of 1, and its type as NumPy calls it."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class ForeignRun:
    """What a model takes, the names of its outputs, and of each tensor asked for its values, float32 [N, ...].

    Quantised values are real numbers. Tensors stand in the order of execution, outputs last.
    """

    input: ForeignInput
    outputs: tuple[str, ...]
    tensors: Mapping[str, np.ndarray]


def is_foreign(path: Path) -> bool:
    """Whether a path is called like a model that could be anybody's."""
    return path.suffix.lower() in SUFFIXES


def is_onnx(path: Path) -> bool:
    """Whether a model runs in onnxruntime; else in LiteRT."""
    return path.suffix.lower() == ".onnx"


def run_foreign(
    path: Path,
    batch: np.ndarray | None,
    *,
    pixels: Pixels | None = None,
    runtime: str = "litert",
    every_tensor: bool = False,
) -> ForeignRun:
    """Run a model on a batch [N, ...], one by one; without a batch only say what it takes.

    batch: views uint8 [N, S, S, 3] where `pixels` is given, else the model's own inputs, float32 or uint8, without or
    with a batch axis of 1 each. runtime: `litert` or `litert-builtin` for a `.tflite`; an `.onnx` runs in onnxruntime.
    every_tensor: also what lies between, which XNNPACK does not keep. Raises ExportError for a file that is missing, is
    refused, crashes or takes too long, and for inputs that do not fit.
    """
    data = read_file(path)
    with tempfile.TemporaryDirectory(prefix="fauxlens-foreign-") as name:
        folder = Path(name)
        (folder / "model").write_bytes(data)
        request = {
            "kind": path.suffix.lower().removeprefix("."),
            "runtime": runtime,
            "pixels": pixels,
            "every_tensor": every_tensor,
            "batch": None if batch is None else [str(batch.dtype), list(batch.shape)],
        }
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        if batch is not None:
            (folder / "batch").write_bytes(np.ascontiguousarray(batch).tobytes())
        _start(folder, str(path))
        found = read_json_object(folder / "answer.json", error=ExportError, remedy=_AGAIN)
        return _answer(found, folder, str(path), 0 if batch is None else len(batch))


def _start(folder: Path, name: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", PROGRAM, str(folder)]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ExportError(f"{name} did not end within {PATIENCE} seconds; give fewer inputs.") from None
    except OSError as error:
        raise ExportError(f"{name} cannot be run in a separate process ({error}): close other programs.") from None
    if done.returncode == REFUSED:
        reason = done.stdout.decode("utf-8", "replace").split("\n")[0][:300].rstrip(".")
        raise ExportError(f"{name} cannot be run: {reason}.")
    if done.returncode:
        raise ExportError(f"{name} crashes its runtime or needs too much time or memory (status {done.returncode}).")


def _answer(found: Mapping[str, object], folder: Path, name: str, count: int) -> ForeignRun:
    try:
        taken, listed, outputs = found["input"], found["tensors"], found["outputs"]
        assert isinstance(taken, dict) and isinstance(listed, list) and isinstance(outputs, list)
        shape = tuple(int(side) for side in taken["shape"])
        tensors = {}
        for number, (title, sides) in enumerate(listed):
            whole = (count, *(int(side) for side in sides))
            file = folder / f"{number}.f4"
            size = file.stat().st_size
            if size != 4 * math.prod(whole) or size > MAX_OUTPUT_BYTES:
                raise ExportError(f"{name} returned {title} in a different size than declared; {_AGAIN}.")
            tensors[str(title)] = np.frombuffer(file.read_bytes(), "<f4").reshape(whole)
        said = ForeignInput(str(taken["name"]), shape, str(taken["dtype"]))
        return ForeignRun(said, tuple(map(str, outputs)), tensors)
    except (AssertionError, KeyError, TypeError, ValueError, OSError) as error:
        raise ExportError(f"{name} returned a result that cannot be read ({error}); {_AGAIN}.") from None


def score_of(run: ForeignRun, where: str, name: str) -> np.ndarray:
    """The score of each picture, float64 [N], at a place of a model's outputs.

    where: `OUTPUT:I`, `OUTPUT:I-J` for the difference of two logits, `OUTPUT` of one number, `:I` of the only output,
    or nothing for a model of one output of one number. Raises ExportError where there is no such place, or a score is
    not finite.
    """
    title, colon, place = where.rpartition(":")
    if where in run.outputs or not colon:
        title, place = where, ""
    if not title and len(run.outputs) == 1:
        title = run.outputs[0]
    shown = ", ".join(f"{one} of {math.prod(run.tensors[one].shape[1:])} numbers" for one in run.outputs)
    if title not in run.outputs:
        raise ExportError(
            f"{name} has the outputs {shown}: give the position of the score for fake with --scores-at OUTPUT:INDEX."
        )
    values = run.tensors[title].reshape(len(run.tensors[title]), -1).astype(np.float64)
    indices = [int(one) for one in place.split("-") if one.isdecimal()] if place else [0]
    if (not place and values.shape[1] != 1) or not 1 <= len(indices) <= 2 or max(indices) >= values.shape[1]:
        raise ExportError(
            f"{name} has the outputs {shown}: give the position of the score for fake with --scores-at OUTPUT:INDEX."
        )
    scores = values[:, indices[0]] - (values[:, indices[1]] if len(indices) == 2 else 0.0)
    if not np.isfinite(scores).all():
        raise ExportError(f"{name} gives {int((~np.isfinite(scores)).sum())} scores that are NaN or infinite.")
    return scores


def check_pixels(pixels: str, taken: ForeignInput, size: int, name: str) -> Pixels:
    """The range of grey levels a model takes, checked with its input against views of a size; ExportError otherwise."""
    sides: Sequence[Sequence[int]] = ([1, size, size, 3], [1, 3, size, size])
    if list(taken.shape) not in [list(one) for one in sides]:
        raise ExportError(
            f"{name} takes {taken.dtype} {list(taken.shape)}, and the view gives [1, {size}, {size}, 3]: give the "
            "model's view with --view, ending in resize(SIDE)."
        )
    if not pixels and taken.dtype == "uint8":
        return "0..255"
    for one in PIXELS:
        if pixels == one:
            return one
    raise ExportError(f"{name} takes {taken.dtype}: give its range with --pixels: one of {', '.join(PIXELS)}.")
