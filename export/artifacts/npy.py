"""Plain .npy 1.0 arrays in C order: no pickles, and never more memory than the bytes at hand.

Format: numpy/lib/format.py, which NumPy documents as stable. `numpy.load` itself reserves what a header claims.
"""

import io
import math

import numpy as np

from train.common.errors import ExportError


def to_npy(array: np.ndarray) -> bytes:
    """An array of numbers as .npy bytes, the same for the same array."""
    target = io.BytesIO()
    np.lib.format.write_array(target, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return target.getvalue()


def from_npy(data: bytes, name: str) -> np.ndarray:
    """Read uint8 or float32 (little-endian) .npy bytes; a read-only array.

    Raises ExportError where the bytes are something else, or too few or too many for the shape in the header, or a
    number is not finite.
    """
    source = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(source) != (1, 0):
            raise ValueError("not version 1.0")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(source, max_header_size=1000)
    except (ValueError, EOFError, OverflowError) as error:
        reason = str(error).splitlines()[0][:100]
        raise ExportError(f"{name} is not an .npy array ({reason}); export the bundle again.") from error
    if by_columns or dtype not in (np.dtype("<f4"), np.dtype("u1")):
        raise ExportError(f"{name} is not a C-ordered array of uint8 or float32; export the bundle again.")
    body = data[source.tell() :]
    if len(body) != math.prod(shape) * dtype.itemsize or any(side < 0 for side in shape):
        raise ExportError(f"{name} has {len(body)} bytes, which do not fit its shape {shape}; export the bundle again.")
    array: np.ndarray = np.frombuffer(body, dtype).reshape(shape)
    if not np.isfinite(array).all():
        raise ExportError(f"{name} contains NaN or infinity; export the bundle again.")
    return array
