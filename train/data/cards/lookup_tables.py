"""Tables beside the pictures: what a CSV says about each of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from train.common.documents import MAX_TABLE_BYTES, parse_json, read_table, read_text
from train.common.errors import DataError

_REMEDY = "pictures are looked up in it; get the dataset again"


@dataclass(frozen=True)
class Lookup:
    """Where a picture's row stands, and which rows count.

    The row is the one of `table` (a CSV or .jsonl, its path relative to the dataset's folder) whose `column` holds
    `text`; both `table` and `text` may have {words} of the rule's glob. The rule holds only for rows whose columns
    have one of the values in `where`.
    """

    table: str
    column: str
    text: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def holds(self, row: Mapping[str, str]) -> bool:
        """Say whether a row passes `where`."""
        return all(row[column] in values for column, values in self.where)


class LookupTables:
    """The tables of one dataset's folder, each read once, when its first picture asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[tuple[str, str], dict[str, dict[str, str] | None]] = {}

    def row(self, table: str, column: str, text: str, columns: Sequence[str]) -> Mapping[str, str] | None:
        """Return the row whose `column` is `text`, with the values of `columns`, or None if there is none.

        A table must be asked for with the same `columns` each time. DataError if it is missing, unreadable, has
        not these columns, or says two things about this picture.
        """
        key = (table, column)
        if key not in self._rows:
            self._rows[key] = _read(self._folder / table, column, columns)
        if text not in self._rows[key]:
            return None
        row = self._rows[key][text]
        if row is None:
            raise DataError(f"{self._folder / table} has two rows for {text!r} that contradict each other: remove one.")
        return row


def _read(path: Path, column: str, columns: Sequence[str]) -> dict[str, dict[str, str] | None]:
    """The rows of a table by the text in `column`; None for a text of which two rows do not say the same."""
    try:
        frame = read_lookup_table(path)
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist, but the card needs it: get the whole dataset and name its top folder."
        ) from None
    for name in (column, *columns):
        if name not in frame.columns:
            raise DataError(f"{path} has no column {name!r}, only {', '.join(frame.columns)}: correct the card's rule.")
    frame = frame.select(pl.col(name).fill_null("") for name in dict.fromkeys((column, *columns)))
    # Equal rows are one object: a table of a million pictures often says only a handful of things.
    shared: dict[tuple[str, ...], dict[str, str]] = {}
    rows: dict[str, dict[str, str] | None] = {}
    for key, *values in zip(frame[column], *(frame[name] for name in columns), strict=True):
        row = shared.setdefault(tuple(values), dict(zip(columns, values, strict=True)))
        if rows.setdefault(key, row) is not row:
            rows[key] = None
    return rows


def read_lookup_table(path: Path) -> pl.DataFrame:
    """Read a CSV or a .jsonl (an object a line) as a table of texts and nulls.

    FileNotFoundError goes on; DataError if it is no such table.
    """
    if path.suffix.lower() != ".jsonl":
        return read_table(path, error=DataError, remedy=_REMEDY)
    rows: list[dict[str, str | None]] = []
    text = read_text(path, error=DataError, remedy=_REMEDY, limit=MAX_TABLE_BYTES)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number} is not a JSON object: {_REMEDY}.")
        rows.append({name: as_text(value) for name, value in row.items()})
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, dict.fromkeys(names, pl.String))


def as_text(value: Any) -> str | None:
    """Return a value of JSON as a text: numbers and truth as JSON writes them, lists and objects as JSON, null None."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
