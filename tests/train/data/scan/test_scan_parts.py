"""A scan in parts: merged, it is the manifest of the whole scan, byte by byte, whatever is in the folder."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.common.parts import WorkPart, part_path
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.part_files import read_all_parts, read_part
from train.data.scan.folder import scan_folder, scan_folder_part
from train.data.scan.parts import merge_scan_caches, merge_scan_parts
from train.data.scan.scan_cache import read_cache, scan_cache_path
from train.data.scan.skipped import read_skipped, write_skipped
from train.data.splits import torn_groups, torn_look_alikes

Draw = Callable[..., Image.Image]
CARD = """title = "Mine"
[expected]
real = 9
[[rule]]
glob = "{split}/real/{who}-*.jpg"
label = "real"
generator = "camera"
source = "mine"
split = "{split}"
group = "who:{who}"
attributes = { who = "{who}" }
[[rule]]
glob = "{split}/fake/*.jpg"
label = "fake"
generator = "sdxl"
source = "mine"
"""


def merged(folder: Path, out: Path, count: int, **options: Any) -> Path:
    """Scan a folder in parts and merge them, as the verbs do."""
    parts = [scan_folder_part(folder, out, WorkPart(number, count), **options) for number in range(1, count + 1)]
    manifest, skipped = merge_scan_parts(read_all_parts(parts[::-1]), out)
    write_manifest(manifest, out)
    write_skipped(skipped, out)
    return out


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes() and read_skipped(one) == read_skipped(other)


PICTURES = st.lists(
    st.tuples(
        st.sampled_from(
            ["train/real/anna", "test/real/anna", "test/real/bert", "train/fake/x", "odd/fake/y", "train/y"]
        ),
        # Few of them, so that copies and near-duplicates stand in several folders and parts.
        st.integers(0, 4),
        st.sampled_from([95, 60, 0]),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pictures=PICTURES, count=st.integers(1, 9), card=st.booleans())
def test_the_parts_are_the_whole_in_bytes(
    pictures: list[tuple[str, int, int]], count: int, card: bool, tmp_path: Path, draw: Draw
) -> None:
    folder, path = tmp_path / "set", tmp_path / "card.toml"
    shutil.rmtree(folder, ignore_errors=True)
    for left in tmp_path.glob("*.csv"):
        left.unlink()
    path.write_text(CARD)
    # One of each class that can be read, without which there is no manifest.
    for index, (start, seed, quality) in enumerate([("train/real/zoe", 7, 90), ("train/fake/z", 8, 90), *pictures]):
        place = folder / f"{start}-{index}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        if quality:
            draw(seed).save(place, quality=quality)
        else:
            place.write_bytes(b"\xff\xd8\xff\xe0 cut")
    options: dict[str, Any] = {"card": str(path)} if card else {}
    whole = tmp_path / "whole.csv"
    scan_folder(folder, whole, **options)
    assert same(merged(folder, tmp_path / "m.csv", count, **options), whole)


def test_parts_made_again_are_the_same_and_read_no_picture(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = merged(tree, tmp_path / "m.csv", 3)
    paths = [part_path(out, WorkPart(number, 3)) for number in (1, 2, 3)]
    before = [path.read_bytes() for path in paths]
    # Files so new are read again, as they may still change: let them be older.
    monkeypatch.setattr("train.data.scan.scan_cache.RACY_NS", -(10**12))
    merged(tree, out, 3)
    monkeypatch.setattr("train.data.scan.measure.read_picture_file", None)
    merged(tree, out, 3)
    assert [path.read_bytes() for path in paths] == before
    merge_scan_caches(read_all_parts(paths), out)
    assert read_cache(scan_cache_path(out)).height == 60
    scan_folder(tree, tmp_path / "m.csv")


def test_a_part_knows_no_groups_and_merging_tears_none(tmp_path: Path, draw: Draw) -> None:
    for index in range(12):
        path = tmp_path / "set" / ("real" if index % 2 else "fake") / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(index // 4).save(path, quality=60 + index)
    out = merged(tmp_path / "set", tmp_path / "m.csv", 4)
    assert {"group", "split"}.isdisjoint(read_part(part_path(out, WorkPart(1, 4))).frame.columns)
    found = read_manifest(out)
    assert found.frame["group"].n_unique() == 3
    assert torn_groups(found).is_empty()
    assert torn_look_alikes(found).is_empty()


def test_a_manifest_that_is_there_keeps_groups_splits_and_faces(tree: Path, tmp_path: Path, draw: Draw) -> None:
    out, whole = tmp_path / "m.csv", tmp_path / "whole.csv"
    first = scan_folder(tree, whole).manifest.frame
    named = first.with_columns(faces=pl.lit(0, pl.Int64), group=pl.lit("club:") + first["group"], split=pl.lit("val"))
    for path in (out, whole):
        write_manifest(Manifest(named, tmp_path), path)
    draw(900).save(tree / "real" / "new.jpg")
    scan_folder(tree, whole)
    assert same(merged(tree, out, 5), whole)
    assert read_manifest(out).frame["faces"].null_count() == 1


def test_parts_of_another_state_of_the_folder_are_refused(tree: Path, tmp_path: Path, draw: Draw) -> None:
    one = scan_folder_part(tree, tmp_path / "m.csv", WorkPart(1, 2))
    draw(900).save(tree / "real" / "new.jpg")
    two = scan_folder_part(tree, tmp_path / "m.csv", WorkPart(2, 2))
    with pytest.raises(DataError, match="they differ in listing"):
        read_all_parts([one, two])


def test_a_class_that_no_part_can_read_is_missed_when_they_are_merged(tree: Path, tmp_path: Path) -> None:
    for path in (tree / "real").iterdir():
        path.write_bytes(b"\xff\xd8\xff\xe0 cut")
    parts = [scan_folder_part(tree, tmp_path / "m.csv", WorkPart(number, 2)) for number in (1, 2)]
    with pytest.raises(DataError, match=r"2 parts has no real picture .*; 30 skipped, the first because .*00\.jpg"):
        merge_scan_parts(read_all_parts(parts), tmp_path / "m.csv")


def test_merging_into_another_folder_moves_the_paths(tree: Path, tmp_path: Path) -> None:
    parts = [scan_folder_part(tree, tmp_path / "m.csv", WorkPart(number, 2)) for number in (1, 2)]
    manifest, _ = merge_scan_parts(read_all_parts(parts), tmp_path / "far" / "m.csv")
    assert all((tmp_path / "far" / ".." / path[3:]).resolve().is_file() for path in manifest.frame["path"])
