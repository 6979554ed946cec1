"""Pictures that a scan left out, and the list of them beside the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from train.common.atomic import write_bytes
from train.common.documents import read_table, table_bytes
from train.common.errors import DataError
from train.common.own_files import SKIPPED_MARK, remove_own


@dataclass(frozen=True)
class Skipped:
    """A picture that is not in the manifest: its path relative to the manifest's folder, and one sentence why."""

    path: str
    reason: str


def skipped_path(manifest_path: Path) -> Path:
    """Return where the list of a manifest lies: `faces.skipped.csv` beside `faces.csv`."""
    return manifest_path.with_name(f"{manifest_path.stem}.skipped.csv")


def write_skipped(skipped: Sequence[Skipped], manifest_path: Path) -> Path:
    """Write the list beside a manifest, or remove an old one where nothing was left out; return its path."""
    path = skipped_path(manifest_path)
    if not skipped:
        remove_own([path], SKIPPED_MARK)
        return path
    table = pl.DataFrame([(one.path, one.reason) for one in skipped], ["path", "reason"], orient="row")
    write_bytes(path, table_bytes(table))
    return path


def read_skipped(manifest_path: Path) -> tuple[Skipped, ...]:
    """Read the list beside a manifest, empty where there is none; DataError if it is not such a list."""
    path = skipped_path(manifest_path)
    try:
        table = read_table(path, error=DataError, remedy="remove it or scan again")
    except FileNotFoundError:
        return ()
    if table.columns != ["path", "reason"]:
        raise DataError(f"{path} is not a list of skipped pictures: remove it or scan again.")
    return tuple(Skipped(*row) for row in table.iter_rows())
