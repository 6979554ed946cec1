"""Where verbs write: each marks such parameters in its signature, and `verb` checks the places before any work."""

import errno
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from train.common.atomic import check_folder_writable, check_writable
from train.common.errors import PlaceError
from train.common.own_files import MANIFEST_MARK, SKIPPED_MARK, foreign_file, in_folder

Kind = Literal["file", "folder", "whole folder"]
_OF_FILES = {
    *(".csv", ".gif", ".h5", ".htm", ".html", ".jpeg", ".jpg", ".json", ".jsonl", ".md", ".npz", ".onnx", ".parquet"),
    *(".pdf", ".png", ".svg", ".tex", ".tflite", ".toml", ".tsv", ".txt", ".webp", ".xlsx", ".zip"),
}
"""What no folder's name ends in: whoever names one so expects a file of that kind."""


@dataclass(frozen=True)
class WritePlace:
    """The mark of a parameter that names a place to write to, as one more item of its `Annotated`.

    kind: a file, a folder that gets files, or one that appears as a whole when it is complete. endings: what a file's
    name may end in, "" for no ending, any if empty. place: from all parameters, the place that is written where it is
    not just the value; None where nothing is. replaces: whether the file may be one of those that the verb reads.
    owned: from the place and all parameters, the files that the verb names itself, or for which only a file of the same
    kind may make room, each with what tells that one is of Fauxlens (train.common.own_files).
    """

    kind: Kind
    endings: tuple[str, ...] = ()
    place: Callable[[Mapping[str, Any]], Path | None] | None = None
    replaces: bool = False
    owned: Callable[[Path, Mapping[str, Any]], Mapping[Path, bytes]] | None = None


OUTPUT_FOLDER, OUTPUT_WHOLE_FOLDER = WritePlace("folder"), WritePlace("whole folder")


def folder_of(
    *names: Mapping[str, bytes], place: Callable[[Mapping[str, Any]], Path | None] | None = None
) -> WritePlace:
    """The mark of a folder that gets files of these names, where nobody else's may be overwritten."""
    every = {name: mark for one in names for name, mark in one.items()}
    return WritePlace("folder", place=place, owned=lambda folder, _: in_folder(folder, every))


def own_file(
    *endings: str,
    mark: bytes,
    place: Callable[[Mapping[str, Any]], Path | None] | None = None,
) -> WritePlace:
    """The mark of a file to be written that replaces only a file of the same kind."""
    return WritePlace("file", endings, place, owned=lambda path, _: {path: mark})


def manifest_file(
    place: Callable[[Mapping[str, Any]], Path | None] | None = None, mark: bytes = MANIFEST_MARK
) -> WritePlace:
    """The mark of a manifest to be written: only a manifest makes room for it, and only such a list for its skips."""

    def owned(path: Path, given: Mapping[str, Any]) -> dict[Path, bytes]:
        # What is no manifest is told as such where it is read.
        if path == given.get("manifest"):
            return {}
        return {path: mark, path.with_name(f"{path.stem}.skipped.csv"): SKIPPED_MARK}

    return WritePlace("file", (".csv",), place, replaces=True, owned=owned)


def outputs_of(function: Callable[..., Any]) -> dict[str, tuple[str, WritePlace]]:
    """The parameters of a verb that name places to write to: what a person calls each (`--out`), and its mark."""
    found = {}
    for name, hint in get_type_hints(function, include_extras=True).items():
        parts = get_args(hint) if get_origin(hint) is Annotated else ()
        for mark in parts:
            if isinstance(mark, WritePlace):
                found[name] = _called(name, parts), mark
    return found


def check_outputs(function: Callable[..., Any], arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    """Raise PlaceError where a call of a verb names a place that it cannot write to, or would overwrite what it reads.

    Leaves nothing behind. A full disk is an OSError of its own.
    """
    bound = inspect.signature(function).bind(*arguments, **options)
    bound.apply_defaults()
    given, outputs = bound.arguments, outputs_of(function)
    read = [path for name, value in given.items() if name not in outputs for path in _paths(value)]
    written: dict[str, str] = {}
    for name, (called, output) in outputs.items():
        place = output.place(given) if output.place else given[name]
        if place is None:
            continue
        is_file = output.kind == "file"
        if is_file and not output.replaces and any(_same(place, one) for one in read):
            raise PlaceError(f"{place} is an input of this command: name another place with {called}.")
        # What a verb names by itself has the ending of what it was given.
        if given[name] is not None:
            _check_ending(place, called, output)
        _check_writable(place, called, output.kind)
        foreign = foreign_file(output.owned(place, given)) if output.owned else None
        if foreign is not None:
            raise PlaceError(
                f"{foreign} is there already and not of Fauxlens, and would be overwritten: name another place with "
                f"{called}."
            )
        if not is_file:
            continue
        other = written.setdefault(os.path.realpath(place), called)
        if other != called and (place.is_file() or not place.exists()):
            raise PlaceError(f"{place} is named by {other} and by {called}: name two files.")


def _check_ending(place: Path, called: str, output: WritePlace) -> None:
    suffix = place.suffix.lower()
    if output.kind != "file":
        if suffix in _OF_FILES and not place.exists():
            raise PlaceError(f"{place} is named like a file, and {called} makes a folder: leave out {place.suffix}.")
        return
    if output.endings and suffix not in output.endings:
        raise PlaceError(
            f"{place} must end in {' or '.join(filter(None, output.endings))}, the type that {called} writes."
        )


def _check_writable(place: Path, called: str, kind: Kind) -> None:
    try:
        if kind == "file":
            check_writable(place)
        elif kind == "folder" or (place.exists() and not place.is_dir()):
            check_folder_writable(place)
        else:
            # It is made under another name beside its place.
            check_folder_writable(place.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or error.errno is None:
            raise
        raise PlaceError(f"{place} cannot be written ({error.strerror}): name another place with {called}.") from error


def _called(name: str, parts: Iterable[Any]) -> str:
    for one in parts:
        if isinstance(one, ArgumentInfo):
            return name.upper()
        if isinstance(one, OptionInfo):
            return next(
                (word for word in one.param_decls or () if word.startswith("--")), f"--{name.replace('_', '-')}"
            )
    return name


def _paths(value: Any) -> list[Path]:
    if isinstance(value, Path):
        return [value]
    return [Path(one) for one in value if isinstance(one, str | Path)] if isinstance(value, list | tuple) else []


def _same(one: Path, other: Path) -> bool:
    try:
        return one.is_file() and one.samefile(other)
    except (OSError, ValueError):
        return False
