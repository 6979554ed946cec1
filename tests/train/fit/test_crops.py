"""Packed squares: what the view looks at, with a margin, at the file's own resolution; only of the train split."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from train.common.errors import DataError
from train.data.manifest import Manifest, read_manifest
from train.data.rows import decode_row, view_row
from train.fit.crops import margin_of, pack_crops
from train.image.view import parse_view, resize
from train.recipe import FileProcessing

SETTINGS = FileProcessing(side=64, zoom=0.1, shift=0.05)


@pytest.fixture
def manifest(small_manifest: Path) -> Manifest:
    """Sixty rows, all with one face in the middle."""
    whole = read_manifest(small_manifest)
    frame = whole.frame.sort("sha256").head(60)
    eyes = {"faces": pl.lit(1, pl.Int64), "eye_x": pl.lit(48.0), "eye_y": pl.lit(40.0), "eye_distance": pl.lit(20.0)}
    return Manifest(frame.with_columns(**eyes), whole.folder)


def test_the_middle_of_a_square_is_what_the_view_sees(manifest: Manifest, tmp_path: Path) -> None:
    view = parse_view("upright|face(2.5)|resize(32)")
    crops = pack_crops(manifest, view, tmp_path, SETTINGS)
    is_train = (manifest.frame["split"] == "train").to_numpy()
    assert np.array_equal(crops.sides > 0, is_train)
    assert crops.shown == pytest.approx(1 / margin_of(SETTINGS))
    for row in np.flatnonzero(is_train)[:5]:
        square = crops.square(int(row))
        # 2.5 eye distances of 20 px are 50 px; 1.21 times as many with the margin, rounded up.
        assert square.shape == (61, 61, 3)
        seen = view_row(manifest, manifest.frame.row(int(row), named=True), view, "drop")
        middle = resize(np.ascontiguousarray(square[5:55, 5:55]), 32)
        # The odd side puts the middle half a pixel off.
        assert np.abs(middle.astype(int) - seen).mean() < 6
    again = pack_crops(manifest, view, tmp_path, SETTINGS)
    assert np.array_equal(again.pixels, crops.pixels)


def test_without_a_face_the_square_is_the_views_own(manifest: Manifest, tmp_path: Path) -> None:
    crops = pack_crops(manifest, parse_view("upright|square|resize(32)"), tmp_path, FileProcessing(side=96))
    row = int(np.flatnonzero(crops.sides)[0])
    assert crops.shown == 1
    picture = decode_row(manifest, manifest.frame.row(row, named=True))
    assert np.array_equal(crops.square(row), picture.pixels)


def test_large_squares_are_reduced(manifest: Manifest, tmp_path: Path) -> None:
    crops = pack_crops(manifest, parse_view("upright|square|resize(32)"), tmp_path, SETTINGS)
    assert set(crops.sides.tolist()) == {0, 64}


def test_a_damaged_folder_is_told(manifest: Manifest, tmp_path: Path) -> None:
    view = parse_view("upright|square|resize(32)")
    pack_crops(manifest, view, tmp_path, SETTINGS)
    (folder,) = tmp_path.glob("crops-*")
    with (folder / "squares.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="other squares"):
        pack_crops(manifest, view, tmp_path, SETTINGS)
