"""Samples of a manifest by class and generator, and a contact sheet of pictures as one image."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from PIL import Image, ImageDraw, ImageFont

from train.common.errors import DataError
from train.common.text import printable
from train.data.manifest import LABELS, Manifest
from train.data.rows import Row, decode_row
from train.image.to_pillow import picture_image
from train.image.view import turn_upright

MOST_BANDS = 200
"""Kinds of pictures on a sheet; of 128 pixels it is then 30,000 high, half of what viewers of PNG show."""
_GAP, _TITLE = 6, 24
_INK, _PAPER, _EMPTY = (20, 20, 20), (255, 255, 255), (210, 210, 210)


@dataclass(frozen=True)
class Sample:
    """Some rows of one kind of pictures, and how many there are."""

    label: str
    generator: str
    pictures: int
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What stands above them."""
        kind = "" if self.label == "real" and self.generator == "camera" else f" by {self.generator}"
        return printable(f"{self.label}{kind}: {len(self.rows)} of {self.pictures:,}")


@dataclass(frozen=True)
class Band:
    """Pictures below one title, line by line: uint8 [H, W, 3] each, None for one that cannot be read."""

    title: str
    lines: Sequence[Sequence[np.ndarray | None]]


def choose_samples(frame: pl.DataFrame, count: int, *, seed: int = 0) -> tuple[Sample, ...]:
    """Draw at most `count` rows of every generator of each class, reals first, balanced over sources by `seed` alone.

    Raises DataError for more than MOST_BANDS kinds.
    """
    kinds = frame.group_by("label", "generator").len().sort("generator")
    if kinds.height > MOST_BANDS:
        raise DataError(f"There are {kinds.height:,} generators, and a sheet shows at most {MOST_BANDS}: split them.")
    samples = []
    for label in LABELS:
        for generator, pictures in kinds.filter(label=label).select("generator", "len").iter_rows():
            rows = frame.filter((pl.col("label") == label) & (pl.col("generator") == generator)).sort("path")
            order = pl.Series("order", np.random.default_rng(seed).permutation(rows.height))
            turn = pl.int_range(pl.len()).over("source")
            # One of each source in turn, so that a large one does not stand for all.
            chosen = rows.with_columns(order).sort("order").with_columns(turn=turn).sort("turn", "order").head(count)
            samples.append(Sample(label, generator, pictures, tuple(chosen.sort("path").iter_rows(named=True))))
    return tuple(samples)


def upright_thumbnails(manifest: Manifest, rows: Sequence[Row], side: int) -> list[np.ndarray | None]:
    """The whole upright pictures of some rows within side x side pixels, None for one that cannot be read."""

    def thumbnail(row: Row) -> np.ndarray | None:
        try:
            picture = decode_row(manifest, row)
        except DataError:
            return None
        image = picture_image(turn_upright(picture.pixels, picture.orientation))
        image.thumbnail((side, side))
        return np.asarray(image)

    with ThreadPoolExecutor(2) as executor:
        return list(executor.map(thumbnail, rows))


def draw_sample_sheet(bands: Sequence[Band], side: int, columns: int) -> Image.Image:
    """Draw bands below each other, each picture within side x side pixels, at most `columns` in a line.

    What cannot be read is a grey square. The sheet is as wide as its longest title.
    """
    font = ImageFont.load_default(_TITLE * 0.6)
    step = side + _GAP
    folded = [(band.title, [line for whole in band.lines for line in _fold(whole, columns)]) for band in bands]
    longest = max((len(line) for _, lines in folded for line in lines), default=1)
    width = max([longest * step, *(int(font.getlength(title)) + _GAP for title, _ in folded)]) + _GAP
    height = sum(_TITLE + len(lines) * step for _, lines in folded) + _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for title, lines in folded:
        draw.text((_GAP, top), title, fill=_INK, font=font)
        top += _TITLE
        for line in lines:
            for place, pixels in enumerate(line):
                left = _GAP + place * step
                if pixels is None:
                    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_EMPTY)
                else:
                    sheet.paste(_fitted(pixels, side), (left, top))
            top += step
    return sheet


def _fold(line: Sequence[np.ndarray | None], columns: int) -> list[Sequence[np.ndarray | None]]:
    return [line[start : start + columns] for start in range(0, len(line), columns)]


def _fitted(pixels: np.ndarray, side: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if max(image.size) > side:
        image.thumbnail((side, side))
    return image
