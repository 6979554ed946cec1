"""What was found in which picture, kept as it goes, so that no picture is looked at twice.

JSON lines beside the manifest: the first says by what the rest was found, each other line is one picture. Lines are
added in one write each time, so a kill costs at most the last ones, and two processes may add at once. A line that is
not whole is skipped on reading: its picture is looked at again. The file may be deleted at any time; then every picture
is looked at again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from train.common.atomic import naming, write_text
from train.data.manifest import SCHEMA
from train.image.view import Eyes

FOUND = ("sha256", "faces", "eye_x", "eye_y", "eye_distance")
_NUMBER = r"([0-9.e+-]+)"
_LINE = (
    r'^\{"sha256": "([0-9a-f]{64})", "faces": ([0-9]+), '
    rf'"eyes": (?:null|\[{_NUMBER}, {_NUMBER}, {_NUMBER}\])\}}$'
)


@dataclass(frozen=True)
class FaceCount:
    """How many faces the picture with this content has, and the eyes of the meant one."""

    sha256: str
    faces: int
    eyes: Eyes | None


def faces_cache_path(manifest_path: Path) -> Path:
    """Return where the cache of a manifest's faces lies: beside it, `.faces.csv.faces` beside `faces.csv`."""
    return manifest_path.with_name(f".{manifest_path.name}.faces")


def open_cache(path: Path, by: str) -> pl.DataFrame:
    """Return what is known (columns FOUND, one row a content), and make the file ready for `append_to_cache`.

    `by` names the detector and all settings; a file that was written by another one is begun anew.
    """
    first = json.dumps({"by": by})
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    lines = text.split("\n")
    if lines[0] != first:
        write_text(path, f"{first}\n")
        lines = []
    elif lines[-1]:
        # The last write was cut short; what comes next must start on a line of its own.
        _add(path, "\n")
    groups = pl.Series("line", lines[1:], pl.String).str.extract_groups(_LINE).struct.rename_fields(FOUND)
    found = groups.struct.unnest().drop_nulls("sha256")
    return found.cast({name: SCHEMA[name] for name in FOUND}).unique("sha256", keep="last", maintain_order=True)


def append_to_cache(path: Path, found: Sequence[FaceCount]) -> None:
    """Add what was found to the file, all in one write."""
    _add(path, "".join(_line(one) for one in found))


def as_frame(found: Sequence[FaceCount]) -> pl.DataFrame:
    """Return what was found as a table with the columns FOUND."""
    rows = [
        (one.sha256, one.faces, *((one.eyes.x, one.eyes.y, one.eyes.distance) if one.eyes else (None,) * 3))
        for one in found
    ]
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in FOUND}, orient="row")


def _line(one: FaceCount) -> str:
    eyes = None if one.eyes is None else [one.eyes.x, one.eyes.y, one.eyes.distance]
    return json.dumps({"sha256": one.sha256, "faces": one.faces, "eyes": eyes}) + "\n"


def _add(path: Path, text: str) -> None:
    with naming(path), path.open("ab", buffering=0) as file:
        file.write(text.encode("utf-8"))
