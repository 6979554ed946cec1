"""A decoded Pillow picture to RGB, strip by strip: what one step needs is never held for the whole picture."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from train.common.errors import DataError

_STRIP = 1 << 22
"""Pixels that are converted at once."""


def strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Cut a picture into strips as wide as itself; yields the row where each begins."""
    rows = max(1, _STRIP // max(1, image.width))
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def rgb_strips(image: Image.Image, raw_mode: str, name: str) -> tuple[Iterator[tuple[int, Image.Image]], list[str]]:
    """The strips of a loaded picture as RGB, and a sentence for each conversion that is made.

    `raw_mode` is Pillow's name of how the file holds a pixel. Raises DataError for floating-point pixels, for numbers
    outside the range that the file promises, and for a picture of which no pixel shows.
    """
    if image.mode.startswith("F"):
        raise DataError(f"{name} has floating-point pixels without a known range: save it with 8 bits per channel.")
    transparency, notes = image.has_transparency_data, _notes(image.mode, raw_mode)
    if transparency:
        lowest, highest = _alpha_range(image, raw_mode, name)
        if highest == 0 and image.format == "BMP":
            # Screenshots and clipboards leave the fourth byte empty, and viewers show the picture.
            transparency = False
        elif highest == 0:
            raise DataError(f"{name} is fully transparent: save it without transparency.")
        elif lowest < 255:
            # A fully opaque alpha channel changes nothing, so there is nothing to say.
            notes.append("Transparency was laid on white.")

    def convert(strip: Image.Image) -> Image.Image:
        strip = _to_8_bits(strip, raw_mode, name) if strip.mode.startswith("I") else strip
        if transparency:
            strip = strip.convert("RGBA")
            strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
        return strip if strip.mode == "RGB" else strip.convert("RGB")

    return ((top, convert(strip)) for top, strip in strips(image)), notes


def _notes(mode: str, raw_mode: str) -> list[str]:
    notes = []
    if mode.startswith("I") or ";16" in raw_mode:
        # Of other modes Pillow has already kept the high byte of each channel.
        notes.append("16 bits a channel were reduced to 8.")
    if mode in ("CMYK", "YCbCr", "LAB"):
        notes.append(f"{mode} was converted to RGB without a colour profile.")
    if mode in ("P", "PA"):
        notes.append("The palette was expanded to RGB.")
    if mode.startswith("I") or mode in ("L", "LA", "La"):
        notes.append("Greyscale was repeated in three channels.")
    if mode == "1":
        notes.append("Black and white was expanded to RGB.")
    return notes


def _alpha_range(image: Image.Image, raw_mode: str, name: str) -> tuple[int, int]:
    """The least and the greatest alpha of a picture, 0 to 255."""
    lowest, highest = 255, 0
    for _, strip in strips(image):
        strip = _to_8_bits(strip, raw_mode, name) if strip.mode.startswith("I") else strip
        low, high = strip.convert("RGBA").getchannel("A").getextrema()
        lowest, highest = min(lowest, int(low)), max(highest, int(high))  # type: ignore[arg-type]
        if lowest < 255 and highest > 0:
            break
    return lowest, highest


def _to_8_bits(image: Image.Image, raw_mode: str, name: str) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    bits = 12 if raw_mode.startswith("I;12") else 16
    if values.min() < 0 or values.max() >= 1 << bits:
        raise DataError(f"{name} has values outside {bits} bits: save it with 8 bits per channel.")
    grey = Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return grey
