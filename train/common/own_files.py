"""Whether what stands under a name that Fauxlens is to write is of Fauxlens, or somebody else's and to be kept.

A report is several files of fixed names in a folder that a person names, and `report.csv` is a name that others use,
too. Tables and documents are known by what their first bytes hold; pages and pictures, which hold nothing of that
kind, by standing beside one that is known. What Fauxlens draws of a picture says so in the PNG itself.
"""

import mmap
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEAD = 1 << 16
"""Bytes of a text that are looked at: the title of a report comes before what tells it."""
_BINARY = (b"\x89HDF", b"PAR1", b"PK\3\4")
"""How files begin whose notes stand anywhere in them; so do those of TFLite, which says so after four bytes."""

MANIFEST_MARK = b"sha256"
SKIPPED_MARK = b"path,reason"
SOFTWARE = "Fauxlens"
DRAWN = b"Software\0" + SOFTWARE.encode()
"""What is drawn of a picture: the PNG's keyword for the program that made it (PNG, third edition, 11.3.3.2)."""
DETECTOR, BUNDLE = b"fauxlens.json", b"bundle.json"
WEIGHTS = FEATURES = b"fauxlens"
CROISSANT = b"mlcommons.org/croissant"
BENCHMARK = b'"conditions"'
DETECTED_TABLE, DETECTED_LINES, EVIDENCE_PAGE = b"file,verdict,probability", b'{"file": ', b"<title>Evidence: "
DIFFERENCES_FIGURE = b"Differences from "
SVM = {"svm.json": b'"network"'}
_SCORES = b"path,label,generator"
REPORT = {
    "report.json": b'"judgements"',
    "report.csv": b"model,set,name",
    "report.html": b"",
    "risk_coverage.csv": b"model,set,coverage",
    "groups.csv": b"model,by,group",
    "scores.csv": _SCORES,
    "scores.parquet": b"PAR1",
    "scores-2.csv": _SCORES,
    "scores-2.parquet": b"PAR1",
}
COPIES = "copies.csv"
AUDIT = {
    "audit.json": b'"counts"',
    "audit.html": b"",
    "duplicates.csv": MANIFEST_MARK,
    "leaks.csv": MANIFEST_MARK,
    "skipped.csv": SKIPPED_MARK,
    COPIES: b"first,second",
}
LEAVE_OUT = {"loo.json": b'"schemes"', "loo.csv": b"scheme,plan"} | {
    f"loo.{kind}": b"" for kind in ("html", "md", "tex")
}
ABLATION = {"ablation.csv": b"metric,set,label"} | {f"ablation.{kind}": b"" for kind in ("html", "md", "tex")}
EXPORTED = {"bundle.zip": BUNDLE, "variants.json": b'"variants"'} | {
    f"{name}.tflite": DETECTOR for name in ("float32", "float16", "dynamic", "ptq-int8", "qat-int8")
}
"""Names of the files that a verb writes into a folder, and what tells each: empty where it says nothing of its own."""


def in_folder(folder: Path, names: Mapping[str, bytes]) -> dict[Path, bytes]:
    """The paths of these files in a folder, each with what tells it."""
    return {folder / name: mark for name, mark in names.items()}


def foreign_file(files: Mapping[Path, bytes]) -> Path | None:
    """The first of these files that is there and not of Fauxlens; None if there is none.

    What is empty, and what is no regular file (a device, a pipe), is nobody's. What cannot be read is foreign.
    """
    there = [path for path in files if _holds_something(path)]
    known = [path for path in there if files[path]]
    for path in known:
        if not holds_mark(path, files[path]):
            return path
    return there[0] if there and not known else None


def holds_mark(path: Path, mark: bytes) -> bool:
    """Whether the beginning of a regular file holds these bytes, or any part of one whose notes stand anywhere."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if mark in head or not (head.startswith(_BINARY) or head[4:8] == b"TFL3"):
                return mark in head
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return whole.find(mark) >= 0
    except (OSError, ValueError):
        return False


@dataclass(frozen=True)
class DrawingPlaces:
    """Files for drawings, in the order of what is drawn, and a sentence for each name that somebody else has."""

    targets: tuple[Path, ...]
    kept: tuple[str, ...]


def drawing_places(wanted: Sequence[Path], inputs: Iterable[Path] = ()) -> DrawingPlaces:
    """Give each drawing a file: that of its name (NAME.KIND.png), or with a number where the name is taken.

    It is taken by another of these drawings, by an input, and by a file that does not say that Fauxlens drew it. Names
    are compared without regard to case, as some file systems do.
    """
    taken = {_key(path) for path in inputs}
    targets, kept = [], []
    for path in wanted:
        name, kind, ending = path.name.rsplit(".", 2)
        target, number, foreign = path, 0, False
        while _key(target) in taken or foreign_file({target: DRAWN}) is not None:
            foreign = foreign or _key(target) not in taken
            number += 1
            target = path.with_name(f"{name}.{number}.{kind}.{ending}")
        taken.add(_key(target))
        targets.append(target)
        if foreign:
            kept.append(f"{path} is there already and does not say that Fauxlens drew it: {target} is written instead.")
    return DrawingPlaces(tuple(targets), tuple(kept))


def remove_own(paths: Iterable[Path], mark: bytes) -> None:
    """Remove those of these files that hold the mark in their beginning."""
    for path in paths:
        if _holds_something(path) and holds_mark(path, mark):
            path.unlink(missing_ok=True)


def _key(path: Path) -> str:
    return os.path.normcase(path.absolute()).casefold()


def _holds_something(path: Path) -> bool:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0
