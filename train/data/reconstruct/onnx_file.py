"""An autoencoder as an ONNX file, run by onnxruntime (optional): one graph, pixels in, pixels out."""

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from train.common.documents import read_bytes
from train.common.errors import DataError
from train.data.reconstruct.autoencoder import MIN_SIDE, Autoencoder
from train.data.reconstruct.taesd import CELL
from train.data.reconstruct.tiles import TILE, in_tiles
from train.data.reconstruct.torch_file import MAX_BYTES

# A picture of smooth colours comes back at 25 dB and more from any autoencoder that works; at 5 to 10 dB from one whose
# pixels are -1..1 or 0..255.
_RETURNS_FROM = 15.0
# What a side is a multiple of, where it is free: the stride of the encoder. Stable Diffusion's is 8, others' up to 32.
_CELLS = (8, 16, 32, 64)


def open_onnx(path: Path, threads: int = 2) -> Autoencoder:
    """Open an ONNX file as an autoencoder of the file's name, run on so many threads.

    The graph has one input and one output, float32 [1, 3, H, W] or [1, H, W, 3], pixels 0..1; H and W are free or fixed
    and equal. With a fixed size a picture goes through in tiles of it; with a free one its sides are continued to
    multiples of what the graph takes (8, 16, 32 or 64, tried on a small picture). DataError if onnxruntime is not
    installed, or the file is damaged, is no such graph, or does not give its input back.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise DataError(
            f"{path} needs onnxruntime, which is not installed: pip install 'fauxlens[benchmark]'."
        ) from None
    try:
        data = read_bytes(path, error=DataError, remedy="name the ONNX file of an autoencoder", limit=MAX_BYTES)
        # It would report its use to its makers.
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # What goes wrong is raised, too; it would also be written to standard error.
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): check the path.") from None
    except Exception as error:  # noqa: BLE001 its exceptions share no base class of their own
        raise DataError(f"{path} is not an ONNX graph that onnxruntime runs ({_short(error)}): get it again.") from None
    side, channels_first = _interface(session, path)
    name = session.get_inputs()[0].name

    def run(pixels: np.ndarray) -> np.ndarray:
        given = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)) if channels_first else pixels
        try:
            found = np.asarray(session.run(None, {name: given})[0])
        except Exception as error:  # noqa: BLE001 as above
            raise DataError(f"{path} fails in onnxruntime ({_short(error)}): name another autoencoder.") from None
        if found.ndim != 4:
            return found
        return found.transpose(0, 2, 3, 1) if channels_first else found

    tile = side or TILE
    cell = _find_cell(run, path) if side is None else CELL
    if side is not None:
        _check_returns(run, side, path)
    label = re.sub(r"[^A-Za-z0-9._-]+|^\.+", "_", path.stem)
    digest = hashlib.sha256(data).hexdigest()
    return Autoencoder(label, digest, lambda pixels: in_tiles(run, pixels, tile, cell), side or MIN_SIDE)


def _interface(session: Any, path: Path) -> tuple[int | None, bool]:
    """Return the fixed side of the input (None if it is free) and whether channels come first."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    is_plain = len(inputs) == len(outputs) == 1 and inputs[0].type == "tensor(float)"
    shape: list[Any] = list(inputs[0].shape) if is_plain else []
    if len(shape) == 4 and 3 in (shape[1], shape[3]) and (shape[0] == 1 or not isinstance(shape[0], int)):
        channels_first = shape[1] == 3
        sides = shape[2:] if channels_first else shape[1:3]
        if all(not isinstance(side, int) for side in sides):
            return None, channels_first
        if sides[0] == sides[1] and sides[0] % 8 == 0:
            return int(sides[0]), channels_first
    raise DataError(
        f"{path} is not an autoencoder of pictures: it needs one input and one output, float32 [1, 3, H, W] "
        "or [1, H, W, 3], with H and W free, or fixed, equal and multiples of 8."
    )


def _find_cell(run: Any, path: Path) -> int:
    """Return the least of _CELLS whose multiples come back; DataError of the largest, of which all are factors."""
    for cell in _CELLS[:-1]:
        try:
            # An odd multiple, which is none of the next.
            _check_returns(run, 5 * cell, path)
        except DataError:
            continue
        return cell
    _check_returns(run, _CELLS[-1], path)
    return _CELLS[-1]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _check_returns(run: Any, side: int, path: Path) -> None:
    ramp = np.linspace(0.1, 0.9, side, dtype=np.float32)
    given = np.stack([np.broadcast_to(ramp, (side, side)), np.broadcast_to(ramp[:, None], (side, side))], axis=-1)
    given = np.concatenate([given, given.mean(axis=-1, keepdims=True)], axis=-1)[None].astype(np.float32)
    found = run(given)
    error = float(np.mean((found - given) ** 2)) if found.shape == given.shape else np.inf
    if not error < 10 ** (-_RETURNS_FROM / 10):
        raise DataError(f"{path} does not give a picture back: it must take pixels 0..1 and return the same.")
