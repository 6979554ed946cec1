"""Read the tensors of a PyTorch `.pth` file without PyTorch and without executing anything that is in it.

Such a file (torch.save since 1.6) is a ZIP archive, not compressed: `NAME/data.pkl` is a pickle that says which tensor
is which part of which storage, and `NAME/data/KEY` are the storages' bytes. A pickle may call any function that it
names. Here it may name the few that a dictionary of tensors needs, which stand for functions of this file; any other
name is refused before anything of it is imported.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.common.documents import read_bytes
from train.common.errors import DataError
from train.common.zip_damage import ZIP_DAMAGE

# Larger than any autoencoder that this is for; bounds what a hostile archive can ask for.
MAX_BYTES = 1 << 30
_MAX_PICKLE = 1 << 22
_TYPES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "BFloat16Storage": "<u2"}


@dataclass(frozen=True)
class _Storage:
    values: np.ndarray
    is_bfloat16: bool


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a dictionary saved by torch.save, float32, by name.

    Reads float16, bfloat16, float32 and float64. DataError if the file is not such an archive, is damaged, is larger
    than MAX_BYTES, holds anything but a flat dictionary of dense tensors, or names any function but those that rebuild
    one.
    """
    try:
        data = read_bytes(path, error=DataError, remedy="name the weights of a small autoencoder", limit=MAX_BYTES)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise DataError(f"{path} holds more than {MAX_BYTES:,} bytes: name the weights of a small autoencoder.")
            found = _TensorUnpickler(archive, path).load()
    except ZIP_DAMAGE as error:
        raise DataError(f"{path} is not a file of torch.save ({error}): get it again.") from None
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} is damaged or contains more than tensors ({error}): use weights from a source you trust."
        ) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        # What pickle raises on opcodes that do not fit together.
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}): get it again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): check the path.") from None
    if not isinstance(found, dict) or not all(isinstance(value, np.ndarray) for value in found.values()):
        raise DataError(f"{path} does not hold a dictionary of tensors: name the weights of a tiny autoencoder.")
    return {str(name): value for name, value in found.items()}


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise DataError(f"{path} is not a file of torch.save: it has {len(pickles)} data.pkl in it instead of one.")
        if archive.getinfo(pickles[0]).file_size > _MAX_PICKLE:
            raise DataError(
                f"{path} has a data.pkl of more than {_MAX_PICKLE:,} bytes: name the weights of a small one."
            )
        self._archive, self._path, self._top = archive, path, pickles[0].removesuffix("data.pkl")
        byteorder = f"{self._top}byteorder"
        if byteorder in archive.namelist() and archive.read(byteorder) != b"little":
            raise DataError(f"{path} was saved on a big-endian machine: save it again on another.")
        super().__init__(io.BytesIO(archive.read(pickles[0])))

    def find_class(self, module: str, name: str) -> Any:
        """Return what an allowed name stands for; the default would import whatever the file names."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _TYPES:
            return name
        raise DataError(
            f"{self._path} names the function {module}.{name}, which weights do not need: nothing was executed; use "
            "weights from a source you trust."
        )

    def persistent_load(self, identity: Any) -> _Storage:
        """Return the storage that a tensor lies in: ("storage", type, key, device, count)."""
        kind, type_name, key, _, count = identity
        if kind != "storage" or type_name not in _TYPES or not str(key).isdigit():
            raise DataError(f"{self._path} contains an unsupported kind of storage ({type_name}): convert it to float.")
        values = np.frombuffer(self._archive.read(f"{self._top}data/{key}"), _TYPES[type_name])
        if len(values) != count:
            raise DataError(f"{self._path} is damaged: a storage of {count} numbers has {len(values)}: get it again.")
        return _Storage(values, type_name == "BFloat16Storage")


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> np.ndarray:
    count = int(np.prod(shape, dtype=np.int64))
    dense: list[int] = []
    step = 1
    for side in reversed(shape):
        dense.insert(0, step)
        step *= side
    if any(side < 0 for side in shape) or not 0 <= offset <= len(storage.values) - count or tuple(dense) != strides:
        raise DataError(f"A tensor of shape {shape} is not contiguous in its storage: get the file again.")
    values = storage.values[offset : offset + count].reshape(shape)
    return from_bfloat16(values) if storage.is_bfloat16 else values.astype(np.float32)


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """Return bfloat16 numbers, given as uint16, as float32: they are its upper halves."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
