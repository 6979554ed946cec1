"""Unpacking what chance draws: damaged archives and any names are unpacked whole inside the folder, or not at all."""

import os
import tempfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.train.data.get.made_archives import FILES, FORMATS, contents, pack, pack_tar
from train.common.errors import DataError
from train.data.get.entry_names import claim, safe_parts
from train.data.get.unpack import unpack

PACKED = {form: pack(form, FILES.items()) for form in FORMATS}


def survives(data: bytes, form: str) -> None:
    """Unpack damaged bytes: DataError or the right files, nothing beside the folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "archive").write_bytes(data)
        try:
            unpack(folder / "archive", folder / "out")
        except DataError:
            assert [path.name for path in folder.iterdir()] == ["archive"]
        else:
            assert sorted(path.name for path in folder.iterdir()) == ["archive", "out"]
            # A plain tar has no checksum over content and long names; only its headers are guarded.
            assert form == "tar" or contents(folder / "out") == FILES


@settings(max_examples=150, deadline=None)
@given(form=st.sampled_from(FORMATS), share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_archive_is_an_error(form: str, share: float) -> None:
    survives(PACKED[form][: int(len(PACKED[form]) * share)], form)


@settings(max_examples=250, deadline=None)
@given(form=st.sampled_from(FORMATS), share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_flipped_byte_is_an_error_or_does_no_harm(form: str, share: float, bits: int) -> None:
    data = bytearray(PACKED[form])
    data[int(len(data) * share)] ^= bits
    survives(bytes(data), form)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=2000),
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"]),
)
def test_noise_is_an_error(noise: bytes, start: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name, "archive")
        archive.write_bytes(start + noise)
        with pytest.raises(DataError):
            unpack(archive, Path(name, "out"))


NAMES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.lists(
        st.sampled_from(["..", ".", "", "a", "A", "b.jpg", "C:", "\\", "\0", "é", " ", "~", "..."]), max_size=6
    ).map("/".join),
)


@settings(max_examples=500, deadline=None)
@given(NAMES)
@example("..")
@example("a/..")
@example("\u2024\u2024/a")
def test_a_name_that_passes_stays_inside(name: str) -> None:
    try:
        parts = safe_parts(name, "an entry")
    except DataError:
        return
    assert not any(part in ("", ".", "..") or "/" in part or "\\" in part or "\0" in part for part in parts)
    joined = os.path.normpath("/base/folder/" + "/".join(parts))
    assert joined == "/base/folder" or joined.startswith("/base/folder/")
    assert not PurePosixPath(name).is_absolute()


@settings(max_examples=200, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=8))
def test_any_names_unpack_whole_inside_or_not_at_all(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            (folder / "archive").write_bytes(pack_tar((name, b"x") for name in names))
        except ValueError:
            # tarfile itself cannot write this name.
            return
        try:
            count = unpack(folder / "archive", folder / "out")
        except DataError:
            assert [path.name for path in folder.iterdir()] == ["archive"]
        else:
            assert sorted(path.name for path in folder.iterdir()) == ["archive", "out"]
            assert len(contents(folder / "out")) == count == len(names)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "A", "b", "ß", "ss"]), min_size=1, max_size=3), max_size=6))
def test_files_are_refused_exactly_when_they_would_meet_on_a_forgetful_disk(paths: list[list[str]]) -> None:
    taken: dict[str, str] = {}
    for index, path in enumerate(paths):
        try:
            claim(tuple(path), is_folder=False, taken=taken, where="an entry")
        except DataError:
            assert meet(paths[: index + 1])
            return
        assert not meet(paths[: index + 1])


def meet(paths: list[list[str]]) -> bool:
    """Tell, by looking at all of them, whether files meet each other, or folders of one name in two spellings."""
    written: dict[tuple[str, ...], set[tuple[tuple[str, ...], bool]]] = {}
    for path in paths:
        for depth in range(1, len(path) + 1):
            part = tuple(path[:depth])
            folded = tuple(name.casefold() for name in part)
            written.setdefault(folded, set()).add((part, depth == len(path)))
    return len({tuple(path) for path in paths}) < len(paths) or any(len(ways) > 1 for ways in written.values())
