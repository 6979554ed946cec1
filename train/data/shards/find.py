"""Which files of a folder hold pictures as rows or members."""

import os
from pathlib import Path

from train.image.files import folder_problem, pictures_below

PARQUET = ".parquet"
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def find_shards(folder: Path) -> list[Path]:
    """List the Parquet files and tars below a folder, as sorted paths below it, if it has no pictures as files.

    Beside pictures such files are tables or copies of them. Hidden files and folders, those of the system and links are
    left out. Raises DataError if a folder cannot be read.
    """
    if not folder.is_dir() or any(True for _ in pictures_below(folder)):
        return []
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and not folder_problem(name)]
        found += [
            Path(here, name).relative_to(folder)
            for name in files
            if not name.startswith(".") and suffix_of(name) and not Path(here, name).is_symlink()
        ]
    return sorted(found)


def suffix_of(name: str) -> str:
    """Return how a shard's name ends, in lower case; empty for what is none."""
    return next((suffix for suffix in (PARQUET, *TARS) if name.lower().endswith(suffix)), "")
