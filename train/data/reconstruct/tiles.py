"""Run an autoencoder over a picture of any size: padded to whole cells, and in overlapping tiles where it is large."""

from collections.abc import Callable, Iterator

import numpy as np

from train.common.errors import DataError
from train.data.reconstruct.taesd import CELL

# A tile needs about 0.3 GB while it is worked on. Tiles overlap by so much that what a border changes (some 80 pixels
# deep, fading) is blended away.
TILE, OVERLAP = 512, 64


def in_tiles(
    run: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray, tile: int = TILE, cell: int = CELL
) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], after `run` (float32 [1, h, w, 3] in 0..1, h and w multiples of `cell`).

    A side that is not a multiple of `cell` is continued by reflection and cut again. Where tiles overlap, they are
    blended linearly. Raises DataError where `run` gives another size, or what is no finite number.
    """
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % cell), (0, -width % cell), (0, 0)), "reflect")
    given = padded.astype(np.float32) / np.float32(255)
    total, weight = np.zeros_like(given), np.zeros((*given.shape[:2], 1), np.float32)
    overlap = min(OVERLAP, tile // 4)
    for rows in _spans(given.shape[0], tile, overlap, cell):
        for columns in _spans(given.shape[1], tile, overlap, cell):
            whole = given[None, rows, columns]
            found = run(whole)
            if found.shape != whole.shape:
                _, high, wide, _ = whole.shape
                raise DataError(
                    f"{wide} x {high} pixels come back as an array of {list(found.shape)}: name another one."
                )
            down, across = _ramp(rows, given.shape[0], overlap), _ramp(columns, given.shape[1], overlap)
            share = down[:, None, None] * across[None, :, None]
            total[rows, columns] += found[0] * share
            weight[rows, columns] += share
    blended = (total / weight)[:height, :width]
    if not np.isfinite(blended).all():
        # Known of large autoencoders in half precision. Cast to bytes it would be a black picture.
        raise DataError(
            "what comes back are not finite numbers: take another autoencoder, or the same in full precision."
        )
    return np.rint(np.clip(blended, 0, 1) * 255).astype(np.uint8)


def _spans(side: int, tile: int, overlap: int, cell: int) -> Iterator[slice]:
    """Cover a side, a multiple of `cell`, by tiles of equal size; one alone where it is at most `tile`."""
    if side <= tile:
        yield slice(0, side)
        return
    count = -(-(side - overlap) // (tile - overlap))
    for number in range(count):
        start = round(number * (side - tile) / (count - 1) / cell) * cell
        yield slice(start, start + tile)


def _ramp(span: slice, side: int, overlap: int) -> np.ndarray:
    """Weights of a tile along one side: rising over the overlap where another tile lies beside it."""
    places = np.arange(span.start, span.stop, dtype=np.float32)
    from_start = (places - span.start + 0.5) / overlap if span.start > 0 else np.ones_like(places)
    from_end = (span.stop - places - 0.5) / overlap if span.stop < side else np.ones_like(places)
    return np.clip(np.minimum(from_start, from_end), 0, 1)
