"""Find the faces in a manifest's pictures, and write into it how many there are and where the eyes are."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from train.data.faces.cache import FOUND, Found, as_frame, open_memory, remember
from train.data.manifest import COLUMNS, Manifest, check_frame
from train.data.rows import Row, decode_row
from train.image.decode import Picture
from train.image.face import RIVAL_SHARE, Detector, Face, choose_face
from train.image.view import Eyes, turn_upright

# Faces are looked for in a copy whose longer side is at most this: MTCNN's smallest face, 20 pixels, is then 4 % of it.
# In a portrait nobody is meant who is smaller, and time grows with the area.
LONGER_SIDE = 512
# So many pictures are handed to the detector and remembered at a time: what a kill costs.
_CHUNK = 16


def find_faces(
    manifest: Manifest,
    detector: Detector,
    memory: Path,
    *,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Return the manifest with faces, eye_x, eye_y and eye_distance in every row; nothing but `memory` is written.

    faces is 0 (none), 1, or how many are large enough that it is unclear who is meant (train.image.face); the eyes are
    those of the largest, in pixels of the upright picture, to the hundredth. What the columns held before is replaced.
    Results go to the file `memory` as they come, and contents that it knows are not looked at again, so an interrupted
    search goes on where it was, and later pictures cost only themselves. Every picture is judged alone: neither
    `workers` (threads that decode) nor the pictures before and after it matter. `on_progress` gets the number of
    contents done and how many had to be looked at. Raises DataError if a picture is missing, damaged or no longer the
    one that was scanned.
    """
    frame = manifest.frame
    known = open_memory(memory, f"{detector.name}; longer side {LONGER_SIDE}, rivals from {RIVAL_SHARE}")
    rows = frame.unique("sha256", keep="first", maintain_order=True).join(known, on="sha256", how="anti")
    new: list[Found] = []
    for chunk in _chunks(_copies(Manifest(rows, manifest.folder), workers)):
        faces = detector.detect([copy.pixels for copy in chunk])
        found = [copy.found(own) for copy, own in zip(chunk, faces, strict=True)]
        remember(memory, found)
        new += found
        if on_progress is not None:
            on_progress(len(new), rows.height)
    everything = pl.concat([known, as_frame(new)])
    joined = frame.drop(FOUND[1:]).join(everything, on="sha256", how="left", maintain_order="left").select(COLUMNS)
    check_frame(joined, str(memory))
    return Manifest(joined, manifest.folder)


def eyes_in(picture: Picture, detector: Detector) -> tuple[int, Eyes | None]:
    """Return how many faces a picture has and the eyes of the largest, as `find_faces` would."""
    copy = _copy("", picture)
    found = copy.found(detector.detect([copy.pixels])[0])
    return found.faces, found.eyes


@dataclass(frozen=True)
class _Copy:
    """An upright copy to look at, `pixels` uint8 [H, W, 3], of a picture with `width` x `height` pixels."""

    sha256: str
    pixels: np.ndarray
    width: int
    height: int

    def found(self, faces: list[Face]) -> Found:
        """What the faces found in the copy say about the picture itself."""
        rows, columns = self.pixels.shape[:2]
        x, y = self.width / columns, self.height / rows
        count, eyes = choose_face([face.scaled(x, y) for face in faces], self.width, self.height)
        if eyes is None:
            return Found(self.sha256, 0, None)
        # At least a hundredth, for 0 would be no distance.
        distance = max(0.01, round(eyes.distance, 2))
        return Found(self.sha256, count, Eyes(round(eyes.x, 2), round(eyes.y, 2), distance))


def _copies(manifest: Manifest, workers: int) -> Iterator[_Copy]:
    """Decode in threads a few chunks ahead of the detector, in the manifest's order."""

    def copy(row: Row) -> _Copy:
        return _copy(row["sha256"], decode_row(manifest, row))

    executor = ThreadPoolExecutor(max(1, workers))
    waiting: deque[Future[_Copy]] = deque()
    try:
        for row in manifest.frame.iter_rows(named=True):
            waiting.append(executor.submit(copy, row))
            if len(waiting) >= 2 * _CHUNK:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _copy(sha256: str, picture: Picture) -> _Copy:
    upright = turn_upright(picture.pixels, picture.orientation)
    height, width = upright.shape[:2]
    return _Copy(sha256, _reduce(upright), width, height)


def _reduce(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = LONGER_SIDE / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR))


def _chunks(copies: Iterator[_Copy]) -> Iterator[list[_Copy]]:
    chunk: list[_Copy] = []
    for copy in copies:
        chunk.append(copy)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
