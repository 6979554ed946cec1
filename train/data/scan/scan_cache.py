"""What a scan remembers of the files, so that the next one need not read the unchanged ones again.

The cache lies beside the manifest (`.faces.csv.scan` beside `faces.csv`) and may be deleted at any time. A file
counts as unchanged if its path, size, times of modification and of change, and inode number are those that are
remembered. What escapes that is an edit that keeps them all: on Windows, where the system keeps no time of change, one
that sets back the time of modification and keeps the size; elsewhere one made while the clock was set back. Then
scan with `trust="nothing"`.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import PIL
import polars as pl

from train.common.atomic import write_bytes
from train.data.scan.phash import DEFINITION

# To be raised when the table below, or what `measure_file` finds in a file, becomes another.
VERSION = 3
# What tells a file from its changed self: bytes, nanoseconds since 1970, nanoseconds since 1970, number.
STAMP = ("size", "mtime_ns", "ctime_ns", "inode")
Stamp = tuple[int | None, int | None, int | None, int | None]
# `path` is as in the manifest; the others are those of Measured, or `reason` that of Refused.
SCHEMA: dict[str, type[pl.DataType]] = {
    "path": pl.String,
    "size": pl.Int64,
    "mtime_ns": pl.Int64,
    "ctime_ns": pl.Int64,
    "inode": pl.UInt64,
    "sha256": pl.String,
    "phash": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
    "format": pl.String,
    "jpeg_quality": pl.Int64,
    "bytes": pl.Int64,
    "mark_says": pl.String,
    "mark": pl.String,
    "reason": pl.String,
}
# Times of files are coarse, at worst 2 s (FAT). A file that was changed so shortly before the scan looked may be
# changed again with the same time, so it is not remembered. Git calls such files racy: git's
# Documentation/technical/racy-git.txt.
RACY_NS = 2_000_000_000


def scan_cache_path(manifest_path: Path) -> Path:
    """Return where the cache of the scan of a manifest lies."""
    return manifest_path.with_name(f".{manifest_path.name}.scan")


NO_STAMP: Stamp = (None, None, None, None)
"""Of a file that the system tells nothing about, or was not asked about."""


def stamp(entry: os.DirEntry[str]) -> Stamp:
    """Return the stamp of a file, of nothing but None if the system does not tell it."""
    try:
        status = entry.stat()
    except OSError:
        return NO_STAMP
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def stamp_frame(stamps: Sequence[Stamp]) -> pl.DataFrame:
    """Return stamps as columns, null where there is none or it is beyond 64 bits.

    In a join null equals nothing, so such a file is measured each time.
    """
    columns = zip(*stamps, strict=True) if stamps else [[]] * len(STAMP)
    return pl.DataFrame(
        dict(zip(STAMP, columns, strict=True)), schema={name: SCHEMA[name] for name in STAMP}, strict=False
    )


def is_settled(started_ns: int) -> pl.Expr:
    """Say which rows have a stamp from so long before a scan started that a later change shows."""
    newest = pl.max_horizontal("mtime_ns", "ctime_ns")
    return pl.all_horizontal(pl.col(STAMP).is_not_null()) & (newest < started_ns - RACY_NS)


def blank() -> pl.DataFrame:
    """Return the cache of a folder that was never scanned."""
    return pl.DataFrame(schema=SCHEMA)


def read_cache(path: Path) -> pl.DataFrame:
    """Read a cache: columns as in SCHEMA, a path once. It is blank if it is missing, damaged or of another kind."""
    try:
        head, _, table = path.read_bytes().partition(b"\n")
    except OSError:
        return blank()
    # Polars is shown whole tables only: damaged ones can make it panic.
    if head != _head(table):
        return blank()
    cache = pl.read_parquet(io.BytesIO(table))
    return cache if dict(cache.schema) == {name: kind() for name, kind in SCHEMA.items()} else blank()


def write_cache(path: Path, cache: pl.DataFrame) -> None:
    """Write a cache, whole or not at all; one that cannot be written is left out, for it only costs time."""
    buffer = io.BytesIO()
    cache.select(*SCHEMA).write_parquet(buffer, compression="uncompressed")
    with suppress(OSError):
        write_bytes(path, _head(buffer.getvalue()) + b"\n" + buffer.getvalue())


def _head(table: bytes) -> bytes:
    """Return the first line of the file: all that the rest depends on, and its digest."""
    digest = hashlib.sha256(table).hexdigest()
    # Pillow decides which files are damaged.
    return f"Fauxlens scan memory {VERSION}, {DEFINITION}, Pillow {PIL.__version__}, sha256 {digest}".encode()
