"""Find the faces in a manifest's pictures, and write into it how many there are and where the eyes are."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import polars as pl

from train.common.process_pool import parallel_map
from train.common.progress import ProgressCallback
from train.data.faces.cache import FOUND, FaceCount, append_to_cache, as_frame, open_cache
from train.data.manifest import Manifest, check_frame
from train.data.rows import decode_unchanged
from train.image.decode import Picture
from train.image.face import RIVAL_SHARE, Detect, FaceDetector, choose_face
from train.image.view import Eyes, turn_upright

# So many pictures are remembered at a time: what a kill costs.
_CHUNK = 16
# As many as are done before another process is awake.
_FEW = 32


def find_faces(
    manifest: Manifest,
    detector: FaceDetector,
    cache: Path,
    *,
    workers: int | None = None,
    on_progress: ProgressCallback | None = None,
) -> Manifest:
    """Return the manifest with faces, eye_x, eye_y and eye_distance in every row; nothing but `cache` is written.

    faces is 0 (none), 1, or how many are large enough that it is unclear who is meant (train.image.face); the eyes are
    those of the largest, in pixels of the upright picture, to the hundredth. What the columns held before is replaced.
    Results go to the file `cache` as they come, and contents that it knows are not looked at again, so an interrupted
    search goes on where it was, and later pictures cost only themselves. Every picture is evaluated alone: neither
    `workers` (processes, one a core where None) nor the pictures before and after it matter. `on_progress` gets the
    number of contents done and how many had to be looked at. Raises DataError if a picture is missing, damaged or no
    longer the one that was scanned.
    """
    frame = manifest.frame
    known = open_cache(cache, cache_key(detector))
    rows = frame.unique("sha256", keep="first", maintain_order=True).join(known, on="sha256", how="anti")
    items = [(manifest.picture_path(path), sha256) for path, sha256 in rows.select("path", "sha256").iter_rows()]
    processes = min(workers or os.cpu_count() or 1, detector.most_processes)
    new: list[FaceCount] = []
    with closing(parallel_map(partial(find_in_file, detector.detect), items, processes, few=_FEW)) as results:
        for chunk in _chunks(results):
            append_to_cache(cache, chunk)
            new += chunk
            if on_progress is not None:
                on_progress(len(new), rows.height)
    everything = pl.concat([known, as_frame(new)])
    joined = (
        frame.drop(FOUND[1:]).join(everything, on="sha256", how="left", maintain_order="left").select(frame.columns)
    )
    check_frame(joined, str(cache))
    return Manifest(joined, manifest.folder)


def cache_key(detector: FaceDetector) -> str:
    """What all that is found depends on but the pictures: a cache of another key is begun anew."""
    return f"{detector.name}; rivals from {RIVAL_SHARE}"


def eyes_in(picture: Picture, detector: FaceDetector) -> tuple[int, Eyes | None]:
    """Return how many faces a picture has and the eyes of the largest, as `find_faces` would."""
    upright = turn_upright(picture.pixels, picture.orientation)
    height, width = upright.shape[:2]
    return choose_face(detector.detect(upright), width, height)


def find_in_file(detect: Detect, item: tuple[Path, str]) -> FaceCount:
    """Return what a detector finds in the picture with this path and SHA-256.

    Raises DataError if it is missing, damaged or another one by now.
    """
    path, sha256 = item
    count, eyes = eyes_in(decode_unchanged(path, sha256), FaceDetector("", detect))
    return FaceCount(sha256, count, eyes)


def _chunks(results: Iterable[FaceCount]) -> Iterator[list[FaceCount]]:
    chunk: list[FaceCount] = []
    for one in results:
        chunk.append(one)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
