"""Unpacking: everything inside the folder or nothing at all, whatever the archive says."""

import io
import lzma
import os
import stat
import struct
import tarfile
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.train.data.get.made_archives import (
    FILES,
    FORMATS,
    USUAL,
    contents,
    member,
    pack,
    pack_tar,
    pack_zip,
    tar_of,
)
from train.common.errors import DataError
from train.data.get.unpack import ArchiveLimits, unpack


@pytest.fixture
def refuse(tmp_path: Path) -> Callable[..., str]:
    """Unpack bytes that must be refused, check that nothing is left, and return the sentence."""

    def run(data: bytes, limits: ArchiveLimits = USUAL) -> str:
        archive = tmp_path / "archive"
        archive.write_bytes(data)
        with pytest.raises(DataError) as caught:
            unpack(archive, tmp_path / "out", limits=limits)
        assert [path.name for path in tmp_path.iterdir()] == ["archive"]
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return run


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_files_back_and_is_told_by_content(tmp_path: Path, form: str) -> None:
    archive = tmp_path / "no-suffix"
    archive.write_bytes(pack(form, FILES.items()))
    told: list[tuple[int, int]] = []
    assert unpack(archive, tmp_path / "out", on_progress=lambda done, total: told.append((done, total))) == len(FILES)
    assert contents(tmp_path / "out") == FILES
    size = archive.stat().st_size
    assert told[-1] == (size, size)
    assert told == sorted(told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["no-suffix", "out"]


def test_permissions_are_plain(tmp_path: Path) -> None:
    loud = member("loud/run.sh", size=3)
    loud.mode = 0o6777
    locked = member("loud", tarfile.DIRTYPE)
    locked.mode = 0
    archive = tmp_path / "archive"
    archive.write_bytes(tar_of(locked, loud))
    unpack(archive, tmp_path / "out")
    plain_file, plain_folder = tmp_path / "plain", tmp_path / "folder"
    plain_file.touch()
    plain_folder.mkdir()
    for path in (tmp_path / "out", tmp_path / "out/loud"):
        assert path.stat().st_mode == plain_folder.stat().st_mode
    assert (tmp_path / "out/loud/run.sh").stat().st_mode == plain_file.stat().st_mode


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(pack("zip", FILES.items()))
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    with pytest.raises(DataError, match="not empty"):
        unpack(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


def test_the_archives_own_folder_and_folders_named_twice_are_fine(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    folders = [member("./", tarfile.DIRTYPE), member("./a", tarfile.DIRTYPE), member("./a/", tarfile.DIRTYPE)]
    archive.write_bytes(tar_of(*folders, member("./a//b.jpg", size=2)))
    assert unpack(archive, tmp_path / "out") == 1
    assert contents(tmp_path / "out") == {"a/b.jpg": b"\0\0"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.jpg", "points out"),
        ("a/../../evil.jpg", "points out"),
        ("/evil.jpg", "absolute"),
        ("C:evil.jpg", "drive letter"),
        ("c:/evil.jpg", "drive letter"),
        ("..\\evil.jpg", "backslash"),
        ("a\nb.jpg", "control characters"),
        ("n" * 256 + ".jpg", "too long"),
        ("/".join(["deep"] * 300), "too long"),
    ],
)
def test_names_that_could_leave_the_folder_are_refused(
    refuse: Callable[..., str], form: str, name: str, said: str
) -> None:
    assert said in refuse(pack(form, [("good.jpg", b"x"), (name, b"evil")]))


def test_a_nul_that_hides_the_rest_of_a_name_is_refused(refuse: Callable[..., str]) -> None:
    data = pack_zip([("good.jpgX.exe", b"x")]).replace(b"good.jpgX", b"good.jpg\0")
    assert "control characters" in refuse(data)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "names",
    [
        ("a/1.jpg", "a/1.jpg"),
        ("x", "x"),
        ("a/1.jpg", "a/./1.jpg"),
        ("a/1.jpg", "A/2.jpg"),
        ("a/1.jpg", "a/1.JPG"),
        ("a", "a/1.jpg"),
        ("a/1.jpg", "a"),
        ("a/é.jpg", unicodedata.normalize("NFD", "a/é.jpg")),
        ("straße.jpg", "STRASSE.jpg"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_land_on_each_other_are_refused(
    refuse: Callable[..., str], form: str, names: tuple[str, str]
) -> None:
    assert "would land on" in refuse(pack(form, [(name, b"x") for name in names]))


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device"),
        (tarfile.GNUTYPE_SPARSE, "special file"),
        (b"?", "a device"),
    ],
)
def test_tar_entries_that_are_no_plain_files_are_refused(refuse: Callable[..., str], kind: bytes, what: str) -> None:
    assert what in refuse(tar_of(member("good.jpg", size=1), member("odd", kind, target="/etc/passwd")))


@pytest.mark.parametrize(("kind", "what"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a device")])
def test_zip_entries_that_are_no_plain_files_are_refused(refuse: Callable[..., str], kind: int, what: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        info = zipfile.ZipInfo("odd")
        info.external_attr = (kind | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    assert what in refuse(buffer.getvalue())


def test_an_encrypted_entry_is_refused(refuse: Callable[..., str]) -> None:
    data = bytearray(pack_zip([("secret.jpg", b"x" * 50)]))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    assert "encrypted" in refuse(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 93])
def test_zip_methods_without_bounded_memory_are_refused(refuse: Callable[..., str], method: int) -> None:
    data = bytearray(pack_zip([("a.jpg", b"x" * 50)]))
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(signature) + place, method)
    assert f"method {method}" in refuse(bytes(data))


@pytest.mark.parametrize("form", FORMATS)
def test_limits_hold(refuse: Callable[..., str], form: str) -> None:
    data = pack(form, [(f"{index}.jpg", os.urandom(1000)) for index in range(20)])
    assert "more than 19 entries" in refuse(data, ArchiveLimits(entries=19))
    assert "more than is allowed" in refuse(data, ArchiveLimits(file_bytes=999))
    assert "'19.jpg'" in refuse(data, ArchiveLimits(total_bytes=19_999))


@pytest.mark.parametrize("form", ("zip", "tar.gz", "tar.bz2", "tar.xz"))
def test_a_bomb_is_stopped_by_its_ratio(refuse: Callable[..., str], form: str) -> None:
    data = pack(form, [(f"{index}.bmp", bytes(24 << 20)) for index in range(3)])
    assert "'2.bmp' unpacks to more" in refuse(data)


def test_a_zip_that_lies_about_sizes_does_not_write_more(refuse: Callable[..., str]) -> None:
    data = bytearray(pack_zip([("a.bmp", bytes(1 << 20))]))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(signature) + place, 100)
    assert "damaged" in refuse(bytes(data))


def test_entries_that_share_their_bytes_are_counted_while_writing(refuse: Callable[..., str]) -> None:
    """David Fifield's bomb in small: many names in the list, one content (https://www.bamsoftware.com/hacks/zipbomb/)."""
    data = pack_zip([("0.bmp", bytes(8 << 20))])
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    listed = data[start:end]
    many = b"".join(listed.replace(b"0.bmp", b"%d.bmp" % index) for index in range(10))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 10, 10, len(many), start, 0)
    # Python refuses the second name, which is not that of the content; either way nothing is left.
    refuse(data[:start] + many + tail)


def test_an_endless_list_of_zip_entries_is_refused_before_it_is_held(refuse: Callable[..., str]) -> None:
    data = pack_zip((f"{'n' * 60}{index}", b"") for index in range(20_000))
    tracemalloc.start()
    try:
        assert "more than 100 entries" in refuse(data, ArchiveLimits(entries=100))
        # The list itself is read; twenty thousand objects are not made of it.
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", FORMATS)
def test_memory_does_not_grow_with_a_file(tmp_path: Path, form: str) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(pack(form, [("zeros.bmp", bytes(48 << 20))]))
    tracemalloc.start()
    try:
        unpack(archive, tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_tar_header_cannot_claim_memory(refuse: Callable[..., str], kind: bytes) -> None:
    data = tar_of(member("header", kind, size=32 << 20), member("good.jpg", size=1))
    tracemalloc.start()
    try:
        assert "damaged" in refuse(data)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_chain_of_tar_headers_cannot_exhaust_the_stack(refuse: Callable[..., str]) -> None:
    assert "damaged" in refuse(tar_of(*(member("header", b"x") for _ in range(5000))))


def test_long_names_still_come_through(tmp_path: Path) -> None:
    name = "/".join(["a folder with a long name, as people like them"] * 12) + "/ü.jpg"
    for index, form in enumerate((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as opened:
            opened.addfile(member(name, size=0))
        archive = tmp_path / f"archive{index}"
        archive.write_bytes(buffer.getvalue())
        unpack(archive, tmp_path / f"out{index}")
        assert list(contents(tmp_path / f"out{index}")) == [name]


def test_a_tar_behind_a_tar_is_refused(refuse: Callable[..., str]) -> None:
    first, second = (pack_tar([(name, b"x")]) for name in ("a.jpg", "b.jpg"))
    assert "after the end" in refuse(first + second)


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(refuse: Callable[..., str]) -> None:
    data = bytearray(pack_tar([("a.jpg", b"x"), ("b.jpg", b"y")]))
    data[1024 + 150] ^= 1
    assert "damaged" in refuse(bytes(data))


def test_several_xz_streams_in_a_row_are_one_archive(tmp_path: Path) -> None:
    plain = pack_tar(FILES.items())
    archive = tmp_path / "archive"
    archive.write_bytes(lzma.compress(plain[:7000]) + bytes(8) + lzma.compress(plain[7000:]))
    unpack(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "data", [b"", b"<!doctype html><title>Sign in</title>", b"PK\x03\x04", b"\x1f\x8b", bytes(2048)]
)
def test_what_is_no_archive_is_refused(refuse: Callable[..., str], data: bytes) -> None:
    refuse(data)


@pytest.mark.parametrize("form", FORMATS)
def test_an_archive_without_files_is_refused(refuse: Callable[..., str], form: str) -> None:
    refuse(pack(form, []))


def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    archive = tmp_path / "archive"
    archive.write_bytes(pack("tar.gz", FILES.items()))
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out", on_progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
