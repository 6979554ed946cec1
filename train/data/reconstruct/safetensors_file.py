"""Read the tensors of a `.safetensors` file, by the package of that name."""

from pathlib import Path

import numpy as np

from train.common.documents import read_bytes
from train.common.errors import DataError
from train.data.reconstruct.torch_file import MAX_BYTES, from_bfloat16

_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}


def read_safetensors_file(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a file, float32, by name.

    Reads float16, bfloat16, float32 and float64. DataError if the package is not installed, or the file is damaged,
    larger than torch_file.MAX_BYTES, or holds other types.
    """
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError:
        raise DataError("safetensors is not installed: run `make setup`, or pip install 'fauxlens[train]'.") from None
    try:
        remedy = "name the weights of a small autoencoder"
        parts = deserialize(read_bytes(path, error=DataError, remedy=remedy, limit=MAX_BYTES))
    except SafetensorError as error:
        raise DataError(f"{path} is not a complete safetensors file ({error}): get it again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): check the path.") from None
    tensors = {}
    for name, part in parts:
        if part["dtype"] not in _TYPES:
            raise DataError(f"{path}: {name} is of type {part['dtype']}, which is not supported: convert it to float.")
        values = np.frombuffer(bytes(part["data"]), _TYPES[part["dtype"]]).reshape(part["shape"])
        # The package's NumPy reader has no bfloat16.
        tensors[name] = from_bfloat16(values) if part["dtype"] == "BF16" else values.astype(np.float32)
    return tensors
