"""Settings that are hidden in the lowest bits of a picture's transparency: NovelAI's, and what copies its way.

Format: nai_meta.py of https://github.com/NovelAI/novelai-image-metadata, and stealth-pnginfo for the WebUI. Column by
column, each alpha's lowest bit: a mark of 15 bytes, the length in bits (big-endian, 32 bits), the text.
"""

import io
import json
import struct
import zlib

import numpy as np
from PIL import Image

from train.image.marks.parts import MAX_TEXT
from train.image.marks.png import SIGNATURE

MAX_PIXELS = 16_000_000
"""Larger pictures are not looked into; NovelAI's have three million pixels at most."""
_PLAIN, _ZIPPED = b"stealth_pnginfo", b"stealth_pngcomp"
_HEADER = 8 * (len(_PLAIN) + 4)


def hidden_texts(data: bytes) -> list[tuple[str, str]]:
    """Return (key, text) of what the alpha of a PNG or WebP file hides, nothing where it hides nothing.

    Decodes the picture, if it is one that can hide something: a PNG with 8-bit alpha or a lossless WebP with alpha.
    """
    if not _may_hide(data):
        return []
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as image:
            if image.mode != "RGBA" or image.width * image.height > MAX_PIXELS:
                return []
            alpha = np.asarray(image.getchannel("A"))
    # Whatever a damaged picture leads its reader to: it hides nothing then, and who decodes it says what it is.
    except Exception:  # noqa: BLE001
        return []
    return _texts(_message(alpha))


def _may_hide(data: bytes) -> bool:
    if data[:8] == SIGNATURE:
        # IHDR: bit depth 8, colour type 6, and few enough pixels (W3C PNG, 11.2.1).
        width, height, depth, colour = struct.unpack(">IIBB", data[16:26].ljust(10, b"\0"))
        return (depth, colour) == (8, 6) and 0 < width * height <= MAX_PIXELS
    # Lossy WebP would not keep the bits; VP8X with alpha may hold a lossless frame.
    return (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP" and data[12:16] in (b"VP8L", b"VP8X") and b"VP8L" in data[:4096]
    )


def _message(alpha: np.ndarray) -> bytes:
    """The hidden bytes; "" where the mark is not there."""
    bits = (alpha.T & 1).reshape(-1)
    head = np.packbits(bits[:_HEADER]).tobytes()
    if len(bits) < _HEADER or head[: len(_PLAIN)] not in (_PLAIN, _ZIPPED):
        return b""
    (length,) = struct.unpack(">I", head[-4:])
    most = min(length, len(bits) - _HEADER, 32 * MAX_TEXT)
    body = np.packbits(bits[_HEADER : _HEADER + most]).tobytes()
    if head.startswith(_PLAIN):
        return body[: 4 * MAX_TEXT]
    try:
        return zlib.decompressobj(31).decompress(body, 4 * MAX_TEXT)
    except zlib.error:
        return b""


def _texts(message: bytes) -> list[tuple[str, str]]:
    text = message.decode("utf-8", "replace")[:MAX_TEXT]
    if not text:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return [("parameters", text)]
    return [(str(key)[:79], value) for key, value in list(found.items())[:20] if isinstance(value, str)]
