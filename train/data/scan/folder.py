"""Scan what a person names: a folder as it is, or one whose pictures are inside Parquet files or tars."""

from dataclasses import dataclass
from pathlib import Path

from train.common.errors import DataError
from train.common.parts import WorkPart
from train.common.progress import ProgressCallback
from train.data.cards.layouts import layout_of, source_of
from train.data.cards.reader import Card
from train.data.cards.registry import find_card
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.parts import write_scan_part
from train.data.scan.scan import Trust, scan, scan_rows
from train.data.scan.skipped import Skipped, write_skipped
from train.data.shards.unpack import Pictures, pictures_folder, unpack_shards


@dataclass(frozen=True)
class Scanned:
    """A manifest, what was skipped and the list of that, and the card that said what is what."""

    manifest: Manifest
    skipped: tuple[Skipped, ...]
    skipped_path: Path
    card: Card


@dataclass(frozen=True)
class OpenedFolder:
    """A folder with its pictures as files, the card that says what they are, and the manifest of before."""

    pictures: Pictures
    card: Card
    previous: Manifest | None

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Of Parquet files and tars what could not be unpacked."""
        return tuple(Skipped(shard.as_posix(), reason) for shard, reason in self.pictures.left_out)


def scan_folder(
    folder: Path,
    manifest_path: Path,
    *,
    card: str | None = None,
    source: str | None = None,
    trust: Trust = "cache",
    on_unpacking: ProgressCallback | None = None,
    on_progress: ProgressCallback | None = None,
) -> Scanned:
    """Scan a folder, write the manifest and the list of what was skipped, and return them.

    What an earlier scan wrote to `manifest_path` is gone on with. Pictures inside Parquet rows and tars are unpacked
    beside the manifest first; `on_unpacking` gets the files of them done and in all. `card` is the name or the path of
    one; without it a usual layout is looked for, and `source` is what its pictures are called, else the folder's name.
    Raises DataError as `scan` and `unpack_shards`, and for a source beside a card, which says it.
    """
    opened = open_folder(folder, manifest_path, card, source, on_unpacking, wait=0)
    manifest, skipped = scan(
        opened.pictures.folder,
        opened.card,
        manifest_path=manifest_path,
        previous=opened.previous,
        on_progress=on_progress,
        trust=trust,
    )
    skipped = (*opened.skipped, *skipped)
    write_manifest(manifest, manifest_path)
    return Scanned(manifest, skipped, write_skipped(skipped, manifest_path), opened.card)


def scan_folder_part(
    folder: Path,
    manifest_path: Path,
    part: WorkPart,
    *,
    card: str | None = None,
    source: str | None = None,
    trust: Trust = "cache",
    on_unpacking: ProgressCallback | None = None,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Scan a part of a folder and return the part file, which `merge_scan_parts` takes.

    `manifest_path` is where the whole will be. All parts unpack Parquet files and tars into one place, one after the
    other: the first does it and the others find it done. Raises DataError as `scan_folder`.
    """
    opened = open_folder(folder, manifest_path, card, source, on_unpacking, wait=-1)
    return scan_opened_part(opened, manifest_path, part, trust=trust, on_progress=on_progress)


def scan_opened_part(
    opened: OpenedFolder,
    manifest_path: Path,
    part: WorkPart,
    *,
    trust: Trust = "cache",
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Scan a part of a folder that is opened already, else as `scan_folder_part`."""
    found = scan_rows(
        opened.pictures.folder,
        opened.card,
        manifest_path=manifest_path,
        part=part,
        workers=workers,
        on_progress=on_progress,
        trust=trust,
    )
    return write_scan_part(found, opened.skipped, part, manifest_path)


def open_folder(
    folder: Path,
    manifest_path: Path,
    card: str | None,
    source: str | None,
    on_unpacking: ProgressCallback | None,
    wait: float,
) -> OpenedFolder:
    """Unpack what is to be unpacked, for which another process is waited so many seconds, and find the card."""
    if source is not None and (card or not source.strip() or "/" in source):
        raise DataError(
            f"--source {source!r} must be a name without /, and is not for a folder with a card: correct or omit it."
        )
    previous = read_manifest(manifest_path) if manifest_path.exists() else None
    found = find_card(card) if card else None
    if folder.is_file():
        raise DataError(f"{folder} is a file: name the folder that holds the pictures.")
    pictures = unpack_shards(folder, pictures_folder(manifest_path), on_progress=on_unpacking, wait=wait)
    layout = found or layout_of(pictures.folder, None if source else previous, name=source or source_of(folder))
    return OpenedFolder(pictures, layout, previous)
