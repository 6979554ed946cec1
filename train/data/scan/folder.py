"""Scan what a person names: a folder as it is, or one whose pictures are inside Parquet files or tars."""

from dataclasses import dataclass
from pathlib import Path

from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.cards.layouts import layout_of, source_of
from train.data.cards.reader import Card
from train.data.cards.registry import find_card
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.scan import Trust, scan
from train.data.scan.skipped import Skipped, write_skipped
from train.data.shards.unpack import pictures_folder, unpack_shards


@dataclass(frozen=True)
class Scanned:
    """A manifest, what was skipped and the list of that, and the card that said what is what."""

    manifest: Manifest
    skipped: tuple[Skipped, ...]
    skipped_path: Path
    card: Card


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
    if source is not None and (card or not source.strip() or "/" in source):
        raise DataError(
            f"--source {source!r} must be a name without /, and is not for a folder with a card: correct or omit it."
        )
    previous = read_manifest(manifest_path) if manifest_path.exists() else None
    found = find_card(card) if card else None
    if folder.is_file():
        raise DataError(f"{folder} is a file: name the folder that holds the pictures.")
    pictures = unpack_shards(folder, pictures_folder(manifest_path), on_progress=on_unpacking)
    layout = found or layout_of(pictures.folder, None if source else previous, name=source or source_of(folder))
    manifest, skipped = scan(
        pictures.folder,
        layout,
        manifest_path=manifest_path,
        previous=previous,
        on_progress=on_progress,
        trust=trust,
    )
    skipped = (*(Skipped(shard.as_posix(), reason) for shard, reason in pictures.left_out), *skipped)
    write_manifest(manifest, manifest_path)
    return Scanned(manifest, skipped, write_skipped(skipped, manifest_path), layout)
