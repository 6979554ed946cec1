"""Unpack an archive that nobody vouches for: all of it as plain files inside one folder, or nothing."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from train.common.atomic import made_folders, naming
from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.get.archives import Entry, entries, too_many
from train.data.get.entry_names import claim, quoted_name, safe_parts

UNFINISHED = ".unpacking"
"""How the name of a hidden folder ends that is being unpacked into; a killed process leaves it."""

# Below this a bomb does no harm, whatever its ratio: a page of zeros is no attack.
_HARMLESS_BYTES = 64 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold: entries (files and folders), bytes a file, bytes in all, and bytes a byte of archive.

    Pictures are packed already and shrink by a few per cent; tables and flat masks shrink to a fiftieth. A
    thousandth is what deflate can do at most, and what a bomb is built to do.
    """

    entries: int = 1_000_000
    file_bytes: int = 16 << 30
    total_bytes: int = 1 << 40
    ratio: int = 200

    def most_bytes(self, packed: int) -> int:
        """How many bytes may come out of so many."""
        return min(self.total_bytes, max(_HARMLESS_BYTES, self.ratio * packed))


USUAL_LIMITS = ArchiveLimits()


def unpack(
    archive: Path,
    folder: Path,
    *,
    limits: ArchiveLimits = USUAL_LIMITS,
    on_progress: ProgressCallback | None = None,
) -> int:
    """Unpack a zip, tar, tar.gz, tar.bz2 or tar.xz, told by its content, and return the number of files.

    `folder` must be absent or empty. It appears when everything is unpacked; on any error nothing is left.
    Files and folders are made with plain permissions and the time of unpacking; archives inside stay
    archives. `on_progress` gets bytes of the archive done and in all. Raises DataError, naming the entry, for
    names that leave the folder or land on each other, links, devices, encrypted entries, damage, and more
    than `limits` allow, counted while writing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} already exists and is not empty: name another folder.")
    with made_folders(folder.parent):
        # mkdtemp makes a private folder; the one inside it has the permissions of any other.
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}.", suffix=UNFINISHED, dir=folder.parent))
        try:
            root = temporary / "files"
            root.mkdir()
            with naming(folder, temporary):
                files = _unpack_into(root, archive, limits, on_progress)
            root.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return files


def _unpack_into(root: Path, archive: Path, limits: ArchiveLimits, on_progress: ProgressCallback | None) -> int:
    size = archive.stat().st_size
    most = limits.most_bytes(size)
    taken: dict[str, str] = {}
    made = {root}
    files = written = reported = 0
    for number, entry in enumerate(entries(archive, limits.entries), 1):
        if number > limits.entries:
            raise DataError(too_many(archive, limits.entries))
        where = f"{archive}, entry {quoted_name(entry.name)}"
        parts = safe_parts(entry.name, where)
        claim(parts, is_folder=entry.is_folder, taken=taken, where=where)
        place = root.joinpath(*parts)
        parent = place if entry.is_folder else place.parent
        if parent not in made:
            parent.mkdir(parents=True, exist_ok=True)
            made.add(parent)
        if not entry.is_folder:
            written += _write(entry, place, where, min(limits.file_bytes, most - written))
            files += 1
        if on_progress is not None and entry.at - reported >= size // 1000:
            on_progress(entry.at, size)
            reported = entry.at
    if not files:
        raise DataError(f"{archive} contains no files: download it again or correct the card.")
    if on_progress is not None:
        on_progress(size, size)
    return files


def _write(entry: Entry, place: Path, where: str, most: int) -> int:
    """Write one file and return its bytes; what the entry promises and what comes must both keep within `most`."""
    written = 0
    too_large = (
        f"{where} unpacks to more than is allowed: nothing was unpacked; it may be a decompression bomb; check it "
        "yourself."
    )
    if entry.size > most:
        raise DataError(too_large)
    # "x" refuses whatever is there, links included.
    with place.open("xb") as file:
        for piece in entry.content:
            written += len(piece)
            if written > most:
                raise DataError(too_large)
            file.write(piece)
    return written
