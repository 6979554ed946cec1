"""Pictures in the rows of a Parquet file, as Hugging Face's datasets keep them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from train.common.documents import parse_json
from train.common.errors import DataError
from train.image.decode import MAX_BYTES
from train.image.file_kinds import picture_suffix


class NoPicturesError(DataError):
    """A Parquet file that is sound and has no column of pictures."""


# Rows that are in memory at a time; a row group may be decoded as a whole.
_AT_ONCE = 64
_NAMES = ("image", "img", "picture", "photo", "jpg", "png", "image_data", "image_bytes")
ORIGINAL = "original_path"
"""The column of what a row calls its picture's file."""

# Values that stand in a table as one text each.
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)


@dataclass(frozen=True)
class Found:
    """A picture of a row or a member: its bytes, and what is said of it; no bytes where `problem` says why."""

    row: int
    suffix: str
    data: bytes
    said: Mapping[str, str | None]
    problem: str = ""


def read_pictures(path: Path) -> Iterator[Found]:
    """Give the picture of every row, with its other columns as texts and class numbers as their names.

    The column of pictures is a struct of `bytes` and `path` or plain bytes; of several the one that is called `image`,
    else the first. Lists, structs and other bytes are left away. Raises DataError for a file that is damaged or no
    Parquet, or has no column of pictures.
    """
    try:
        yield from _read(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # Polars says of damage whatever it runs into; a panic comes from the same.
        raise DataError(f"{path} is damaged, truncated or not Parquet: get it again.") from None


def _read(path: Path) -> Iterator[Found]:
    # Not taken for a pattern, whatever its name has in it.
    rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    schema = rows.collect_schema()
    column = _picture_column(schema, path)
    names = _class_names(pl.read_parquet_metadata(path))
    plain = [name for name, kind in schema.items() if name != column and not isinstance(kind, _NESTED)]
    row = 0
    for part in rows.select(column, *plain).collect_batches(chunk_size=_AT_ONCE, maintain_order=True):
        texts = part.select(_as_text(name, part.schema[name], names) for name in plain)
        for cell, said in zip(part[column], texts.iter_rows(named=True), strict=True):
            yield _found(row, cell, said)
            row += 1


def _found(row: int, cell: Any, said: Mapping[str, str | None]) -> Found:
    data = cell
    if isinstance(cell, dict):
        data = cell.get("bytes")
        if cell.get("path"):
            said = {**said, ORIGINAL: str(cell["path"])}
    if not isinstance(data, bytes) or not data:
        return Found(row, "", b"", said, "has no bytes of a picture in it, at most the name of a file elsewhere")
    suffix = picture_suffix(data)
    if not suffix:
        return Found(row, "", b"", said, "is not a picture of a known format")
    if len(data) > MAX_BYTES:
        return Found(row, "", b"", said, f"has {len(data):,} bytes, more than the {MAX_BYTES:,} of a picture")
    return Found(row, suffix, data, said)


def _picture_column(schema: pl.Schema, path: Path) -> str:
    fits = [name for name, kind in schema.items() if _is_bytes(kind)]
    if not fits:
        shown = ", ".join(list(schema)[:12]) or "nothing"
        raise NoPicturesError(
            f"{path} has no column of pictures (expected bytes, or a struct of bytes and path; found {shown}): name a "
            "folder of pictures, or take the table for a card's lookups as CSV."
        )
    named = [name for wanted in _NAMES for name in fits if name.lower() == wanted]
    return (named or fits)[0]


def _is_bytes(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.Struct):
        return any(field.name == "bytes" and field.dtype == pl.Binary for field in kind.fields)
    return kind == pl.Binary


def _class_names(metadata: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of class numbers by column, as Hugging Face's datasets note them in the file."""
    try:
        features = parse_json(metadata.get("huggingface", "{}"), strict=False)["info"]["features"]
        return {
            name: [str(one) for one in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _as_text(name: str, kind: pl.DataType, names: Mapping[str, list[str]]) -> pl.Expr:
    if name in names and kind.is_integer():
        meaning = dict(enumerate(names[name]))
        return pl.col(name).replace_strict(meaning, default=None, return_dtype=pl.String)
    if kind == pl.Boolean:
        return pl.col(name).replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    return pl.col(name).cast(pl.String, strict=False)
