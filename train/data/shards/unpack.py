"""Unpack the shards of a folder beside a manifest: pictures as files, and one table of what is said of them."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from train.common.atomic import made_folders, naming, write_bytes, write_text
from train.common.documents import read_json_object, read_table, table_bytes
from train.common.errors import DataError
from train.common.locks import alone_in, holds_anything
from train.common.progress import ProgressCallback
from train.data.cards.imagefolder import FILE_NAME
from train.data.cards.words import split_of_word
from train.data.get.unpack import UNFINISHED, USUAL_LIMITS, ArchiveLimits, unpack
from train.data.shards.find import PARQUET, find_shards, suffix_of
from train.data.shards.parquet import NoPicturesError, read_pictures
from train.data.shards.webdataset import read_samples

TABLE = "metadata.csv"
"""What is said of all pictures, as Hugging Face's imagefolder has it."""
_OWNER = ".fauxlens-unpacked.json"
_PART = ".metadata.csv"
_STAMP, _SKIPPED = ".shard.json", ".skipped.csv"
_Row = dict[str, str | None]
# A folder of more files is slow to list.
_IN_A_FOLDER = 10_000


def pictures_folder(manifest_path: Path) -> Path:
    """Return where the shards of a scanned folder are unpacked: `faces.pictures` beside `faces.csv`."""
    return manifest_path.with_name(f"{manifest_path.stem}.pictures")


@dataclass(frozen=True)
class Pictures:
    """A folder of pictures as files, and what is not in it: each shard's path below the dataset's folder, and why."""

    folder: Path
    left_out: tuple[tuple[Path, str], ...] = ()


def unpack_shards(
    folder: Path,
    place: Path,
    *,
    limits: ArchiveLimits = USUAL_LIMITS,
    on_progress: ProgressCallback | None = None,
    wait: float = 0,
) -> Pictures:
    """Return the folder that holds a dataset's pictures as files: `folder` itself, or `place` with its shards unpacked.

    A folder without a picture whose Parquet files or tars hold some is unpacked: `data/train-0.parquet` becomes
    `data/train-0/`, a row's picture `00000012.jpg`, a tar's members what they are called; `metadata.csv` says what the
    shards say of each. Bytes are kept. Each shard appears whole or not at all, and what has been unpacked is not
    unpacked again. `on_progress` gets the shards done and in all. Raises DataError for a damaged or unsafe shard, where
    no shard has a picture, for a `place` that holds other things, where two would unpack into one folder or another
    process is at it for longer than `wait` seconds (-1: for ever), and for too small a disk.
    """
    shards = find_shards(folder)
    if not shards:
        return Pictures(folder)
    _refuse_clashes(shards, folder)
    _check_owner(place, folder)
    busy = DataError(f"{place} is being filled by another scan: wait until it is done.")
    with alone_in(place, busy, wait=wait) as alone:
        if alone:
            # Left by a process that was killed.
            for left in place.glob(f".*{UNFINISHED}"):
                shutil.rmtree(left, ignore_errors=True)
        write_text(place / _OWNER, json.dumps({"format": 1, "folder": str(folder.resolve())}) + "\n")
        return _unpack_all(folder, shards, place, limits, on_progress)


def _unpack_all(
    folder: Path, shards: Sequence[Path], place: Path, limits: ArchiveLimits, on_progress: ProgressCallback | None
) -> Pictures:
    waiting = [shard for shard in shards if not _is_done(folder / shard, _target(place, shard))]
    _check_room(place, sum((folder / shard).stat().st_size for shard in waiting))
    without: dict[Path, str] = {}
    for done, shard in enumerate(waiting):
        if on_progress is not None:
            on_progress(len(shards) - len(waiting) + done, len(shards))
        try:
            _unpack(folder / shard, _target(place, shard), place, limits)
        except NoPicturesError as error:
            # A table of another kind beside those with pictures.
            without[shard] = str(error)
    if on_progress is not None:
        on_progress(len(shards), len(shards))
    shards = [shard for shard in shards if shard not in without]
    if not shards:
        (place / _OWNER).unlink()
        raise DataError(next(iter(without.values())))
    _join_tables(place, shards)
    return Pictures(place, (*without.items(), *_left_out(place, shards)))


def _target(place: Path, shard: Path) -> Path:
    return place / shard.parent / shard.name[: -len(suffix_of(shard.name))]


def _refuse_clashes(shards: Sequence[Path], folder: Path) -> None:
    names: dict[Path, Path] = {}
    for shard in shards:
        other = names.setdefault(_target(Path(), shard), shard)
        if other != shard:
            raise DataError(
                f"{folder / other} and {folder / shard} would be unpacked into the same folder: rename one."
            )


def _check_owner(place: Path, folder: Path) -> None:
    """Raise DataError if `place` holds anything but what was unpacked from this folder."""
    owner = str(folder.resolve())
    try:
        found = read_json_object(place / _OWNER, error=DataError, remedy=f"remove {place}").get("folder")
        if found != owner:
            raise DataError(f"{place} contains the pictures of {found}: choose another --out, or remove it.")
    except FileNotFoundError:
        if place.exists() and (not place.is_dir() or holds_anything(place)):
            raise DataError(
                f"{place} already exists and contains other files; the pictures of {folder} would go there: choose "
                "another --out."
            ) from None


def _stamp(shard: Path) -> dict[str, int]:
    status = shard.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _is_done(shard: Path, target: Path) -> bool:
    if not target.exists():
        return False
    remedy = f"remove {target} and scan again"
    try:
        known = read_json_object(target / _STAMP, error=DataError, remedy=remedy)
    except FileNotFoundError:
        raise DataError(f"{target} was not made from {shard}: {remedy}.") from None
    if known != _stamp(shard):
        raise DataError(f"{shard} has changed since it was unpacked: {remedy}.")
    return True


def _check_room(place: Path, wanted: int) -> None:
    free = shutil.disk_usage(place).free
    if wanted > free:
        raise DataError(
            f"Unpacking takes about {wanted / 1e9:,.1f} GB and the disk of {place} has {free / 1e9:,.1f} GB left: "
            "choose an --out on another disk, or keep fewer shards in the folder."
        )


def _unpack(shard: Path, target: Path, place: Path, limits: ArchiveLimits) -> None:
    with made_folders(target.parent):
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=UNFINISHED, dir=place))
        try:
            files = temporary / "files"
            rows: list[_Row]
            problems: list[_Row] = []
            if suffix_of(shard.name) == PARQUET:
                with naming(target, temporary):
                    rows, problems = _from_parquet(shard, files, limits)
            else:
                unpack(shard, files, limits=limits)
                rows = [{**said, FILE_NAME: name} for name, said in read_samples(files).items()]
            _write_table(files / _PART, rows, [FILE_NAME])
            _write_table(files / _SKIPPED, problems, ["reason"])
            write_text(files / _STAMP, json.dumps(_stamp(shard)) + "\n")
            files.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _from_parquet(shard: Path, files: Path, limits: ArchiveLimits) -> tuple[list[_Row], list[_Row]]:
    rows: list[_Row] = []
    problems: list[_Row] = []
    left = limits.most_bytes(shard.stat().st_size)
    files.mkdir()
    for found in read_pictures(shard):
        if found.problem:
            problems.append({"reason": f"{shard}, row {found.row + 1} {found.problem}: it is left out."})
            continue
        left -= len(found.data)
        if left < 0 or found.row >= limits.entries:
            raise DataError(
                f"{shard} unpacks to more than is allowed: it may be a decompression bomb; check it yourself."
            )
        name = f"{found.row // _IN_A_FOLDER:04}/{found.row:08}{found.suffix}"
        (files / name).parent.mkdir(exist_ok=True)
        (files / name).write_bytes(found.data)
        rows.append({**found.said, FILE_NAME: name})
    return rows, problems


def _write_table(path: Path, rows: list[_Row], first: list[str]) -> None:
    names = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    columns = {name: [row.get(name) for row in rows] for name in names}
    write_bytes(path, table_bytes(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))))


def _join_tables(place: Path, shards: Iterable[Path]) -> None:
    """One table for all shards, with the folder of each before its names, and the split that its name says."""
    parts = []
    for shard in shards:
        target = _target(place, shard)
        part = read_table(target / _PART, error=DataError, remedy=f"remove {target} and scan again")
        below = target.relative_to(place).as_posix()
        part = part.with_columns(pl.concat_str(pl.lit(f"{below}/"), FILE_NAME).alias(FILE_NAME))
        if "split" not in part.columns:
            part = part.with_columns(split=pl.lit(_split_word(shard), dtype=pl.String))
        parts.append(part)
    write_bytes(place / TABLE, table_bytes(pl.concat(parts, how="diagonal")))


def _split_word(shard: Path) -> str | None:
    """The part of a shard's path that says its split, the innermost: `train-00000-of-00010`."""
    names = [name for name in (*shard.parts[:-1], shard.name[: -len(suffix_of(shard.name))]) if split_of_word(name)]
    return split_of_word(names[-1]) if names else None


def _left_out(place: Path, shards: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for shard in shards:
        path = _target(place, shard) / _SKIPPED
        for (reason,) in read_table(path, error=DataError, remedy=f"remove {path.parent} and scan again").iter_rows():
            yield shard, reason
