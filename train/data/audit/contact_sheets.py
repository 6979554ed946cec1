"""Contact sheets: small pictures of a manifest's rows, for a page."""

import base64
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from train.common.errors import DataError
from train.data.manifest import Manifest
from train.image.decode import decode
from train.image.to_pillow import picture_image
from train.image.view import turn_upright

SIDE = 96
_QUALITY = 70


@dataclass(frozen=True)
class Thumbnail:
    """A small picture: `uri` is a JPEG as a data URI, None where the picture cannot be read."""

    path: str
    uri: str | None


@dataclass(frozen=True)
class Sheet:
    """Some pictures of one kind, and how many of that kind there are."""

    title: str
    pictures: int
    thumbnails: tuple[Thumbnail, ...]


def thumbnailer(manifest: Manifest, side: int = SIDE) -> Callable[[str], Thumbnail]:
    """Return a function from a row's path to its thumbnail: the whole upright picture, within side x side pixels.

    It remembers what it has made, and may be called by several threads.
    """

    @cache
    def thumbnail(path: str) -> Thumbnail:
        try:
            picture = decode(manifest.picture_path(path))
        except DataError:
            return Thumbnail(path, None)
        image = picture_image(turn_upright(picture.pixels, picture.orientation))
        image.thumbnail((side, side))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_QUALITY)
        return Thumbnail(path, "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))

    return thumbnail


def contact_sheet(
    title: str, rows: pl.DataFrame, thumbnail: Callable[[str], Thumbnail], *, count: int, seed: int, workers: int = 2
) -> Sheet:
    """Return a sheet of at most `count` rows, drawn by `seed` from the sorted paths and shown in their order."""
    paths = sorted(rows["path"].to_list())
    chosen = np.sort(np.random.default_rng(seed).permutation(len(paths))[:count])
    return Sheet(title, len(paths), thumbnails([paths[place] for place in chosen], thumbnail, workers))


def thumbnails(paths: Sequence[str], thumbnail: Callable[[str], Thumbnail], workers: int = 2) -> tuple[Thumbnail, ...]:
    """Make thumbnails side by side, in order."""
    with ThreadPoolExecutor(max(1, workers)) as executor:
        return tuple(executor.map(thumbnail, paths))
