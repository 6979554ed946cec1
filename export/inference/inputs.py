"""What a person names to `detect`: files, folders, patterns, standard input, addresses; and where overlays go."""

import glob
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from train.common.errors import DataError
from train.common.own_files import drawing_places
from train.image.decode import MAX_BYTES
from train.image.files import pictures_below

STANDARD_INPUT = "-"
_ADDRESSES = ("http://", "https://")
# File systems allow 255 bytes; the names of temporary files need some of them.
_LONGEST_NAME = 180


@dataclass(frozen=True)
class Input:
    """One picture: `name` is how to call it, its bytes are in the file `path` or in `data`, or `error` says why not.

    `below` is where a folder's picture stands below the folder that was named. `overlay` is the file for its heatmap,
    None where none is wanted.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    error: str = ""
    below: Path = Path()
    overlay: Path | None = None


def find_inputs(
    named: Sequence[str], *, stdin: BinaryIO | None = None, fetch: Callable[[str], bytes] | None = None
) -> list[Input]:
    """List the pictures that `named` means, each once and in its order; what cannot be taken has an error.

    A folder is searched to its depth, an own product of Fauxlens in it left out; a name with *, ? or [ that is no file
    is a pattern; `-` is one picture from `stdin`; an address is fetched by `fetch`, where that is given.
    """
    found: dict[str, Input] = {}
    for name in named:
        for one in _inputs(name, stdin, fetch):
            found.setdefault(str(one.path.absolute()) if one.path else one.name, one)
    return list(found.values())


def _inputs(name: str, stdin: BinaryIO | None, fetch: Callable[[str], bytes] | None) -> Iterator[Input]:
    if name == STANDARD_INPUT:
        yield _read("standard input", lambda: _read_stream(stdin or io.BytesIO()))
    elif name.lower().startswith(_ADDRESSES):
        if fetch is None:
            yield Input(name, error=f"{name} is an address: add --fetch to have it fetched, or download it first.")
        else:
            yield _read(name, lambda: fetch(name))
    elif Path(name).is_dir():
        yield from _below(Path(name))
    elif not os.path.lexists(name) and glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207
        if not matches:
            yield Input(name, error=f"{name} matches no file: check the pattern.")
        for match in matches:
            yield from _below(Path(match)) if Path(match).is_dir() else (Input(match, Path(match)),)
    else:
        yield Input(name, Path(name))


def _below(folder: Path) -> Iterator[Input]:
    try:
        below = list(pictures_below(folder))
    except DataError as error:
        yield Input(str(folder), error=str(error))
        return
    if not below:
        yield Input(str(folder), error=f"There is no picture in {folder}: name files, or a folder with pictures.")
    for path in below:
        yield Input(str(folder / path), folder / path, below=path.parent)


def _read(name: str, read: Callable[[], bytes]) -> Input:
    try:
        return Input(name, data=read())
    except DataError as error:
        return Input(name, error=str(error))


def _read_stream(stream: BinaryIO) -> bytes:
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(f"Standard input has more than {MAX_BYTES:,} bytes: give a smaller picture.")
    return data


def with_overlays(inputs: Iterable[Input], folder: Path) -> tuple[list[Input], tuple[str, ...]]:
    """Give each input a file for its overlay below `folder`, NAME.heatmap.png, and the sentences of `drawing_places`.

    A folder's pictures keep their subfolders. A name that file systems refuse for its length is cut and told apart by a
    hash.
    """
    inputs = list(inputs)
    wanted = []
    for one in inputs:
        name = (one.path.name if one.path else one.name.rstrip("/").rpartition("/")[2].replace(" ", "-")) or "picture"
        if len(os.fsencode(name)) > _LONGEST_NAME:
            digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
            name = f"{os.fsencode(name)[: _LONGEST_NAME - 20].decode('utf-8', 'ignore')}-{digest}"
        wanted.append(folder / one.below / f"{name}.heatmap.png")
    places = drawing_places(wanted, (one.path for one in inputs if one.path))
    return [replace(one, overlay=target) for one, target in zip(inputs, places.targets, strict=True)], places.kept
