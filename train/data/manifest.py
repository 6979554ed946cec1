"""The manifest: a CSV table with one row an image.

Beside the columns of SCHEMA it may have attributes: columns of any other name (sex, age, skin_tone, prompt) whose
values are texts or nothing, and which travel with their rows through every step.
"""

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from train.common.atomic import write_bytes
from train.common.documents import read_table, table_bytes
from train.common.errors import DataError
from train.common.parts import whole_stem

SCHEMA: dict[str, type[pl.DataType]] = {
    "path": pl.String,
    "sha256": pl.String,
    "phash": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
    "format": pl.String,
    "jpeg_quality": pl.Int64,
    "bytes": pl.Int64,
    "label": pl.String,
    "generator": pl.String,
    "family": pl.String,
    "source": pl.String,
    "group": pl.String,
    "split": pl.String,
    "faces": pl.Int64,
    "eye_x": pl.Float64,
    "eye_y": pl.Float64,
    "eye_distance": pl.Float64,
}
COLUMNS = tuple(SCHEMA)
LABELS = ("real", "fake")
SPLITS = ("train", "val", "test")
FAMILIES = ("camera", "gan", "diffusion", "edit", "reconstruction", "unknown")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
# Columns that tables made of a manifest add for a while.
# fmt: off
_RESERVED = frozenset((
    "all", "aspect", "before", "below", "bytes_per_pixel", "card_group", "card_split", "component", "contents",
    "ctime_ns", "first", "fold", "inode", "labels", "mtime_ns", "of", "order", "part", "pictures", "place",
    "probability", "rank", "reason", "score", "second", "seen", "side", "size", "sources", "splits", "value",
    "view", "weight", "why",
))
# fmt: on
_MAY_BE_EMPTY = ("jpeg_quality", "faces", "eye_x", "eye_y", "eye_distance")


@dataclass(frozen=True)
class Manifest:
    """A checked table of pictures (SCHEMA's columns and types, then attributes) and the folder its paths start from.

    sha256 is the digest of the file's bytes (64 hex digits), phash the 64-bit perceptual hash (16 hex
    digits); width and height are in stored pixels; jpeg_quality is 1..100 or null; faces is how many faces
    were found, null where nobody has looked; eye_x, eye_y, eye_distance are those of the chosen face in pixels
    of the upright picture, all three or none.
    """

    frame: pl.DataFrame
    folder: Path

    def picture_path(self, row_path: str) -> Path:
        """Return where the picture of a row lies."""
        return self.folder / row_path

    @property
    def csv(self) -> bytes:
        """The table as it is written."""
        return table_bytes(in_order(self.frame))

    # Once: it writes out the whole table, and a training asks for it six times.
    @cached_property
    def sha256(self) -> str:
        """Hex digest of the table as it is written."""
        return hashlib.sha256(self.csv).hexdigest()


def attributes_of(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the names of a manifest's attributes, sorted."""
    return tuple(sorted(name for name in frame.columns if name not in SCHEMA))


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a manifest's frame with its columns in the order in which they are written; others become attributes."""
    return frame.select(*COLUMNS, *attributes_of(frame))


def rows_frame(rows: Sequence[Mapping[str, Any]], attributes: Iterable[str] = ()) -> pl.DataFrame:
    """Return a manifest's frame of rows with the columns of SCHEMA and these attributes; other keys are left away."""
    schema = SCHEMA | dict.fromkeys(sorted(attributes), pl.String)
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)


def attribute_problem(name: str) -> str | None:
    """Say why an attribute cannot be called so, as the rest of a sentence; None if it can."""
    if not _ATTRIBUTE.fullmatch(name):
        return "is not a valid attribute name: use lower-case letters, digits and _"
    if name in SCHEMA or name in _RESERVED:
        return "is a name that the tables here use themselves: choose another"
    return None


def origin() -> pl.Expr:
    """Return for each row the source of its content: of a reconstruction (SOURCE/AUTOENCODER) its original's."""
    is_made = pl.col("family") == "reconstruction"
    return pl.when(is_made).then(pl.col("source").str.replace("/[^/]*$", "")).otherwise("source")


def relative_path(picture: Path, folder: Path) -> str:
    """Return the path of a picture relative to a manifest's folder, with forward slashes.

    Links in the folders are followed first, for `..` leaves the folder that a link leads to; a picture that is itself a
    link keeps its name.
    """
    return Path(os.path.relpath(picture.parent.resolve() / picture.name, folder.resolve())).as_posix()


def moved(manifest: Manifest, folder: Path) -> Manifest:
    """Return the manifest with its paths relative to another folder, so that it can be written there.

    The pictures stay where they are. Absolute paths stay as they are.
    """
    start = relative_path(manifest.folder.resolve(), folder)
    if start == ".":
        return Manifest(manifest.frame, folder)
    paths = [posixpath.normpath(posixpath.join(start, path)) for path in manifest.frame["path"]]
    return Manifest(manifest.frame.with_columns(path=pl.Series(paths, dtype=pl.String)), folder)


def followed(path: Path) -> Path:
    """The file that a manifest's name leads to: where it is a link, paths start from the folder of the file itself."""
    return path.resolve() if path.is_symlink() else path


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest; DataError names the file, the column and the first row that is wrong."""
    try:
        frame = read_table(path, error=DataError, remedy="make it with `fauxlens data scan`")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: make it with `fauxlens data scan`.") from None
    if whole_stem(path) != path.stem:
        raise DataError(f"{path} is a part, not a manifest: combine all parts with `fauxlens data merge` first.")
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}: name a manifest made by `fauxlens data scan`.")
    for name in attributes_of(frame):
        if problem := attribute_problem(name):
            raise DataError(f"{path} has a column {name!r}, which {problem}, or remove it.")
    if frame.is_empty():
        raise DataError(f"{path} has a header and no rows: make it with `fauxlens data scan`.")
    attributes = [pl.when(pl.col(name) != "").then(name).alias(name) for name in attributes_of(frame)]
    frame = frame.select(*(_typed(frame, name, path) for name in COLUMNS), *attributes)
    check_frame(frame, str(path))
    return Manifest(frame, followed(path).parent)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Check a manifest and write it as CSV; DataError if `path` lies outside the manifest's folder."""
    if followed(path).parent.resolve() != manifest.folder.resolve():
        raise DataError(f"{path} is outside {manifest.folder}, the folder of the manifest's paths: write it there.")
    check_frame(manifest.frame, str(path))
    write_bytes(path, manifest.csv)


def check_frame(frame: pl.DataFrame, name: str) -> None:
    """Check a table's columns, types and values.

    DataError names the column and the first bad row, counted from 1 without the header.
    """
    schema = SCHEMA | dict.fromkeys(attributes_of(frame), pl.String)
    if dict(frame.schema) != {column: kind() for column, kind in schema.items()}:
        raise DataError(f"{name} does not have the columns and types of a manifest: make it with `fauxlens data scan`.")
    for column in COLUMNS:
        empty = pl.col(column).is_null()
        if SCHEMA[column] == pl.String:
            empty |= pl.col(column) == ""
        if column not in _MAY_BE_EMPTY:
            _refuse(frame, empty, name, column, "is empty")
    for column, allowed in {"label": LABELS, "split": SPLITS, "family": FAMILIES}.items():
        _refuse(frame, ~pl.col(column).is_in(allowed), name, column, f"must be one of {', '.join(allowed)}")
    for column, digits in {"sha256": 64, "phash": 16}.items():
        bad = ~pl.col(column).str.contains(f"^[0-9a-f]{{{digits}}}$")
        _refuse(frame, bad, name, column, f"must be {digits} lower-case hexadecimal digits")
    for column in ("width", "height", "bytes"):
        _refuse(frame, pl.col(column) < 1, name, column, "must be at least 1")
    _refuse(frame, ~pl.col("jpeg_quality").is_between(1, 100), name, "jpeg_quality", "must be 1 to 100 or nothing")
    eyes = [pl.col(column).is_null() for column in ("eye_x", "eye_y", "eye_distance")]
    _refuse(
        frame,
        (eyes[0] != eyes[1]) | (eyes[1] != eyes[2]),
        name,
        "eye_x",
        "needs eye_y and eye_distance too",
    )
    for column in ("eye_x", "eye_y", "eye_distance"):
        _refuse(frame, ~pl.col(column).is_finite(), name, column, "must be a finite number or nothing")
    _refuse(frame, pl.col("faces") < 0, name, "faces", "must be at least 0 or nothing")
    _refuse(frame, (pl.col("faces") == 0) & ~eyes[0], name, "faces", "says that there is no face, but eyes are given")
    _refuse(frame, (pl.col("faces") > 0) & eyes[0], name, "faces", "says that there is a face, yet no eyes are given")
    _refuse(frame, pl.col("eye_distance") <= 0, name, "eye_distance", "must be more than 0")
    _refuse(frame, pl.col("path").str.contains("\0", literal=True), name, "path", "has a character NUL in it")
    _refuse(frame, pl.col("path").is_duplicated(), name, "path", "occurs in more than one row")


def _typed(frame: pl.DataFrame, column: str, path: Path) -> pl.Expr:
    kind = SCHEMA[column]
    if kind != pl.String:
        cast = pl.col(column).cast(kind, strict=False)
        what = "a whole number" if kind == pl.Int64 else "a number"
        _refuse(frame, cast.is_null() & pl.col(column).is_not_null(), str(path), column, f"must be {what}")
    return pl.col(column).cast(kind)


def _refuse(frame: pl.DataFrame, bad: pl.Expr, name: str, column: str, demand: str) -> None:
    rows = frame.select(bad.fill_null(False).arg_true()).to_series()
    if len(rows):
        value = frame[column][int(rows[0])]
        shown = "" if value is None or value == "" else f" ({str(value)[:100]})"
        raise DataError(f"{name}, row {rows[0] + 1}: column {column!r}{shown} {demand}: correct it or scan again.")
