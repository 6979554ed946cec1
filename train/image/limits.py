"""What a picture may cost, told from its header: every picture that is let in is decoded in at most about 1 GB."""

import re
import struct

from train.common.errors import DataError

MAX_PIXELS = 120_000_000
MAX_BYTES = 1 << 30
MAX_SIDE = 1_000_000
"""Pillow keeps an address of 8 bytes for every row, however short it is."""
MAX_WEBP_PIXELS = 50_000_000
"""WebP is decoded on two canvases of 4 bytes a pixel, then copied twice, and the first of these steps is to open it."""
MAX_PROGRESSIVE_PIXELS = 80_000_000
"""libjpeg keeps all coefficients of a progressive JPEG: up to 6 bytes a pixel, beside Pillow's 4."""
MAX_SCANS = 100
"""Encoders write up to about 20; each scan visits every block of the picture, also when it changes none."""

MAX_JPEG_SIDE = 65_500
"""The longest side that libjpeg writes (JPEG_MAX_DIMENSION)."""

_SOF2, _SOS = 0xC2, 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xDA)}
# After the header of a scan come its data, in which 0xFF is followed by 0 or stands for a restart.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def check_file_cost(data: bytes, name: str) -> None:
    """Raise DataError for a file whose reader would take too much while it opens it."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        size = webp_size(data)
        if size is not None:
            check_picture_size(*size, name, MAX_WEBP_PIXELS, "a WebP")
    elif data[:2] == b"\xff\xd8":
        _check_scans(data, name)


def check_picture_size(width: int, height: int, name: str, most: int = MAX_PIXELS, kind: str = "") -> None:
    """Raise DataError for a picture of too many pixels, or of a side that is too long."""
    if width * height > most:
        limit = f"{most:,} in all" if not kind else f"the {most:,} in all that {kind} may have"
        raise DataError(f"{name} has {width} x {height} pixels, more than {limit}: save a smaller copy.")
    if max(width, height) > MAX_SIDE:
        raise DataError(
            f"{name} has {width} x {height} pixels, more than {MAX_SIDE:,} on one side: save a smaller copy."
        )


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that the first chunk of a WebP claims; None where it has none (RFC 9649, 2.4 to 2.7)."""
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X" and len(body) == 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and len(body) == 10:
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _check_scans(data: bytes, name: str) -> None:
    """Walk over the markers of a JPEG up to its end (ITU-T T.81, annex B)."""
    at, scans = 2, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                return
            at = found.start()
            continue
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            return
        if marker in _STANDALONE or marker == 0:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOF2 and len(data) >= at + 9:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            check_picture_size(width, height, name, MAX_PROGRESSIVE_PIXELS, "a progressive JPEG")
        if marker == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise DataError(f"{name} is a JPEG of more than {MAX_SCANS} scans: save it again as a baseline JPEG.")
            found = _NEXT_MARKER.search(data, at + 2 + length)
            if found is None:
                return
            at = found.start()
            continue
        at += 2 + max(2, length)
