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

from train.image.marks.parts import MAX_PARTS, MAX_TEXT
from train.image.marks.png import SIGNATURE

MAX_PIXELS = 16_000_000
"""Larger pictures are not looked into; NovelAI's have three million pixels at most."""
MAX_FIELDS = 20
_PLAIN, _ZIPPED = b"stealth_pnginfo", b"stealth_pngcomp"
_HEADER = 8 * (len(_PLAIN) + 4)


def hidden_texts(data: bytes) -> list[tuple[str, str]]:
    """Return (key, text) of what the alpha of a PNG or WebP file hides, nothing where it hides nothing.

    Decodes the picture, if it is one that can hide something: a PNG with 8-bit alpha whose first column begins with the
    mark, or a lossless WebP with alpha.
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
        width, height, depth, colour, _, _, woven = struct.unpack(">IIBBBBB", data[16:29].ljust(13, b"\0"))
        if (depth, colour) != (8, 6) or not 0 < width * height <= MAX_PIXELS:
            return False
        # In shorter pictures the mark reaches into the second column, in interlaced ones it stands all over the file.
        return height < _HEADER or woven != 0 or _first_column_is_marked(data, width)
    # Lossy WebP would not keep the bits; VP8X with alpha may hold a lossless frame.
    return (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP" and data[12:16] in (b"VP8L", b"VP8X") and b"VP8L" in data[:4096]
    )


def _first_column_is_marked(data: bytes, width: int) -> bool:
    """Whether the first column's alpha begins with a mark, at a fraction of what decoding costs.

    On the left edge no filter looks to the left (W3C PNG, 9.2), so the other columns need not be known.
    """
    stride = 1 + 4 * width
    rows = _unpacked(data, 8 * len(_PLAIN) * stride)
    bits = bytearray()
    above = 0
    for at in range(0, len(rows) - 4, stride):
        kind, alpha = rows[at], rows[at + 4]
        # None, Sub, Up, Average, Paeth: of nothing, of nothing on the left, of the row above.
        above = (alpha + {2: above, 3: above // 2, 4: above}.get(kind, 0)) & 255
        bits.append(above & 1)
    return np.packbits(np.frombuffer(bits, np.uint8)).tobytes() in (_PLAIN, _ZIPPED)


def _unpacked(data: bytes, most: int) -> bytes:
    """The first `most` bytes of the filtered rows of a PNG; fewer where the file is damaged."""
    unpacker, found = zlib.decompressobj(), bytearray()
    at = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if at + 8 > len(data) or len(found) >= most:
            break
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            try:
                found += unpacker.decompress(data[at + 8 : at + 8 + length], most - len(found))
            except zlib.error:
                break
        at += 12 + length
    return bytes(found)


def _message(alpha: np.ndarray) -> bytes:
    """The hidden bytes; "" where the mark is not there, and where what follows it is damaged."""
    bits = (alpha.T & 1).reshape(-1)
    head = np.packbits(bits[:_HEADER]).tobytes()
    if len(bits) < _HEADER or head[: len(_PLAIN)] not in (_PLAIN, _ZIPPED):
        return b""
    (length,) = struct.unpack(">I", head[-4:])
    most = min(length, len(bits) - _HEADER, 32 * MAX_TEXT) // 8
    body = np.packbits(bits[_HEADER : _HEADER + 8 * most]).tobytes()
    if head.startswith(_PLAIN):
        return body
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(body, 4 * MAX_TEXT)
    except zlib.error:
        return b""
    whole = unpacker.eof and not unpacker.unused_data
    return text if whole or len(text) == 4 * MAX_TEXT else b""


def _texts(message: bytes) -> list[tuple[str, str]]:
    text = message.decode("utf-8", "replace")[:MAX_TEXT]
    if not text:
        return []
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return [("parameters", text)]
    fields = list(found.items())[:MAX_FIELDS]
    return [(str(key)[:79], value) for key, value in fields if isinstance(value, str)]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; ValueError where a key stands twice, of which other readers would keep another."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found
