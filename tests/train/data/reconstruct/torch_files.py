"""Write `.pth` files as torch.save does, opcode by opcode, so that tests can write bad ones too."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def tensor(key: int, shape: tuple[int, ...], *, count: int, kind: str = "FloatStorage", offset: int = 0) -> bytes:
    """The opcodes that rebuild a tensor of the storage `key`, as PyTorch 2 writes them."""
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]
    storage = (
        b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(str(key)) + text("cpu") + number(count) + b"tQ"
    )
    sides = b"(" + b"".join(map(number, shape)) + b"t(" + b"".join(number(int(one)) for one in strides) + b"t"
    return TENSOR + b"(" + storage + number(offset) + sides + b"\x89ccollections\nOrderedDict\n)RtR"


def state(items: Mapping[str, bytes]) -> bytes:
    """A pickle of an ordered dictionary of these values."""
    body = b"".join(text(name) + value for name, value in items.items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + body + b"u."


def write_archive(path: Path, pickled: bytes, storages: Mapping[int, bytes] = {}) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """Write float32 tensors."""
    items = {name: tensor(key, value.shape, count=value.size) for key, (name, value) in enumerate(tensors.items())}
    storages = {key: value.astype("<f4").tobytes() for key, value in enumerate(tensors.values())}
    return write_archive(path, state(items), storages)
