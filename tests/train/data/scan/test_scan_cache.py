"""The cache of a scan: read back as written, or not at all."""

import os
from pathlib import Path

import PIL
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.data.scan import scan_cache
from train.data.scan.scan_cache import (
    RACY_NS,
    Stamp,
    blank,
    read_cache,
    scan_cache_path,
    stamp,
    stamp_frame,
    write_cache,
)

ROWS = pl.DataFrame(
    [
        {"path": "a.jpg", "size": 5, "mtime_ns": 10**18, "ctime_ns": 10**18, "inode": 2**64 - 1, "sha256": "0" * 64}
        | {"phash": "f" * 16, "width": 3, "height": 4, "format": "JPEG", "jpeg_quality": 75, "bytes": 5},
        {"path": "ä/b.png", "size": 0, "mtime_ns": -1, "ctime_ns": 1, "inode": 7, "reason": " is empty (0 bytes)."},
    ],
    schema=scan_cache.SCHEMA,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = scan_cache_path(tmp_path / "faces.csv")
    write_cache(path, ROWS)
    return path


def test_it_is_read_as_it_was_written(path: Path) -> None:
    assert path.name == ".faces.csv.scan"
    assert read_cache(path).equals(ROWS)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    write_cache(path, blank())
    assert read_cache(path).equals(blank())
    assert dict(read_cache(path).schema) == scan_cache.SCHEMA


def test_what_is_missing_or_foreign_is_blank(tmp_path: Path) -> None:
    assert read_cache(tmp_path / "missing").is_empty()
    assert read_cache(tmp_path).is_empty()
    for content in (b"", b"\n", b"path,stamp\na,b\n", b"PAR1"):
        (tmp_path / "foreign").write_bytes(content)
        assert read_cache(tmp_path / "foreign").equals(blank())
    # A table that Polars could read, without the line that says what it is.
    ROWS.write_parquet(tmp_path / "table")
    assert read_cache(tmp_path / "table").equals(blank())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), byte=st.integers(1, 255), cut=st.booleans())
def test_what_is_damaged_is_blank(path: Path, at: int, byte: int, cut: bool) -> None:
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at] ^= byte
    other = path.with_name("damaged")
    other.write_bytes(data[:at] if cut else data)
    assert read_cache(other).equals(blank())


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (scan_cache, "VERSION", scan_cache.VERSION + 1),
        (scan_cache, "DEFINITION", "another hash"),
        (PIL, "__version__", "1.1.7"),
    ],
)
def test_what_another_version_wrote_is_blank(
    path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object
) -> None:
    monkeypatch.setattr(owner, name, value)
    assert read_cache(path).equals(blank())


def test_what_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    write_cache(tmp_path / "file" / "cache", ROWS)
    (tmp_path / "taken").mkdir()
    write_cache(tmp_path / "taken", ROWS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "taken"]


def only_stamp(folder: Path) -> Stamp:
    """The stamp of the only file in a folder."""
    with os.scandir(folder) as entries:
        (entry,) = entries
        return stamp(entry)


def test_a_stamp_tells_a_file_from_its_changed_self(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "a"
    seen = []
    for content in (b"one", b"two"):
        file.write_bytes(content)
        os.utime(file, ns=(10**18, 10**18))
        seen.append(only_stamp(folder))
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "b").replace(file)
    os.utime(file, ns=(10**18, 10**18))
    seen.append(only_stamp(folder))
    assert {entry[:2] for entry in seen} == {(3, 10**18)}
    assert len(set(seen)) == 3
    assert only_stamp(folder) == seen[-1]


def test_what_has_no_stamp_equals_nothing(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    assert only_stamp(tmp_path) == (None, None, None, None)
    stamps = stamp_frame([(1, 2, 3, 4), only_stamp(tmp_path), (1, 2**63, 3, 4), (1, 2, 3, 2**64 - 1)])
    assert stamps.join(stamps, on=scan_cache.STAMP).rows() == [(1, 2, 3, 4), (1, 2, 3, 2**64 - 1)]
    assert stamp_frame([]).schema == stamps.schema


@given(modified=st.integers(0, 2**62), changed=st.integers(0, 2**62), age=st.integers(-(2**40), 2**40))
def test_only_what_was_left_alone_for_long_enough_is_settled(modified: int, changed: int, age: int) -> None:
    started = max(modified, changed) + age
    stamps = stamp_frame([(5, modified, changed, 7), (5, None, changed, 7)])
    assert stamps.select(scan_cache.is_settled(started)).to_series().to_list() == [age > RACY_NS, False]
