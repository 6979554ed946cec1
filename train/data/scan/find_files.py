"""Find the files of a folder whose names promise a picture, and say what was looked for where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

from train.common.errors import DataError
from train.common.parts import ALL, WorkPart
from train.common.text import first_names, printable_bytes
from train.data.cards.layouts import EXPECTED
from train.data.cards.reader import Card, usual_layout
from train.data.manifest import relative_path
from train.data.scan import scan_cache
from train.data.scan.skipped import Skipped
from train.image.files import SUFFIXES, file_problem, folder_problem

# So many names are given of what was looked for and found.
_NAMED = 6
FoundFile = tuple[str, str, bool, scan_cache.Stamp]
"""A file whose name promises a picture: its path below the scanned folder, that in the manifest (both with forward
slashes), whether it is a link, and its stamp."""


def find_files(folder: Path, manifest_folder: Path, part: WorkPart = ALL) -> tuple[list[FoundFile], list[Skipped]]:
    """List the files below a folder whose names promise a picture, sorted by their path in the manifest.

    What is not looked at, and why, comes with them; but for hidden files and folders. Of a part only its own files have
    a stamp, for which the system has to be asked, and only what is not looked at in it comes with them.

    This and looking up the card are most of a scan in which nothing has changed. So they make no objects for a file but
    these.
    """
    if folder.is_file():
        raise DataError(f"{folder} is a file: name the folder that holds the pictures.")
    files: list[FoundFile] = []
    ignored: list[Skipped] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        here = folder / inside
        in_manifest = relative_path(here, manifest_folder)
        start = "" if in_manifest == "." else f"{in_manifest}/"
        try:
            with _entries(here) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    is_link = entry.is_symlink()
                    why = None
                    if entry.is_dir(follow_symlinks=False):
                        why = folder_problem(name)
                        if why is None:
                            waiting.append(f"{inside}{name}/")
                    elif is_link and _is_folder(entry):
                        why = "is a link to a folder, which is not followed: copy the folder there, or scan it too."
                    elif name[name.rfind(".") :].lower() in SUFFIXES:
                        why = file_problem(name)
                        if why is None:
                            below = inside + name
                            stamp = scan_cache.stamp(entry) if part.has(below) else scan_cache.NO_STAMP
                            files.append((below, start + name, is_link, stamp))
                    if why is not None and part.has(inside + name):
                        shown = printable_bytes(start + name)
                        ignored.append(Skipped(shown, f"{folder / inside}/{printable_bytes(name)} {why}"))
        except OSError as error:
            raise DataError(f"{here} cannot be read ({error.strerror}): name a folder you may read.") from None
    return sorted(files, key=itemgetter(1)), ignored


@contextmanager
def _entries(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List a folder."""
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as entries:
            yield entries
        return
    # To ask for a file's stamp takes a third less time if its folder is open.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(handle) as entries:
            yield entries
    finally:
        os.close(handle)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def why_unfit(file: FoundFile, folder: Path) -> Skipped | None:
    """What keeps a file out of a manifest before it is read: its name, or where it leads as a link."""
    below, path, is_link, _ = file
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        shown = printable_bytes(path)
        return Skipped(shown, f"{shown} has a name that is not UTF-8: rename it.")
    # Unlike Path.resolve, realpath lets a link to itself pass; it cannot be read later on.
    if is_link and not Path(os.path.realpath(folder / below)).is_relative_to(os.path.realpath(folder)):
        return Skipped(path, f"{folder / below} is a link to outside the folder: copy the picture into it.")
    return None


def looked_for(folder: Path, card: Card, labels: set[str]) -> str:
    """The rest of a sentence about pictures that are not there: where the card has them, and what is there instead."""
    unknown = card.rules == usual_layout(card.name).rules
    globs = [rule.glob for rule in card.rules if rule.label in labels and not rule.skip]
    wanted = first_names(globs, _NAMED)
    there = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir() if not entry.name.startswith("."))
    found = first_names(there, _NAMED)
    above = _dataset_above(folder, card)
    remedy = f"name {above}" if above else "rename the folders" if unknown else "name another folder of the dataset"
    expected = EXPECTED if unknown else wanted
    return f"(expected {expected}; found {found or 'nothing'}): {remedy}, or name a card that fits with --card."


def _dataset_above(folder: Path, card: Card) -> Path | None:
    """The folder from which a card's paths start, where one inside it was named; None where that does not show."""
    inside = folder.resolve().parts
    for rule in card.rules:
        start = tuple(rule.start.split("/")[:-1])
        for depth in range(1, len(start)):
            if inside[-depth:] == start[:depth]:
                return folder.resolve().parents[depth - 1]
    return None
