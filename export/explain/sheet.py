"""Sheets of labelled tiles as one picture, by Pillow and its built-in font."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from export.inference.overlay import colours

Colour = tuple[int, int, int]

INK: Colour = (28, 30, 34)
SOFT: Colour = (84, 90, 98)
PAPER: Colour = (252, 252, 250)
SMALLEST_TILE = 320

_MARGIN, _GAP = 20, 18
_HEADING, _CAPTION, _TITLE, _BAND = 17, 14, 24, 19
_LINE = 1.35
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class Tile:
    """One picture, uint8 [T, T, 3], with a heading above it and a caption below."""

    heading: str
    pixels: np.ndarray
    caption: str = ""


@dataclass(frozen=True)
class PanelBand:
    """Tiles of one size side by side, at most `columns` in a row, under a heading that may be empty."""

    tiles: tuple[Tile, ...]
    columns: int = _MOST_COLUMNS
    heading: str = ""


def draw_panel_sheet(
    title: Sequence[str], colour: Colour, bands: Sequence[PanelBand], footer: Sequence[str]
) -> Image.Image:
    """Draw bands of tiles below a strip in `colour` with the title's lines, and the footer's sentences below them.

    The built-in font knows little but ASCII; other letters become question marks.
    """
    width = max(_band_width(band) for band in bands)
    strip = _wrapped(title[:1], width, _TITLE) + _wrapped(title[1:], width, _CAPTION)
    last = _wrapped(footer, width, _CAPTION)
    heights = [_band_height(band) for band in bands]
    strip_height = 2 * _MARGIN + _text_height(strip)
    height = strip_height + sum(one + _GAP for one in heights) + _text_height(last) + 2 * _MARGIN
    canvas = Image.new("RGB", (width + 2 * _MARGIN, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, canvas.width, strip_height), fill=colour)
    _write(draw, strip, _MARGIN, _MARGIN, "white")
    top = strip_height + _MARGIN
    for band, band_height in zip(bands, heights, strict=True):
        _draw_band(canvas, draw, band, top)
        top += band_height + _GAP
    _write(draw, last, _MARGIN, top, INK)
    return canvas


def tile_side(size: int) -> int:
    """The side of a tile for pictures of `size` pixels: the smallest multiple of at least SMALLEST_TILE pixels."""
    return size * max(1, -(-SMALLEST_TILE // size))


def enlarged(pixels: np.ndarray, side: int) -> np.ndarray:
    """Enlarge uint8 [h, w, 3] to [side, side, 3] by repeating pixels, so that no value is made up."""
    rows, columns = (np.arange(side) * count // side for count in pixels.shape[:2])
    return pixels[rows[:, np.newaxis], columns]


def heat_tile(values: np.ndarray, side: int, *, numbers: bool = True) -> np.ndarray:
    """Cells, 0..1, float32 [h, w], as squares of uint8 [side, side, 3], with their values where there is room."""
    pixels = enlarged(np.rint(255 * colours(values)).astype(np.uint8), side)
    rows, columns = values.shape
    size = min(0.3 * side / max(rows, columns), 26.0)
    if not numbers or size < 10:
        return pixels
    image = Image.fromarray(pixels)
    draw, font = ImageDraw.Draw(image), _font(size)
    for row in range(rows):
        for column in range(columns):
            place = ((column + 0.5) * side / columns, (row + 0.5) * side / rows)
            ink = "black" if values[row, column] > 0.6 else "white"
            draw.text(place, f"{values[row, column]:.2f}", font=font, fill=ink, anchor="mm")
    return np.asarray(image)


def signed_tile(values: np.ndarray, side: int) -> np.ndarray:
    """Signed values [h, w] as uint8 [side, side, 3]: blue below zero, white at it, red above.

    The scale ends at the 99.5th percentile of the magnitudes, for a few single pixels would leave all others white.
    """
    end = float(np.percentile(np.abs(values), 99.5)) or 1.0
    share = np.clip(values / end, -1, 1)[..., np.newaxis]
    # The ends of ColorBrewer's RdBu of 11 classes and white, linear in between.
    red, blue, white = np.array([103, 0, 31]), np.array([5, 48, 97]), np.array([255, 255, 255])
    middle_red, middle_blue = np.array([214, 96, 77]), np.array([67, 147, 195])
    strength = np.abs(share)
    half, full = np.where(share > 0, middle_red, middle_blue), np.where(share > 0, red, blue)
    mixed = np.where(strength < 0.5, white + (half - white) * 2 * strength, half + (full - half) * (2 * strength - 1))
    return enlarged(np.rint(mixed).astype(np.uint8), side)


Lines = list[tuple[str, int]]


def _draw_band(canvas: Image.Image, draw: ImageDraw.ImageDraw, band: PanelBand, top: int) -> None:
    side = len(band.tiles[0].pixels)
    heading = _wrapped([band.heading] if band.heading else [], _band_width(band), _BAND)
    _write(draw, heading, _MARGIN, top, INK)
    top += _text_height(heading)
    for first in range(0, len(band.tiles), band.columns):
        row = band.tiles[first : first + band.columns]
        above, below = _row_texts(row, side)
        head_height = max(_text_height(lines) for lines in above)
        for place, tile in enumerate(row):
            left = _MARGIN + place * (side + _GAP)
            _write(draw, above[place], left, top + head_height - _text_height(above[place]), INK)
            canvas.paste(Image.fromarray(tile.pixels), (left, top + head_height))
            _write(draw, below[place], left, top + head_height + side + 4, SOFT)
        top += _row_height(row, side)


def _row_texts(row: Sequence[Tile], side: int) -> tuple[list[Lines], list[Lines]]:
    heading, caption = (_HEADING, _CAPTION) if side >= 200 else (_CAPTION, _CAPTION - 2)
    return (
        [_wrapped([tile.heading], side, heading) for tile in row],
        [_wrapped([tile.caption] if tile.caption else [], side, caption) for tile in row],
    )


def _row_height(row: Sequence[Tile], side: int) -> int:
    above, below = _row_texts(row, side)
    return max(map(_text_height, above)) + side + 4 + max(map(_text_height, below)) + _GAP // 2


def _band_height(band: PanelBand) -> int:
    side = len(band.tiles[0].pixels)
    heading = _wrapped([band.heading] if band.heading else [], _band_width(band), _BAND)
    rows = [band.tiles[first : first + band.columns] for first in range(0, len(band.tiles), band.columns)]
    return _text_height(heading) + sum(_row_height(row, side) for row in rows)


def _band_width(band: PanelBand) -> int:
    side = len(band.tiles[0].pixels)
    columns = min(band.columns, len(band.tiles))
    return columns * side + (columns - 1) * _GAP


def _wrapped(texts: Sequence[str], width: int, size: int) -> Lines:
    """Break texts into lines of at most `width` pixels, between words and, where one word is too long, in it."""
    font = _font(size)
    lines: Lines = []
    for text in texts:
        line = ""
        for word in text.encode("ascii", "replace").decode("ascii").split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append((line, size))
                longer = word
            while font.getlength(longer) > width and len(longer) > 1:
                fits = max(
                    1, bisect_right(range(1, len(longer)), width, key=lambda n: ceil(font.getlength(longer[:n])))
                )
                lines.append((longer[:fits], size))
                longer = longer[fits:]
            line = longer
        lines.append((line, size))
    return lines


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _text_height(lines: Lines) -> int:
    return round(sum(size * _LINE for _, size in lines))


def _write(draw: ImageDraw.ImageDraw, lines: Lines, left: int, top: int, ink: str | Colour) -> None:
    place = float(top)
    for text, size in lines:
        draw.text((left, place), text, font=_font(size), fill=ink, anchor="la")
        place += size * _LINE
