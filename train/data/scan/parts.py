"""Parts of a scan, and the manifest that a whole scan would have made, out of all of them.

What takes a picture's file alone is in the part: hashes, size, marks, what the card says. What takes all pictures is
worked out when they are merged, by the code of a whole scan: groups of near-duplicates, and with them the splits.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from train.common.errors import DataError
from train.common.parts import WorkPart, part_path
from train.data.manifest import Manifest, moved, read_manifest
from train.data.part_files import PLACE, WHY, PartFile, write_part
from train.data.scan import scan_cache
from train.data.scan.scan import ScannedRows, assign_rows, missing_labels, refuse_unfit
from train.data.scan.skipped import Skipped


def write_scan_part(found: ScannedRows, shards: Sequence[Skipped], part: WorkPart, manifest_path: Path) -> Path:
    """Write a part of a scan beside where the manifest will be, and return its path.

    `shards` are what was skipped of Parquet files and tars, of which each part has its own; only they have a `place`,
    for pictures go by their paths.
    """
    label_of = {one.path: label for label, one in found.unfit}
    rows: list[tuple[str, str | None, str, int | None]]
    rows = [(one.path, None, one.reason, place) for place, one in enumerate(shards) if part.has(one.path)]
    rows += [(one.path, label_of.get(one.path), one.reason, None) for one in found.skipped]
    schema = {"path": pl.String, "label": pl.String, WHY: pl.String, PLACE: pl.Int64}
    skipped = pl.DataFrame(rows, schema=schema, orient="row")
    path = part_path(manifest_path, part)
    write_part(path, "scan", part, found.facts, pl.concat([found.frame, skipped], how="diagonal"))
    return path


def merge_scan_parts(parts: Sequence[PartFile], manifest_path: Path) -> tuple[Manifest, tuple[Skipped, ...]]:
    """Return the manifest and what was skipped, as a whole scan into `manifest_path` would; nothing is written.

    A manifest that is there already gives group, split and faces of the pictures that it knows. Raises DataError where
    no picture of a class that the card has rules for can be read.
    """
    facts = parts[0].facts
    rows = pl.concat([_rows(one, manifest_path.parent) for one in parts], how="diagonal")
    skips = rows.filter(pl.col(WHY).is_not_null()).sort(PLACE, "path", nulls_last=True)
    rows = rows.filter(pl.col(WHY).is_null()).sort("path")
    for label in missing_labels(rows, facts):
        unfit = [Skipped(*row) for row in skips.filter(label=label).select("path", WHY).iter_rows()]
        refuse_unfit(f"The set of {len(parts)} parts", f"{label} picture", unfit)
        raise DataError(
            f"The {len(parts)} parts together have no {label} picture, although {facts['card']!r} has rules for "
            "some: check the folder and scan again."
        )
    previous = read_manifest(manifest_path) if manifest_path.exists() else None
    frame = assign_rows(rows, facts, previous)
    return Manifest(frame, manifest_path.parent), tuple(
        Skipped(path, why) for path, why in skips.select("path", WHY).iter_rows()
    )


def merge_scan_caches(parts: Sequence[PartFile], manifest_path: Path) -> None:
    """Let the cache of a whole scan know what those of its parts do, so that it need not read the files again."""
    found = [
        scan_cache.read_cache(scan_cache.scan_cache_path(one.path))
        for one in parts
        if one.path.parent.resolve() == manifest_path.parent.resolve()
    ]
    path = scan_cache.scan_cache_path(manifest_path)
    known = pl.concat([scan_cache.read_cache(path), *found])
    if known.height:
        scan_cache.write_cache(path, known.unique("path", keep="last").sort("path"))


def _rows(one: PartFile, folder: Path) -> pl.DataFrame:
    """The rows of a part with paths that start from another folder; those of shards start from the dataset's."""
    pictures = one.frame.filter(pl.col(PLACE).is_null())
    return pl.concat([moved(Manifest(pictures, one.path.parent), folder).frame, one.frame.filter(pl.col(PLACE) >= 0)])
