"""The detector's library for phones, laid out for pages of 16 KB, compared with the one that was published."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from android_demo.apk import layout, pages
from android_demo.apk.errors import ApkError
from export.artifacts.vouched import SHIPPED
from export.inference.detector import read_detector
from export.runtimes import apk as runtime

_ARM64 = "jni/arm64-v8a/libtensorflowlite_jni.so"
_EMULATOR = "jni/x86_64/libtensorflowlite_jni.so"


@pytest.fixture(scope="module")
def published() -> bytes:
    return _published(_ARM64)


@pytest.fixture(scope="module")
def files(published: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The library as it was published, and as the app carries it."""
    if shutil.which("readelf") is None:
        pytest.skip("there is no readelf to compare with: apt-get install binutils")
    folder = tmp_path_factory.mktemp("pages")
    before, after = folder / "before.so", folder / "after.so"
    before.write_bytes(published)
    after.write_bytes(pages.lay_out(published, "it"))
    return before, after


def _published(member: str) -> bytes:
    aars = sorted((layout.TFLITE / "aars").glob("tensorflow-lite-[0-9]*.aar"))
    if not aars:
        pytest.skip("the app is not built here: run `make apk`")
    with zipfile.ZipFile(aars[-1]) as package:
        return package.read(member)


class Segment(NamedTuple):
    kind: str
    offset: int
    address: int
    in_file: int
    in_memory: int
    flags: str
    align: int


def segments(library: Path) -> list[Segment]:
    said = subprocess.run(["readelf", "-lW", str(library)], check=True, capture_output=True, text=True).stdout
    numbers = " ".join([r"(0x[0-9a-f]+)"] * 5)
    pattern = rf"^  (\w+) +{numbers} ([R WE]{{3}}) (0x[0-9a-f]+)$"
    rows = re.findall(pattern, said, re.MULTILINE)
    return [
        Segment(kind, int(offset, 16), int(address, 16), int(file, 16), int(memory, 16), flags.strip(), int(align, 16))
        for kind, offset, address, _, file, memory, flags, align in rows
    ]


def loaded(library: Path) -> list[Segment]:
    return [one for one in segments(library) if one.kind == "LOAD"]


def test_every_segment_suits_pages_of_16_kb_and_none_shares_one(files: tuple[Path, Path]) -> None:
    owners: dict[int, str] = {}
    for one in loaded(files[1]):
        assert one.align == 16384 and (one.offset - one.address) % 16384 == 0
        for page in range(one.address // 16384, -(-(one.address + one.in_memory) // 16384)):
            assert owners.setdefault(page, one.flags) == one.flags, f"page {page:#x} is read in two ways"
    assert not any("W" in flags and "E" in flags for flags in owners.values())
    # The published one fails this: it is why there is another.
    assert min(one.align for one in loaded(files[0])) == 4096


def test_memory_holds_the_same_bytes_at_the_same_addresses(files: tuple[Path, Path]) -> None:
    before, after = (image(file) for file in files)
    assert len(after) == len(before)
    # The ELF header and the table of segments differ; the first section follows them.
    first = min(address for _, address, _, _ in sections(files[0]).values() if address)
    assert after[first:] == before[first:]


def image(library: Path) -> bytes:
    """What memory holds after loading, by the segments alone."""
    data = library.read_bytes()
    memory = bytearray(max(one.address + one.in_memory for one in loaded(library)))
    for one in loaded(library):
        memory[one.address : one.address + one.in_file] = data[one.offset : one.offset + one.in_file]
    # Between the segments stands the notice, which nothing points to.
    return bytes(memory).replace(pages.NOTICE, bytes(len(pages.NOTICE)))


def test_every_section_has_the_same_bytes_and_address(files: tuple[Path, Path]) -> None:
    before, after = (sections(file) for file in files)
    assert before.keys() == after.keys() and len(before) > 20
    contents = [file.read_bytes() for file in files]
    for name, (kind, address, offset, size) in before.items():
        moved = after[name]
        assert (moved[0], moved[1], moved[3]) == (kind, address, size), name
        if kind != "NOBITS":
            assert contents[1][moved[2] : moved[2] + size] == contents[0][offset : offset + size], name
    assert after[".data"][2] != before[".data"][2]


def sections(library: Path) -> dict[str, tuple[str, int, int, int]]:
    """Type, address, place in the file and size of each section by its name."""
    said = subprocess.run(["readelf", "-SW", str(library)], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^  \[ *\d+\] (\.\S+) +(\S+) +([0-9a-f]{16}) ([0-9a-f]{6}) ([0-9a-f]{6})", said, re.MULTILINE)
    return {name: (kind, int(address, 16), int(at, 16), int(size, 16)) for name, kind, address, at, size in rows}


def test_what_is_read_only_after_loading_ends_with_a_page(files: tuple[Path, Path]) -> None:
    (before,), (after,) = ([one for one in segments(file) if one.kind == "GNU_RELRO"] for file in files)
    assert after.address == before.address and (after.address + after.in_memory) % 16384 == 0
    assert 0 < after.in_memory <= before.in_file


def test_the_file_says_that_it_was_changed(files: tuple[Path, Path]) -> None:
    assert files[1].read_bytes().count(pages.NOTICE) == 1
    assert b"modified by Fauxlens" in pages.NOTICE


def test_a_library_that_cannot_be_laid_out_is_left_alone() -> None:
    library = _published(_EMULATOR)
    assert not pages.can_be_laid_out(library) and not pages.is_for_large_pages(library)
    with pytest.raises(ApkError, match="code and data on one page of 16 KB"):
        pages.lay_out(library, "it")
    with pytest.raises(ApkError, match="not a 64-bit ELF file"):
        pages.can_be_laid_out(b"\x7fELF\x01\x01" + bytes(60))


@pytest.mark.slow
def test_it_runs_on_pages_of_16_kb_with_the_bits_of_the_published_one(
    published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = runtime.emulator()
    if emulator is None or shutil.which("aarch64-linux-gnu-gcc") is None:
        pytest.skip("it needs QEMU's user emulation and a compiler for arm64")
    tflite = read_detector(SHIPPED / "bundle.zip")
    size = runtime.read_description(tflite).size
    views = np.random.default_rng(16).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    outputs = {}
    for name, library, page in (
        ("published", published, 4096),
        ("laid out", pages.lay_out(published, "it"), 16384),
    ):
        monkeypatch.setattr(runtime, "APK", _apk(tmp_path / f"{name}.apk", library))
        monkeypatch.setattr(runtime, "emulator", lambda page=page: _with_pages(tmp_path, emulator, page))
        runtime.set_up(lambda _: None)
        outputs[name] = runtime.run(tflite, views)
    assert outputs["laid out"].scores.tobytes() == outputs["published"].scores.tobytes()
    assert outputs["laid out"].heatmaps.tobytes() == outputs["published"].heatmaps.tobytes()


def _apk(path: Path, library: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lib/arm64-v8a/libtensorflowlite_jni.so", library)
    return path


def _with_pages(folder: Path, emulator: str, page: int) -> str:
    """The emulator with pages of another size; glibc's loader refuses the published library on 16 KB."""
    program = folder / f"qemu-{page}"
    program.write_text(f'#!/bin/sh\nexec {emulator} -p {page} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)
