"""The features file: what is written comes back, and what is none is told in one sentence."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from train.common.errors import TrainError
from train.common.own_files import FEATURES, foreign_file
from train.features.table import LABELS, FeatureNote, FeatureTable, read_features, write_features

NOTE = FeatureNote("mobilenet-v1 (none)", "upright|square|resize(32)", "drop", "0" * 64, "manifest.csv")


@pytest.fixture
def features() -> FeatureTable:
    rows = pl.DataFrame({name: [f"{name}-{i}" for i in range(3)] for name in LABELS})
    return FeatureTable(rows, np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32), NOTE)


@pytest.mark.parametrize("name", ["a.parquet", "a.npz"])
def test_what_is_written_comes_back_to_the_bit(features: FeatureTable, tmp_path: Path, name: str) -> None:
    write_features(features, tmp_path / name)
    again = read_features(tmp_path / name)
    assert again.rows.equals(features.rows)
    assert again.values.dtype == np.float32
    np.testing.assert_array_equal(again.values, features.values)
    assert again.note == NOTE
    assert foreign_file({tmp_path / name: FEATURES}) is None


def test_other_programs_read_it_without_pickle(features: FeatureTable, tmp_path: Path) -> None:
    write_features(features, tmp_path / "a.parquet")
    write_features(features, tmp_path / "a.npz")
    column = pl.read_parquet(tmp_path / "a.parquet")["features"]
    assert column.dtype == pl.Array(pl.Float32, 5)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["features"], column.to_numpy())
        assert arrays["path"].tolist() == features.rows["path"].to_list()


@pytest.mark.parametrize("name", ["a.parquet", "a.npz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"PAR1 no table PAR1"])
def test_what_is_none_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainError, match=r"is not a features file .*: name a file made by `fauxlens embed`") as caught:
        read_features(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_parquet_of_something_else_is_told(tmp_path: Path) -> None:
    pl.DataFrame({"image": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(TrainError, match="is not a features file"):
        read_features(tmp_path / "a.parquet")


def test_no_picture_and_no_number_are_told(features: FeatureTable, tmp_path: Path) -> None:
    broken = features.values.copy()
    broken[1, 2] = np.nan
    write_features(replace(features, values=broken), tmp_path / "a.npz")
    write_features(replace(features, rows=features.rows.head(0), values=features.values[:0]), tmp_path / "b.npz")
    for name in ("a.npz", "b.npz"):
        with pytest.raises(TrainError, match="has no pictures, or values that are not numbers"):
            read_features(tmp_path / name)


def test_another_ending_and_no_file(features: FeatureTable, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"a\.csv: features are written as Parquet or NPZ"):
        write_features(features, tmp_path / "a.csv")
    with pytest.raises(TrainError, match=r"a\.csv is not a features file"):
        read_features(tmp_path / "a.csv")
    with pytest.raises(TrainError, match="does not exist"):
        read_features(tmp_path / "a.npz")


def test_a_damaged_archive_is_told(features: FeatureTable, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_features(replace(features, values=np.tile(features.values, (1, 50))), path)
    good = path.read_bytes()
    for at in range(40, len(good) - 20, 40):
        path.write_bytes(good[:at] + b"\xff" * 20 + good[at + 20 :])
        # What is unused may be anything; a RuntimeError or zlib's own would pass this by.
        with suppress(TrainError):
            read_features(path)
    path.write_bytes(good[:60] + b"\xff" * 200 + good[260:])
    with pytest.raises(TrainError, match="is not a features file"):
        read_features(path)
