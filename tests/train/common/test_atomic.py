"""Files are whole or not there."""

import errno
import os
import stat
from pathlib import Path

import pytest

from train.common.atomic import check_folder_writable, check_writable, naming, write_atomically, write_bytes, write_text


def test_writes_bytes_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "text.txt"
    write_text(path, "ä\r\n")
    assert path.read_bytes() == "ä\r\n".encode()
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["text.txt"]


def test_an_error_without_a_name_gets_that_of_what_was_to_be_written(tmp_path: Path) -> None:
    target, inside = tmp_path / "store", tmp_path / ".store.abc"
    for given, shown in ((None, target), (inside / "pixels.npy", target), (tmp_path / "in.jpg", tmp_path / "in.jpg")):
        with pytest.raises(OSError, match="No space") as caught, naming(target, inside):
            raise OSError(errno.ENOSPC, "No space left on device", *([] if given is None else [str(given)]))
        assert caught.value.filename == str(shown)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"old")

    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_lies_beside_the_target_with_its_suffix(tmp_path: Path) -> None:
    seen: list[Path] = []

    def write(temporary: Path) -> None:
        seen.append(temporary)
        temporary.write_bytes(b"x")

    write_atomically(tmp_path / "model.tflite", write)
    assert seen[0].parent == tmp_path
    assert seen[0].suffix == ".tflite"


def test_permissions_are_those_of_a_plain_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    write_bytes(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == plain.stat().st_mode


def test_a_link_stays_a_link_and_its_file_gets_the_content(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "m.csv").write_bytes(b"old")
    link, dangling = tmp_path / "m.csv", tmp_path / "new.csv"
    link.symlink_to("shared/m.csv")
    dangling.symlink_to("shared/new.csv")
    for path in (link, dangling):
        write_bytes(path, b"new")
        assert path.is_symlink()
        assert path.read_bytes() == b"new"
    assert sorted(one.name for one in (tmp_path / "shared").iterdir()) == ["m.csv", "new.csv"]


def test_a_pipe_is_written_into_and_no_folder_device_or_unread_pipe_is_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe"):
        write_bytes(pipe, b"nobody reads")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_bytes(pipe, b"read")
    assert os.read(reader, 10) == b"read"
    os.close(reader)
    with pytest.raises(IsADirectoryError):
        write_bytes(tmp_path, b"")
    # The null device: with the right to replace it, it must still be one afterwards.
    write_bytes(Path(os.devnull), b"gone")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.touch(0o600)
    write_bytes(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_disk_without_permissions_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    write_bytes(tmp_path / "file", b"x")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_what_was_made_for_a_file_that_failed_goes_and_the_error_names_the_file(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EFBIG, "File too large")

    with pytest.raises(OSError, match="File too large") as raised:
        write_atomically(tmp_path / "a" / "b" / "c", fail)
    assert raised.value.filename == str(tmp_path / "a" / "b" / "c")
    assert not list(tmp_path.iterdir())


def test_a_place_is_tried_without_leaving_anything(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_writable(tmp_path / "new" / "out.json")
    check_folder_writable(tmp_path / "other")
    for path in (tmp_path, tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=str(path)):
            check_writable(path)
    with pytest.raises(NotADirectoryError):
        check_folder_writable(tmp_path / "file")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    # An export into the folder of the one before, where its report is a folder.
    (tmp_path / "export" / "report").mkdir(parents=True)
    check_folder_writable(tmp_path / "export")
