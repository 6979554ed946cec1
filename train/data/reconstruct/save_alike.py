"""Save pixels as another file is saved, so that the file does not tell which of the two was made.

What is taken over: format, size in stored pixels, greyscale or colour, EXIF (its orientation among it), colour profile
and resolution; of JPEG the quantisation tables, subsampling, progressive scans and optimised Huffman tables; of WebP
whether it is lossless; of TIFF the compression. What is not: a lossy WebP does not say its quality and is saved at
Pillow's 80, palettes are chosen anew, and what a JPEG holds besides (comments, XMP, thumbnails outside EXIF) is left
away.
"""

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from train.common.errors import DataError
from train.image.decode import FORMATS

# Bytes in the four Huffman tables of JPEG's Annex K, which encoders use that do not optimise: 4 headers, 2 x 12 and 2 x
# 162.
_USUAL_TABLES = {416, 208}
_DHT = 0xC4
_WEBP_QUALITY = 80


@dataclass(frozen=True)
class Encoding:
    """How a file is saved: its format (one of FORMATS), Pillow's mode (L, RGB or P) and options for saving."""

    format: str
    mode: str
    options: dict[str, Any]


def encoding_of(data: bytes, name: str) -> Encoding:
    """Read from a picture file, that `decode_bytes` accepts, how it is saved; DataError for a JPEG in CMYK."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        info = image.info
        options = {key: info[key] for key in ("exif", "icc_profile", "dpi") if info.get(key)}
        if kind == "JPEG":
            if image.mode not in ("L", "RGB"):
                raise DataError(f"{name} is a JPEG in {image.mode}, which is not supported: save it as RGB.")
            assert isinstance(image, JpegImagePlugin.JpegImageFile)
            # Pillow 13 gives the tables in the order in which it takes them.
            options["qtables"] = dict(image.quantization)
            options["progressive"] = bool(info.get("progressive"))
            options["optimize"] = _is_optimised(data)
            if image.mode == "RGB":
                subsampling = JpegImagePlugin.get_sampling(image)
                options["subsampling"] = 2 if subsampling < 0 else subsampling
        elif kind == "WEBP":
            lossless = b"VP8L" in data[:64]
            options |= {"lossless": lossless, "quality": _WEBP_QUALITY}
        elif kind == "TIFF" and info.get("compression") not in (None, "raw", "jpeg", "webp"):
            options["compression"] = info["compression"]
        mode = "L" if image.mode in ("L", "1") else "P" if kind == "GIF" or image.mode == "P" else "RGB"
        return Encoding(kind, mode, options)


def encode_alike(pixels: np.ndarray, encoding: Encoding) -> bytes:
    """Return a file of pixels, uint8 [H, W, 3], saved so; of a greyscale file their luma (ITU-R 601).

    Raises DataError where Pillow cannot write what it has read.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if encoding.mode == "P":
        image = image.quantize(256)
    elif encoding.mode == "L":
        image = image.convert("L")
    buffer = io.BytesIO()
    try:
        image.save(buffer, encoding.format, **encoding.options)
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        # What Pillow's writers raise on options of a file that it reads all the same.
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataError(
            f"It cannot be saved like the original ({reason}): save the original again and rescan."
        ) from None
    return buffer.getvalue()


def _is_optimised(data: bytes) -> bool:
    """Tell whether a JPEG's Huffman tables are other ones than the usual."""
    place, size = 2, 0
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        size += length - 2 if data[place + 1] == _DHT else 0
        place += 2 + length
    return size not in _USUAL_TABLES
