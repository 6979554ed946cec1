"""Scan a folder of pictures into a manifest."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from train.data.cards import Card, Facts
from train.data.errors import DataError
from train.data.groups import assign_groups, perceptual_hash
from train.data.manifest import COLUMNS, LABELS, SCHEMA, Manifest, check_frame, relative_path
from train.data.picture import decode_bytes, read_picture_file
from train.data.splits import assign_splits
from train.data.view import turn_upright

# Names that promise a picture, among them formats that decode refuses: a file that is left out should be
# listed.
_READABLE = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SUFFIXES = frozenset((*_READABLE, ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm", ".pgm"))


@dataclass(frozen=True)
class Skipped:
    """A picture that is not in the manifest: its path relative to the manifest's folder, and one sentence why."""

    path: str
    reason: str


@dataclass(frozen=True)
class _File:
    path: Path
    row_path: str
    facts: Facts


@dataclass(frozen=True)
class _Measured:
    sha256: str
    phash: str
    width: int
    height: int
    format: str
    jpeg_quality: int | None
    bytes: int


def scan(
    folder: Path,
    card: Card,
    *,
    manifest_path: Path,
    previous: Manifest | None = None,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Manifest, tuple[Skipped, ...]]:
    """Look at every picture below `folder` that a rule of the card names; rows are sorted by path.

    Pictures known from `previous` (by content) keep group, split and face. Hidden files and folders are
    ignored, links to folders are not followed, links to files only within `folder`. A picture that cannot
    be used is listed as skipped. `on_progress` gets the number of pictures done and their total.
    `manifest_path` is where the caller will write the manifest; nothing is written here. Raises DataError
    if a folder cannot be read, or no picture or none of a class (real, fake) is left.
    """
    files: list[_File] = []
    skipped: list[Skipped] = []
    for path in sorted(_pictures(folder), key=lambda path: path.relative_to(folder).as_posix()):
        found = _look_up(path, folder, card, manifest_path.parent)
        (files if isinstance(found, _File) else skipped).append(found)  # type: ignore[arg-type]
    if not files:
        raise DataError(f"{folder} has no picture that card {card.name!r} names: correct the folder or the rules.")
    rows: list[tuple[_File, _Measured]] = []
    for done, (file, measured) in enumerate(zip(files, _measure_all(files, workers), strict=True), 1):
        if isinstance(measured, _Measured):
            rows.append((file, measured))
        else:
            skipped.append(measured)
        if on_progress is not None:
            on_progress(done, len(files))
    for label in LABELS:
        if not any(file.facts.label == label for file, _ in rows):
            raise DataError(
                f"{folder} has no {label} picture that can be read: add some or correct card {card.name!r}."
            )
    frame = _frame(rows, previous)
    check_frame(frame, str(manifest_path))
    return Manifest(frame, manifest_path.parent), tuple(sorted(skipped, key=lambda skip: skip.path))


def _pictures(folder: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): name a folder you may read.") from None

    if folder.is_file():
        raise DataError(f"{folder} is a file: name the folder that holds the pictures.")
    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)


def _look_up(path: Path, folder: Path, card: Card, manifest_folder: Path) -> _File | Skipped:
    row_path = relative_path(path, manifest_folder)
    try:
        row_path.encode("utf-8")
    except UnicodeEncodeError:
        shown = row_path.encode("utf-8", "backslashreplace").decode("utf-8")
        return Skipped(shown, f"{shown} has a name that is not UTF-8: rename it.")
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        return Skipped(row_path, f"{path} is a link out of the folder: copy the picture into it.")
    facts = card.facts(path.relative_to(folder).as_posix())
    if facts is None:
        return Skipped(row_path, f"{path} is named by no rule of card {card.name!r}: add a rule or move it.")
    return _File(path, row_path, facts)


def _measure_all(files: list[_File], workers: int) -> Iterator[_Measured | Skipped]:
    executor = ThreadPoolExecutor(max(1, workers))
    try:
        yield from executor.map(_measure, files)
    finally:
        executor.shutdown(cancel_futures=True)


def _measure(file: _File) -> _Measured | Skipped:
    try:
        data = read_picture_file(file.path)
        picture = decode_bytes(data, str(file.path))
    except DataError as error:
        return Skipped(file.row_path, str(error))
    height, width = picture.pixels.shape[:2]
    return _Measured(
        hashlib.sha256(data).hexdigest(),
        perceptual_hash(turn_upright(picture.pixels, picture.orientation)),
        width,
        height,
        picture.format,
        picture.jpeg_quality,
        len(data),
    )


def _frame(rows: list[tuple[_File, _Measured]], previous: Manifest | None) -> pl.DataFrame:
    before = list(previous.frame.iter_rows(named=True)) if previous is not None else []
    contents = [measured.sha256 for _, measured in rows]
    groups = assign_groups(
        contents,
        [measured.phash for _, measured in rows],
        [file.facts.group for file, _ in rows],
        {row["sha256"]: row["group"] for row in before},
    )
    splits = assign_splits(
        groups,
        _kept_splits(rows, before),
        {row["group"]: row["split"] for row in before},
    )
    faces = {row["sha256"]: {key: row[key] for key in ("faces", "eye_x", "eye_y", "eye_distance")} for row in before}
    table = [
        {
            **asdict(file.facts),
            **asdict(measured),
            "path": file.row_path,
            "group": group,
            "split": split,
            "faces": None,
            "eye_x": None,
            "eye_y": None,
            "eye_distance": None,
            **faces.get(measured.sha256, {}),
        }
        for (file, measured), group, split in zip(rows, groups, splits, strict=True)
    ]
    return pl.DataFrame(table, schema=SCHEMA).select(COLUMNS)


def _kept_splits(rows: Iterable[tuple[_File, _Measured]], before: list[dict[str, str]]) -> list[str | None]:
    """Return the split each row is bound to: the card's official one, else the one it had before, else None."""
    kept = {row["sha256"]: row["split"] for row in before}
    return [file.facts.split or kept.get(measured.sha256) for file, measured in rows]
