"""Part files: what one of several machines made of its part of the rows, until `data merge` puts all of them together.

One Parquet file a part, with a column `place` or others by which the whole gets its order. Its metadata say of which
verb and which part it is, and `facts`: what all parts of one whole have in common (the manifest that they were made of,
the settings), so that parts of different wholes are never put together. A part is no manifest: what takes all rows,
such as groups of near-duplicates, it cannot know.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from train.common.atomic import write_bytes
from train.common.documents import parse_json, read_bytes, read_table
from train.common.errors import DataError
from train.common.parts import WorkPart
from train.common.text import first_names
from train.data.manifest import Manifest

FORMAT = 1
"""Version of the metadata; another one is refused."""
PartVerb = Literal["scan", "faces", "pack", "reconstruct", "evaluate"]
_KEY = "fauxlens_part"
_MAGIC = b"PAR1"
# Of a part: a million rows have about 300 MB.
_MAX_BYTES = 4 << 30
_NAMED = 6


PLACE, WHY = "place", "why"
"""Columns of parts: the row's number in the whole, from 0, and why a picture was skipped, null where it was not."""


@dataclass(frozen=True)
class PartFile:
    """What a part holds: rows with columns of the verb's own, and the facts that it shares with the other parts."""

    path: Path
    verb: PartVerb
    part: WorkPart
    facts: Mapping[str, Any]
    frame: pl.DataFrame


def write_part(path: Path, verb: PartVerb, part: WorkPart, facts: Mapping[str, Any], frame: pl.DataFrame) -> None:
    """Write a part, whole or not at all. `facts` can be JSON, and is the same for all parts of one whole."""
    about = {"format": FORMAT, "verb": verb, "part": [part.number, part.count], "facts": facts}
    buffer = io.BytesIO()
    frame.write_parquet(buffer, metadata={_KEY: json.dumps(about)})
    write_bytes(path, buffer.getvalue())


def is_part(path: Path) -> bool:
    """Whether a file is a part; one that cannot be read is none, and whoever reads it says why."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return False
        return _KEY in pl.read_parquet_metadata(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False


def read_part(path: Path) -> PartFile:
    """Read a part; DataError where it is damaged, of a newer Fauxlens, or none."""
    remedy = "make the part again with --part"
    try:
        data = read_bytes(path, error=DataError, remedy=remedy, limit=_MAX_BYTES)
        about = parse_json(pl.read_parquet_metadata(io.BytesIO(data)).get(_KEY, "null"))
        if not isinstance(about, dict) or about.get("format") != FORMAT or about.get("verb") not in get_args(PartVerb):
            raise DataError(f"{path} is not a part that this version of Fauxlens reads: {remedy}.")
        number, count = about["part"]
        frame = read_table(path, error=DataError, remedy=remedy, schema={})
        return PartFile(path, about["verb"], WorkPart(int(number), int(count)), dict(about["facts"]), frame)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the spelling.") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError, KeyError):
        raise DataError(f"{path} is an incomplete part: {remedy}.") from None


def read_all_parts(paths: Sequence[Path]) -> tuple[PartFile, ...]:
    """Read all parts of one whole, in their order.

    Raises DataError for what `read_part` refuses, for a file that is no part, for parts of different wholes, for a part
    that is there twice, and where one is missing.
    """
    if strangers := [path for path in paths if path.exists() and not is_part(path)]:
        raise DataError(
            f"{strangers[0]} is not a part made with --part, but others are: first merge all parts of one dataset on "
            "their own."
        )
    parts = [read_part(path) for path in paths]
    first = parts[0]
    for other in parts[1:]:
        if difference := _difference(first, other):
            raise DataError(
                f"{first.path} and {other.path} are parts of different datasets ({difference}): merge only the parts "
                "of one."
            )
    there: dict[int, Path] = {}
    for one in parts:
        if one.part.number in there:
            raise DataError(f"{there[one.part.number]} and {one.path} are both part {one.part}: name each part once.")
        there[one.part.number] = one.path
    if missing := [f"{number}/{first.part.count}" for number in range(1, first.part.count + 1) if number not in there]:
        shown = first_names(missing, _NAMED)
        verb = "is" if len(missing) == 1 else "are"
        raise DataError(
            f"{first.path} is one of {first.part.count} parts, and {shown} {verb} missing: make all parts with "
            "--part and name them all."
        )
    return tuple(sorted(parts, key=lambda one: one.part.number))


def remove_parts(parts: Sequence[PartFile]) -> None:
    """Remove the files of parts that have become a whole."""
    for one in parts:
        one.path.unlink()


def _difference(one: PartFile, other: PartFile) -> str | None:
    if one.verb != other.verb:
        return f"of {one.verb} and of {other.verb}"
    if one.part.count != other.part.count:
        return f"part {one.part} and part {other.part}"
    names = sorted(name for name in one.facts.keys() | other.facts.keys() if _fact(one, name) != _fact(other, name))
    return f"they differ in {', '.join(names)}" if names else None


def _fact(part: PartFile, name: str) -> Any:
    return part.facts.get(name)


def rows_of_part(manifest: Manifest, part: WorkPart) -> Manifest:
    """Return the manifest of the rows whose content (sha256) is in a part, in their order."""
    mine = pl.Series([part.has(sha256) for sha256 in manifest.frame["sha256"]], dtype=pl.Boolean)
    return Manifest(manifest.frame.filter(mine), manifest.folder)


def rows_in_place(rows: pl.DataFrame, parts: Sequence[PartFile]) -> pl.DataFrame:
    """Return the rows of all parts in the order of the whole, without `place`.

    Raises DataError where they are not as many as the parts say that the whole has, each once.
    """
    expected = parts[0].facts["rows"]
    ordered = rows.sort(PLACE)
    if not ordered[PLACE].equals(pl.Series(PLACE, range(expected), ordered[PLACE].dtype)):
        raise DataError(
            f"The parts of {parts[0].path.parent} do not make up the {expected:,} rows of the whole, each once: make "
            "them again with --part."
        )
    return ordered.drop(PLACE)


def counts_of_part(part: PartFile) -> tuple[int, int]:
    """Return how many rows a part has, and how many pictures were skipped."""
    skipped = part.frame[WHY].len() - part.frame[WHY].null_count() if WHY in part.frame.columns else 0
    return part.frame.height - skipped, skipped
