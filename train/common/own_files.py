"""Whether what stands under a name that Fauxlens is to write is of Fauxlens, or somebody else's and to be kept.

A report is several files of fixed names in a folder that a person names, and `report.csv` is a name that others use,
too. Tables and documents are known by what their first bytes hold; pages and pictures, which hold nothing of that
kind, by standing beside one that is known.
"""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

_HEAD = 1 << 16
"""Bytes that are looked at: the title of a report comes before what tells it."""

MANIFEST_MARK = b"sha256"
SKIPPED_MARK = b"path,reason"
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
EXPORTED = {"bundle.zip": b"bundle.json", "variants.json": b'"variants"'} | {
    f"{name}.tflite": b"TFL3" for name in ("float32", "float16", "dynamic", "ptq-int8", "qat-int8")
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
    """Whether the beginning of a regular file holds these bytes."""
    try:
        with path.open("rb") as file:
            return mark in file.read(_HEAD)
    except OSError:
        return False


def remove_own(paths: Iterable[Path], mark: bytes) -> None:
    """Remove those of these files that hold the mark in their beginning."""
    for path in paths:
        if _holds_something(path) and holds_mark(path, mark):
            path.unlink(missing_ok=True)


def _holds_something(path: Path) -> bool:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0
