"""The features file: one row a picture, with its labels and what a network made of it; Parquet or NPZ.

Parquet: the columns of LABELS and `features`, an array of float32; the file's metadata holds the note under
`fauxlens`. NPZ: arrays of the same names, and `fauxlens`, the note. Both are read without pickle.
"""

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from train.common.atomic import write_bytes
from train.common.documents import parse_json, read_bytes
from train.common.errors import TrainError
from train.common.zip_damage import ZIP_DAMAGE
from train.image.view import Unclear

LABELS = ("path", "sha256", "label", "generator", "family", "source", "group", "split")
"""What a row says of its picture, as in the manifest."""
FEATURES, _NOTE, _FORMAT = "features", "fauxlens", 1
_REMEDY = "name a file made by `fauxlens embed`"
_LIMIT = 16 << 30
# What NumPy, zipfile and Polars raise on a damaged file; what Polars' Rust part panics of is no Exception.
_DAMAGE = (
    *(pl.exceptions.PolarsError, pl.exceptions.PanicException, *ZIP_DAMAGE),
    *(OSError, ValueError, KeyError, TypeError, AttributeError),
)


@dataclass(frozen=True)
class FeatureNote:
    """Where features come from: the network in words, the view, what became of unclear faces, the manifest's digest
    and its path seen from the features file."""

    network: str
    view: str
    unclear_faces: Unclear
    manifest_sha256: str
    manifest: str


@dataclass(frozen=True)
class FeatureTable:
    """A checked features file: `rows` has the columns LABELS, `values` is float32 [N, D]."""

    rows: pl.DataFrame
    values: np.ndarray
    note: FeatureNote


def write_features(features: FeatureTable, path: Path) -> None:
    """Write features as `.parquet` or `.npz`, whole or not at all; TrainError for another ending."""
    check_ending(path)
    note = json.dumps({"format": _FORMAT, **asdict(features.note)})
    target = io.BytesIO()
    if path.suffix == ".parquet":
        column = pl.Series(FEATURES, features.values, dtype=pl.Array(pl.Float32, features.values.shape[1]))
        features.rows.select(LABELS).with_columns(column).write_parquet(target, metadata={_NOTE: note})
    else:
        arrays: dict[str, Any] = {name: features.rows[name].to_numpy().astype(np.str_) for name in LABELS}
        np.savez_compressed(target, **(arrays | {FEATURES: features.values, _NOTE: np.array(note)}))
    write_bytes(path, target.getvalue())


def check_ending(path: Path) -> None:
    """Raise TrainError for a file that is called neither .parquet nor .npz."""
    if path.suffix not in (".parquet", ".npz"):
        raise TrainError(f"{path}: features are written as Parquet or NPZ: the name must end in .parquet or .npz.")


def read_features(path: Path) -> FeatureTable:
    """Read a features file of either kind; TrainError where it is missing, none, damaged or holds no picture."""
    if path.suffix not in (".parquet", ".npz"):
        raise TrainError(f"{path} is not a features file (.parquet or .npz): {_REMEDY}.")
    try:
        data = read_bytes(path, error=TrainError, remedy=_REMEDY, limit=_LIMIT)
    except FileNotFoundError:
        raise TrainError(f"{path} does not exist: {_REMEDY}.") from None
    try:
        table, values, text = _read_parquet(data) if path.suffix == ".parquet" else _read_npz(data)
        plain = parse_json(text)
        number = plain.pop("format")
        note = FeatureNote(**plain)
    except _DAMAGE as error:
        raise TrainError(f"{path} is not a features file ({_short(error)}): {_REMEDY}.") from None
    if number != _FORMAT:
        raise TrainError(f"{path} is of format {number}, which this version does not know: {_REMEDY}.")
    if values.ndim != 2 or 0 in values.shape or len(values) != table.height or not np.isfinite(values).all():
        raise TrainError(f"{path} has no pictures, or values that are not numbers: {_REMEDY}.")
    return FeatureTable(table, values.astype(np.float32), note)


def _read_parquet(data: bytes) -> tuple[pl.DataFrame, np.ndarray, str]:
    frame = pl.read_parquet(io.BytesIO(data))
    values = frame[FEATURES].to_numpy()
    return frame.select(pl.col(LABELS).cast(pl.String)), values, pl.read_parquet_metadata(io.BytesIO(data))[_NOTE]


def _read_npz(data: bytes) -> tuple[pl.DataFrame, np.ndarray, str]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        table = pl.DataFrame({name: arrays[name].tolist() for name in LABELS}, schema=dict.fromkeys(LABELS, pl.String))
        return table, arrays[FEATURES], str(arrays[_NOTE])


def _short(error: BaseException) -> Any:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120].rstrip(".")
