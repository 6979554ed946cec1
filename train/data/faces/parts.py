"""Parts of a search for faces, divided by the pictures' contents, and the manifest that the whole writes."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from train.common.parts import ALL, WorkPart, part_path
from train.common.progress import ProgressCallback
from train.data.faces.cache import FOUND, FaceCount, append_to_cache, faces_cache_path, open_cache
from train.data.faces.find import cache_key, find_faces
from train.data.faces.finders import FinderName, open_finder
from train.data.faces.skin_tone import ATTRIBUTE, estimate_skin_tones
from train.data.manifest import SCHEMA, Manifest, in_order, moved, read_manifest, write_manifest
from train.data.part_files import PLACE, PartFile, remove_parts, rows_in_place, rows_of_part, write_part
from train.image.face import FaceDetector
from train.image.view import Eyes


def find_part(
    whole: Manifest,
    part: WorkPart,
    detector: FaceDetector,
    manifest_path: Path,
    *,
    workers: int | None = None,
    on_progress: ProgressCallback | None = None,
) -> Manifest:
    """Find the faces in a part of a manifest, as `find_faces`; a part has a cache of its own.

    `manifest_path` is where the whole will be written.
    """
    cache = faces_cache_path(manifest_path if part == ALL else part_path(manifest_path, part))
    return find_faces(rows_of_part(whole, part), detector, cache, workers=workers, on_progress=on_progress)


def write_faces_part(
    found: Manifest, whole: Manifest, part: WorkPart, detector: FaceDetector, manifest_path: Path, *, skin_tone: bool
) -> Path:
    """Write what was found in a part beside where the whole will be, and return the part's path."""
    # What this verb writes is no part of it, so that a part is the same again once the whole has been merged.
    blank = whole.frame.drop(ATTRIBUTE, strict=False).with_columns(
        pl.lit(None, SCHEMA[name]).alias(name) for name in FOUND[1:]
    )
    facts = {
        "finder": cache_key(detector),
        "manifest": Manifest(blank, whole.folder).sha256,
        "rows": whole.frame.height,
        "skin tone": skin_tone,
    }
    path = part_path(manifest_path, part)
    places = whole.frame.select("path").with_row_index(PLACE)
    write_part(path, "faces", part, facts, found.frame.join(places, on="path", how="left", maintain_order="left"))
    return path


def faces_part_on_worker(
    manifest_path: Path, finder: FinderName, skin_tone: bool, target: Path, part: WorkPart
) -> Path:
    """Find the faces of a part of a manifest, and skin tones if they are asked for, on one core; return the part file.

    `target` is where the whole will be written; a part that is there already is made again out of its cache.
    """
    detector = open_finder(finder)
    whole = moved(read_manifest(manifest_path), target.parent)
    found = find_part(whole, part, detector, target, workers=1)
    if skin_tone:
        found = estimate_skin_tones(found, workers=1)
    return write_faces_part(found, whole, part, detector, target, skin_tone=skin_tone)


def merge_faces_parts(parts: Sequence[PartFile], manifest_path: Path) -> Manifest:
    """Return the manifest that the whole search would have made; nothing is written."""
    rows = pl.concat(
        [moved(Manifest(one.frame, one.path.parent), manifest_path.parent).frame for one in parts], how="diagonal"
    )
    return Manifest(in_order(rows_in_place(rows, parts)), manifest_path.parent)


def write_faces_whole(parts: Sequence[PartFile], manifest_path: Path) -> Manifest:
    """Write and return the manifest of all parts, of which nothing but caches stays."""
    manifest = merge_faces_parts(parts, manifest_path)
    write_manifest(manifest, manifest_path)
    merge_faces_caches(parts, manifest_path)
    remove_parts(parts)
    return manifest


def merge_faces_caches(parts: Sequence[PartFile], manifest_path: Path) -> None:
    """Let the cache of a whole search know what was found in its parts, so that no picture is looked at again."""
    path = faces_cache_path(manifest_path)
    known = open_cache(path, parts[0].facts["finder"])
    found = pl.concat([one.frame.select(FOUND) for one in parts]).unique("sha256", keep="first", maintain_order=True)
    found = found.join(known, on="sha256", how="anti", maintain_order="left")
    new = [
        FaceCount(sha256, faces, None if x is None else Eyes(x, y, distance))
        for sha256, faces, x, y, distance in found.join(
            known, on="sha256", how="anti", maintain_order="left"
        ).iter_rows()
    ]
    append_to_cache(path, new)
