"""Archives inside a dataset, unpacked where they lie if the card names them."""

from collections.abc import Sequence
from pathlib import Path

from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.get.entry_names import safe_parts
from train.data.get.unpack import ArchiveLimits, unpack

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def unpack_inner(
    folder: Path, names: Sequence[str], *, limits: ArchiveLimits, on_progress: ProgressCallback | None
) -> None:
    """Unpack the archives `names` (paths inside `folder`) each into a folder of its name beside it, then remove them.

    `a/wiki.zip` becomes `a/wiki/`. Called again after a stop it goes on: a folder that is there already counts
    as unpacked, for `unpack` makes it whole or not at all. `on_progress` is that of `unpack`, from the start for
    each archive. Raises DataError when an archive is not there, has another suffix, or is refused by `unpack`.
    """
    places = {folder.joinpath(*safe_parts(name, f"The card's archive {name!r}")): _place(name) for name in names}
    for archive, place in places.items():
        if archive.with_name(place).exists():
            continue
        if not archive.is_file():
            raise DataError(f"{archive} is not in the downloaded dataset: correct the archives in the card.")
        unpack(archive, archive.with_name(place), limits=limits, on_progress=on_progress)
    # Only now: until all are unpacked, a hub's client would fetch a missing one again.
    for archive in places:
        archive.unlink(missing_ok=True)


def _place(name: str) -> str:
    last = name.rpartition("/")[2]
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if last.lower().endswith(suffix) and len(last) > len(suffix):
            return last[: -len(suffix)]
    raise DataError(f"The card's archive {name!r} must end in one of {', '.join(_SUFFIXES)}.")
