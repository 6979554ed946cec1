"""Files and folders of pictures as a person names them, and where what is made of each picture goes."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.common.errors import DataError

# Names that promise a picture, among them formats that decode refuses: a file that is left out should be
# listed.
_READABLE = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SUFFIXES = frozenset((*_READABLE, ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm", ".pgm"))

OWN_SUFFIXES = (".heatmap.png", ".explained.png", ".ela.png")
"""How names end of what Fauxlens draws of pictures; it is no picture of its own."""

# What storage systems and desktops keep beside the files of their users: previews, bins, snapshots.
_LEFTOVERS = frozenset(
    name.lower()
    for name in (
        "@eaDir",
        "#recycle",
        "@Recycle",
        "#snapshot",
        "@Recently-Snapshot",
        "$RECYCLE.BIN",
        "RECYCLER",
        "System Volume Information",
        "lost+found",
        "__MACOSX",
    )
)


def folder_problem(name: str) -> str | None:
    """Why a folder of this name is not searched for pictures, as the rest of a sentence; None if it is."""
    if name.lower() in _LEFTOVERS:
        return "is a folder of the system's own (previews, a bin or snapshots): what is in it is left out."
    return None


def file_problem(name: str) -> str | None:
    """Why a file of this name is not taken for a picture, as the rest of a sentence; None if it is."""
    if name.endswith(OWN_SUFFIXES):
        return "was drawn by Fauxlens from another picture: it is skipped."
    return None


@dataclass(frozen=True)
class PictureFile:
    """A picture, and the file that something made of it is written to."""

    source: Path
    target: Path


def find_picture_files(inputs: Sequence[Path], suffix: str, out: Path | None = None) -> tuple[PictureFile, ...]:
    """List the pictures that `inputs` name, in the order of the inputs, a folder's sorted by their paths below it.

    What is made of a picture is called by the picture's whole name and `suffix`, so `a.jpg` and `a.png` do not meet. It
    goes beside the picture, or below `out` to where the picture is below the folder that was named. A folder is
    searched to its depth for names that promise a picture; hidden files and folders, links to folders, folders of the
    system and what Fauxlens drew are not looked at. A file that is named is taken whatever it is called. A picture
    named twice is taken once, and files whose names end in `suffix` are taken to be made earlier and left out.

    Raises DataError if a folder cannot be read, no picture is left, or two pictures would go to one file.
    """
    found: dict[str, PictureFile] = {}
    for named in inputs:
        for below in pictures_below(named) if named.is_dir() else (None,):
            source = named if below is None else named / below
            if not source.name.endswith(suffix):
                place = source.parent if out is None else out / ("" if below is None else below.parent)
                # Two ways to write one path name one picture; what links lead to is left alone.
                found.setdefault(os.path.abspath(source), PictureFile(source, place / f"{source.name}{suffix}"))  # noqa: PTH100
    if not found:
        shown = ", ".join(map(str, inputs[:3]))
        raise DataError(f"There is no picture in {shown} (what ends in {suffix} is skipped): name files or a folder.")
    _refuse_clashes(found.values())
    return tuple(found.values())


def pictures_below(folder: Path) -> Iterator[Path]:
    """The pictures below a folder, as sorted paths below it, by names that promise one; hidden ones are left out.

    Raises DataError if a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): name a folder you may read.") from None

    found: list[Path] = []
    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and not folder_problem(name)]
        found += [
            Path(here, name).relative_to(folder)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES and not file_problem(name)
        ]
    return iter(sorted(found))


def _refuse_clashes(files: Iterable[PictureFile]) -> None:
    sources: dict[Path, Path] = {}
    for file in files:
        other = sources.setdefault(file.target, file.source)
        if other != file.source:
            raise DataError(
                f"{other} and {file.source} would both be written to {file.target}: name their common parent folder, "
                "so that subfolders are kept, or choose another --out for one of them."
            )
