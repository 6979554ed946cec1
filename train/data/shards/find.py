"""Which files of a folder hold pictures as rows or members."""

import os
from pathlib import Path

from train.image.files import SUFFIXES, file_problem, folder_problem

PARQUET = ".parquet"
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def find_shards(folder: Path) -> list[Path]:
    """List the Parquet files and tars below a folder, as sorted paths below it, if it has no pictures as files.

    Beside pictures such files are tables or copies of them. Hidden files and folders, those of the system and links are
    left out, and so are folders that cannot be read, which a scan refuses.
    """
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and not folder_problem(name)]
        for name in files:
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in SUFFIXES and not file_problem(name):
                # A million more need not be looked at.
                return []
            if suffix_of(name) and not Path(here, name).is_symlink():
                found.append(Path(here, name).relative_to(folder))
    return sorted(found)


def suffix_of(name: str) -> str:
    """Return how a shard's name ends, in lower case; empty for what is none."""
    return next((suffix for suffix in (PARQUET, *TARS) if name.lower().endswith(suffix)), "")
