"""A store packed in parts: merged, it is the store of the whole, byte by byte."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.common.errors import DataError
from train.common.parts import WorkPart
from train.data import store_parts
from train.data.cards.reader import usual_layout
from train.data.manifest import Manifest
from train.data.part_files import PLACE, read_all_parts
from train.data.scan.scan import scan
from train.data.store import open_store, pack
from train.data.store_parts import merge_pack_parts, pack_part
from train.image.view import Unclear, parse_view

VIEW = parse_view("upright|square|resize(8)")
FACE = parse_view("upright|face(2)|resize(8)")


@pytest.fixture
def manifest(tree: Path) -> Manifest:
    return scan(tree, usual_layout(), manifest_path=tree / "m.csv")[0]


def packed(manifest: Manifest, folder: Path, count: int, view: Any = VIEW, unclear: Unclear = "drop") -> list[Path]:
    return [pack_part(manifest, view, WorkPart(n, count), folder, unclear=unclear) for n in range(1, count + 1)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(60)), count=st.integers(1, 80), policy=st.sampled_from(["no face", "drop", "keep"]))
def test_the_parts_are_the_whole_in_bytes(
    order: list[int], count: int, policy: str, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    eyes = {"eye_x": 48.0, "eye_y": 40.0, "eye_distance": 20.0}
    frame = manifest.frame[order].with_columns(faces=pl.int_range(60, dtype=pl.Int64) % 3)
    frame = frame.with_columns(pl.when(pl.col("faces") > 0).then(value).alias(name) for name, value in eyes.items())
    rows, view = Manifest(frame, manifest.folder), VIEW if policy == "no face" else FACE
    unclear: Unclear = "keep" if policy == "keep" else "drop"
    whole = pack(rows, view, folder / "whole", unclear=unclear)
    parts = packed(rows, folder / "parts", count, view, unclear)
    target = merge_pack_parts(read_all_parts(parts[::-1]), folder / "merged")
    assert contents(target) == contents(folder / "whole" / target.name)
    assert np.array_equal(open_store(target, rows, view, unclear).pixels, whole.pixels)


def test_a_part_is_a_shard_with_its_slice_of_the_manifest_and_is_made_once(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack(manifest, VIEW, tmp_path / "whole")
    parts = packed(manifest, tmp_path, 3)
    for path in parts:
        rows = pl.read_parquet(path)
        assert np.array_equal(np.load(path.with_suffix(".npy")), whole.pixels[rows[PLACE].to_numpy()])
        assert rows["path"].to_list() == manifest.frame["path"].gather(rows[PLACE]).to_list()
    monkeypatch.setattr(store_parts, "write_pixels", None)
    assert packed(manifest, tmp_path, 3) == parts


@pytest.mark.parametrize("damage", ["gone", "cut", "another's"])
def test_a_shard_that_is_not_whole_is_refused(manifest: Manifest, tmp_path: Path, damage: str) -> None:
    parts = packed(manifest, tmp_path, 2)
    pixels = parts[1].with_suffix(".npy")
    if damage == "gone":
        pixels.unlink()
    elif damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-100])
    else:
        np.save(pixels, np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="make the part again"):
        merge_pack_parts(read_all_parts(parts), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
