"""The reader of `.pth` files: what torch.save writes is read, more than tensors is refused before anything runs."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.train.data.reconstruct.torch_files import state, tensor, text, write_archive, write_tensors
from train.common.errors import DataError
from train.data.reconstruct.torch_file import from_bfloat16, read_torch_file


def test_tensors_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {"0.weight": rng.normal(size=(4, 3, 2, 2)).astype(np.float32), "0.bias": np.arange(4, dtype=np.float32)}
    found = read_torch_file(write_tensors(tmp_path / "a.pth", tensors))
    assert list(found) == list(tensors)
    for name, value in tensors.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(("kind", "dtype"), [("HalfStorage", "<f2"), ("DoubleStorage", "<f8")])
def test_other_types_become_float32(tmp_path: Path, kind: str, dtype: str) -> None:
    values = np.array([[1.5, -2.0], [0.25, 3.0]])
    pickled = state({"w": tensor(7, (2, 2), count=4, kind=kind)})
    found = read_torch_file(write_archive(tmp_path / "a.pth", pickled, {7: values.astype(dtype).tobytes()}))
    np.testing.assert_array_equal(found["w"], values.astype(np.float32))


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 3.140625], np.float32)  # 8 bits of mantissa suffice
    upper = values.view("<u4") >> 16
    np.testing.assert_array_equal(from_bfloat16(upper.astype(np.uint16)), values)
    pickled = state({"w": tensor(0, (3,), count=3, kind="BFloat16Storage")})
    found = read_torch_file(write_archive(tmp_path / "a.pth", pickled, {0: upper.astype("<u2").tobytes()}))
    np.testing.assert_array_equal(found["w"], values)


def test_a_tensor_may_share_a_storage(tmp_path: Path) -> None:
    values = np.arange(10, dtype="<f4")
    pickled = state({"w": tensor(0, (2, 3), count=10, offset=4)})
    found = read_torch_file(write_archive(tmp_path / "a.pth", pickled, {0: values.tobytes()}))
    np.testing.assert_array_equal(found["w"], values[4:].reshape(2, 3))


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_not_executed(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "executed"
    path = write_archive(tmp_path / "a.pth", pickle.dumps({"w": _Touch(trace)}, protocol))
    with pytest.raises(DataError, match="nothing was executed"):
        read_torch_file(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "name", ["os\nsystem", "builtins\neval", "torch\nload", "torch._utils\n_rebuild_parameter", "collections\ndeque"]
)
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    pickled = b"\x80\x02c" + name.encode() + b"\n(" + text("1") + b"tR."
    with pytest.raises(DataError, match=r"names the function .*which weights do not need"):
        read_torch_file(write_archive(tmp_path / "a.pth", pickled))


@pytest.mark.parametrize(
    ("pickled", "storages", "sentence"),
    [
        (state({"w": tensor(0, (2, 2), count=4)}), {0: b"12345678"}, "a storage of 4 numbers has 2"),
        (state({"w": tensor(0, (2, 2), count=4)}), {}, "damaged"),
        (state({"w": tensor(0, (3, 2), count=4)}), {0: bytes(16)}, "is not contiguous in its storage"),
        (state({"w": tensor(0, (2,), count=4, offset=-1)}), {0: bytes(16)}, "is not contiguous in its storage"),
        (state({"w": tensor(0, (2,), count=2, kind="LongStorage")}), {0: bytes(16)}, "which weights do not need"),
        (state({"w": text("no tensor")}), {}, "does not hold a dictionary of tensors"),
        (b"\x80\x02]q\x00.", {}, "does not hold a dictionary of tensors"),
        (b"", {}, "not a file of torch.save"),
        (b"\x80\x02}", {}, "not a file of torch.save|damaged"),
        (b"(((RRR.", {}, "damaged"),
    ],
)
def test_damage_is_told(tmp_path: Path, pickled: bytes, storages: dict[int, bytes], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_torch_file(write_archive(tmp_path / "a.pth", pickled, storages))


def test_other_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with pytest.raises(DataError, match="cannot be read"):
        read_torch_file(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(DataError, match=r"not a file of torch\.save"):
        read_torch_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(DataError, match=r"0 data\.pkl"):
        read_torch_file(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_in_a_packed_archive_is_told(tmp_path: Path, method: int) -> None:
    plain = write_tensors(tmp_path / "a.pth", {"w": np.arange(4000, dtype=np.float32)})
    packed = tmp_path / "b.pth"
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(packed, "w", method) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    good = packed.read_bytes()
    np.testing.assert_array_equal(read_torch_file(packed)["w"], np.arange(4000, dtype=np.float32))
    middle = good.index(b"archive/data/0") + 40
    packed.write_bytes(good[:middle] + bytes(200) + good[middle + 200 :])
    with pytest.raises(DataError, match=r"is not a file of torch\.save|is damaged|cannot be read"):
        read_torch_file(packed)


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = write_tensors(tmp_path / "a.pth", {"w": np.arange(4, dtype=np.float32)})
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"is not a file of torch\.save .*is encrypted"):
        read_torch_file(path)


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    good = state({"w": tensor(0, (2, 2), count=4), "b": tensor(0, (4,), count=4)})
    rng = np.random.default_rng(1)
    path = tmp_path / "a.pth"
    refused = 0
    for _ in range(300):
        bad = bytearray(good)
        bad[rng.integers(len(bad))] = rng.integers(256)
        write_archive(path, bytes(bad), {0: bytes(16)})
        try:
            read_torch_file(path)
        except DataError:
            refused += 1
    assert refused > 100
