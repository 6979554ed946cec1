"""Reconstructions in parts: one folder, and merged the files of the whole run, byte by byte."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.train.data.reconstruct.test_reconstruct import BOTH, add, contents, manifest_of
from train.common.errors import DataError
from train.common.parts import WorkPart
from train.data.manifest import Manifest
from train.data.part_files import read_all_parts
from train.data.reconstruct.originals import select_reals
from train.data.reconstruct.parts import merge_reconstruct_parts, reconstruct_part
from train.data.reconstruct.reconstruct import MANIFEST, reconstruct


@pytest.fixture(scope="module")
def reals(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Six small pictures of one source, three larger ones of another, and one that has changed since."""
    folder = tmp_path_factory.mktemp("reals")
    rows = [add(folder, f"a/{n}.jpg", n, (64, 64), source="a", quality=80) for n in range(7)]
    rows += [add(folder, f"b/{n}.jpg", 20 + n, (120, 80), source="b", quality=90) for n in range(3)]
    (folder / "a" / "6.jpg").write_bytes((folder / "a" / "5.jpg").read_bytes())
    found = manifest_of(folder, rows)
    return Manifest(found.frame.with_columns(age=pl.col("source")), folder)


def in_parts(reals: Manifest, folder: Path, count: int, **options: Any) -> list[Path]:
    rows = select_reals(reals)
    return [reconstruct_part(reals, rows, WorkPart(n, count), BOTH, folder, **options) for n in range(1, count + 1)]


def of_the_whole(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if not name.startswith(".") and ".part-" not in name}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 14), scale=st.sampled_from([None, 80]), region=st.sampled_from([None, "eyes"]))
def test_the_parts_are_the_whole_in_bytes(
    count: int, scale: int | None, region: Any, reals: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("made")
    whole = reconstruct(reals, select_reals(reals), BOTH, folder / "whole", scale=scale, region=region)
    assert [one.path for one in whole.skipped] == ["a/6.jpg"]
    parts = in_parts(reals, folder / "parts", count, scale=scale, region=region)
    merged = merge_reconstruct_parts(read_all_parts(parts[::-1]))
    assert of_the_whole(folder / "parts") == of_the_whole(folder / "whole")
    assert (merged.pairs, merged.skipped) == (whole.pairs, whole.skipped)


def test_a_part_made_again_is_the_same_and_makes_nothing(reals: Manifest, tmp_path: Path) -> None:
    in_parts(reals, tmp_path / "out", 3)
    before = contents(tmp_path / "out")

    def refuse(_: np.ndarray) -> np.ndarray:
        raise AssertionError("made again")

    idle = [type(one)(one.name, one.sha256, refuse) for one in BOTH]
    for number in (1, 2, 3):
        reconstruct_part(reals, select_reals(reals), WorkPart(number, 3), idle, tmp_path / "out")
    assert contents(tmp_path / "out") == before
    reconstruct(reals, select_reals(reals), idle, tmp_path / "out")


def test_parts_of_other_choices_and_parts_that_are_not_together_are_refused(reals: Manifest, tmp_path: Path) -> None:
    rows = select_reals(reals)
    one = reconstruct_part(reals, rows, WorkPart(1, 2), BOTH, tmp_path / "out")
    two = reconstruct_part(reals, rows, WorkPart(2, 2), BOTH, tmp_path / "far")
    fewer = reconstruct_part(reals, rows.head(4), WorkPart(2, 2), BOTH, tmp_path / "fewer")
    with pytest.raises(DataError, match="they differ in pictures"):
        read_all_parts([one, fewer])
    with pytest.raises(DataError, match=r"lies outside .*: move the folders of all parts into one"):
        merge_reconstruct_parts(read_all_parts([one, two]))
    two.rename(tmp_path / "out" / two.name)
    with pytest.raises(DataError, match="is missing: copy all output of its part into"):
        merge_reconstruct_parts(read_all_parts([one, tmp_path / "out" / two.name]))
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_where_no_part_made_anything_merging_says_why(reals: Manifest, tmp_path: Path) -> None:
    rows = select_reals(reals).filter(path="a/6.jpg")
    parts = [reconstruct_part(reals, rows, WorkPart(number, 2), BOTH, tmp_path / "out") for number in (1, 2)]
    with pytest.raises(DataError, match=r"No picture could be reconstructed \(.*a/6\.jpg has changed since the scan"):
        merge_reconstruct_parts(read_all_parts(parts))
