"""Faces found in parts: merged, they are those of the whole search, byte by byte."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.common.parts import WorkPart
from train.data.faces.cache import faces_cache_path
from train.data.faces.find import find_faces
from train.data.faces.parts import find_part, merge_faces_caches, merge_faces_parts, write_faces_part
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.part_files import read_all_parts
from train.data.scan.folder import scan_folder
from train.image.face import Face, FaceDetector

Draw = Callable[..., Image.Image]


class Counting:
    """Finds as many faces as the first pixel's red says, modulo 3; counts the pictures that it sees."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, pixels: object) -> list[Face]:
        self.seen += 1
        count = int(pixels[0, 0, 0]) % 3  # type: ignore[index]
        return [Face((8 + x, 8, 56 + x, 60), (20.0 + x, 30.0), (44.0 + x, 30.0)) for x in range(0, 40 * count, 40)]


def detector(counting: Counting | None = None, name: str = "counting 1") -> FaceDetector:
    return FaceDetector(name, counting or Counting(), most_processes=1)


def in_parts(manifest: Path, out: Path, count: int, counting: Counting | None = None) -> list[Path]:
    parts = []
    for number in range(1, count + 1):
        whole, part, finder = read_manifest(manifest), WorkPart(number, count), detector(counting)
        found = find_part(whole, part, finder, out)
        parts.append(write_faces_part(found, whole, part, finder, out, skin_tone=False))
    return parts


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(60)), count=st.integers(1, 80))
def test_the_parts_are_the_whole_in_bytes(order: list[int], count: int, tree: Path, tmp_path: Path) -> None:
    """Whatever the order of the rows, also where a part has none."""
    path, whole, out = tmp_path / "m.csv", tmp_path / "whole.csv", tmp_path / "out.csv"
    if not path.exists():
        scan_folder(tree, path)
    scanned = read_manifest(path).frame.sort("path")[order].with_columns(prompt=pl.lit("a face"))
    write_manifest(Manifest(scanned, tmp_path), path)
    write_manifest(find_faces(read_manifest(path), detector(), faces_cache_path(whole)), whole)
    assert {0, 1, 2} == set(read_manifest(whole).frame["faces"])
    for cache in tmp_path.glob(".out*"):
        cache.unlink()
    write_manifest(merge_faces_parts(read_all_parts(in_parts(path, out, count)), out), out)
    assert out.read_bytes() == whole.read_bytes()


def test_what_was_found_is_looked_for_once(tree: Path, tmp_path: Path) -> None:
    path, counting = tmp_path / "m.csv", Counting()
    scan_folder(tree, path)
    parts = in_parts(path, path, 4, counting)
    before = [one.read_bytes() for one in parts]
    assert counting.seen == 60
    found = merge_faces_parts(read_all_parts(parts), path)
    write_manifest(found, path)
    merge_faces_caches(read_all_parts(parts), path)
    # Also once the manifest itself has the faces.
    assert [one.read_bytes() for one in in_parts(path, path, 4, counting)] == before
    assert find_faces(read_manifest(path), detector(counting), faces_cache_path(path)).sha256 == found.sha256
    assert counting.seen == 60


def test_parts_of_other_manifests_and_finders_are_refused(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    frame = scan_folder(tree, path).manifest.frame
    first = in_parts(path, tmp_path / "first.csv", 2)
    write_manifest(Manifest(frame.head(40), tmp_path), path)
    second = in_parts(path, tmp_path / "second.csv", 2)
    with pytest.raises(DataError, match="they differ in manifest, rows"):
        read_all_parts([first[0], second[1]])
    other = detector(name="counting 2")
    whole = read_manifest(path)
    found = find_part(whole, WorkPart(2, 2), other, tmp_path / "third.csv")
    third = write_faces_part(found, whole, WorkPart(2, 2), other, tmp_path / "third.csv", skin_tone=False)
    with pytest.raises(DataError, match="they differ in finder"):
        read_all_parts([second[0], third])
