"""The packed squares: what a view looks at, with some margin, at the file's own resolution.

Training pictures are processed at this size and only then taken through the view's resize (`file_processing`), as a
picture is by the sites that it passes through before somebody has it evaluated.
"""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from train.common.errors import DataError
from train.common.locks import filled_folder, hold
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import Row, decode_row, eyes_of
from train.image.view import Unclear, View, cut, resize, view_for
from train.recipe import FileProcessing

_PIXELS, _SIDES = "squares.bin", "sides.npy"


@dataclass(frozen=True)
class Crops:
    """Squares of different sizes. `sides` is int64 [N], 0 for rows that were not packed; `shown` is the share of a
    square's side that the view itself sees."""

    pixels: np.ndarray
    sides: np.ndarray
    starts: np.ndarray
    shown: float

    def square(self, row: int) -> np.ndarray:
        """The square of a row of the manifest: uint8 [side, side, 3]."""
        side, start = int(self.sides[row]), int(self.starts[row])
        return np.asarray(self.pixels[start : start + side * side * 3]).reshape(side, side, 3)


def margin_of(settings: FileProcessing) -> float:
    """How many times the view's square is kept, so that it can be moved and enlarged within it."""
    return (1 + settings.zoom) * (1 + 2 * settings.shift)


def pack_crops(
    manifest: Manifest,
    view: View,
    folder: Path,
    settings: FileProcessing,
    *,
    unclear: Unclear = "drop",
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Crops:
    """Cut the squares of all rows of the train split and keep them under `folder`; what is there already is opened.

    `manifest` holds the rows that the view shows, as a store has them. The margin needs face(k) in the view: other
    views give the square that they look at and no more. Raises DataError as reading the pictures does.
    """
    margin = margin_of(settings) if view.needs_eyes else 1.0
    side = round(settings.side * margin)
    key = hashlib.sha256(
        f"centred crops {view.sha256} {manifest.sha256} {unclear} {margin} {side}".encode()
    ).hexdigest()[:16]
    target = folder / f"crops-{key}"
    with hold(folder / f".crops-{key}.lock"):
        if not target.exists():
            with filled_folder(target) as inside:
                _write(inside, manifest, view, margin, side, unclear, workers, on_progress)
    return _open(target, manifest, 1 / margin)


def _open(target: Path, manifest: Manifest, shown: float) -> Crops:
    remedy = f"remove {target} and train again"
    try:
        sides = np.load(target / _SIDES, allow_pickle=False)
        pixels = np.memmap(target / _PIXELS, np.uint8, "r")
    except (OSError, ValueError, EOFError):
        raise DataError(f"{target} is not a complete folder of packed squares: {remedy}.") from None
    ends = np.cumsum(sides**2 * 3)
    if sides.shape != (manifest.frame.height,) or ends[-1] != len(pixels):
        raise DataError(f"{target} has other squares than its manifest needs: {remedy}.")
    return Crops(pixels, sides, ends - sides**2 * 3, shown)


def _write(
    folder: Path,
    manifest: Manifest,
    view: View,
    margin: float,
    side: int,
    unclear: Unclear,
    workers: int,
    on_progress: ProgressCallback | None,
) -> None:
    sides = np.zeros(manifest.frame.height, np.int64)
    wanted = manifest.frame.with_row_index("row").filter(pl.col("split") == "train")
    with ThreadPoolExecutor(max(1, workers)) as pool, (folder / _PIXELS).open("wb") as file:
        done = 0
        for batch in wanted.iter_slices(128):
            rows = list(batch.iter_rows(named=True))
            squares = pool.map(lambda row: square_of(manifest, row, view, margin, side, unclear), rows)
            for row, square in zip(rows, squares, strict=True):
                sides[row["row"]] = len(square)
                file.write(square.tobytes())
                done += 1
                if on_progress is not None:
                    on_progress(done, wanted.height)
    data = io.BytesIO()
    np.save(data, sides)
    # On a full disk NumPy's own writing is an OSError without a number.
    (folder / _SIDES).write_bytes(data.getvalue())


def square_of(manifest: Manifest, row: Row, view: View, margin: float, side: int, unclear: Unclear) -> np.ndarray:
    """Cut what a view looks at out of a row's picture, with a margin around it, uint8 [Q, Q, 3], Q at most `side`.

    Raises DataError as reading the picture does, and for a row that `unclear` leaves out.
    """
    own = view_for(view, row["faces"], unclear) if view.needs_eyes else view
    if own is None:
        raise DataError(
            f"{row['path']} has {row['faces']} faces and {unclear!r} skips such pictures: choose keep or centre."
        )
    square = np.ascontiguousarray(cut(own, decode_row(manifest, row), eyes_of(row), margin=margin))
    height, width = square.shape[:2]
    # A view without square or face(k) squeezes the whole picture.
    longest = max(height, width)
    return square if height == width <= side else resize(square, min(side, longest))
