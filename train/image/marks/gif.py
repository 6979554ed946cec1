"""Marks in a GIF file: its comments and its XMP block."""

from train.image.marks.parts import CUT_SHORT, MAX_PARTS, MAX_TEXT, MAX_XMP, TOO_MANY, FileParts, too_many_parts

SIGNATURES = (b"GIF87a", b"GIF89a")
# Of a file together; of 255 bytes each they hold more than any file that is read.
MAX_BLOCKS = 1_000_000
_XMP = b"XMP DataXMP"
# What ends an XMP packet so that readers which know of sub-blocks only find an end (XMP, part 3, 1.1.2).
_TRAILER = 257


def walk_gif(data: bytes, parts: FileParts) -> None:
    """Read the blocks of a GIF file (GIF89a, 15 to 26); pixels are passed over."""
    at = 13 + _table(data[10:11])
    left = MAX_BLOCKS
    for _ in range(MAX_PARTS):
        kind = data[at : at + 1]
        if kind == b";":
            return
        if kind == b"," and len(data) >= at + 11:
            at, _unused, left = _blocks(data, at + 11 + _table(data[at + 9 : at + 10]), 0, left)
        elif kind == b"!" and data[at + 1 : at + 2] == b"\xfe":
            at, text, left = _blocks(data, at + 2, 4 * MAX_TEXT + 4, left)
            parts.text("comment", text.decode("utf-8", "replace"))
        elif kind == b"!" and data[at + 2 : at + 14] == b"\x0b" + _XMP:
            # The packet stands there as it is, not cut into sub-blocks.
            end = data.find(b"\0\0", at + 14)
            packet = data[at + 14 : max(at + 14, end - _TRAILER + 1)]
            if parts.xmp is None and not parts.large("XMP packet", len(packet), MAX_XMP):
                parts.xmp = packet
            at = end + 2 if end >= 0 else len(data)
        elif kind == b"!" and len(data) > at + 2:
            at, _unused, left = _blocks(data, at + 2, 0, left)
        else:
            parts.fault(CUT_SHORT)
            return
        if not left:
            parts.fault(too_many_parts(MAX_BLOCKS))
            return
    parts.fault(TOO_MANY)


def _table(packed: bytes) -> int:
    """Bytes of the colour table that a packed field tells of."""
    return 3 << (1 + (packed[0] & 7)) if packed and packed[0] & 0x80 else 0


def _blocks(data: bytes, at: int, most: int, left: int) -> tuple[int, bytes, int]:
    """Where a chain of at most `left` sub-blocks ends, the first `most` bytes that it holds, and how many are left."""
    found: list[bytes] = []
    kept = 0
    while left and at < len(data) and data[at]:
        if kept < most:
            found.append(data[at + 1 : at + 1 + data[at]])
            kept += data[at]
        at += 1 + data[at]
        left -= 1
    return at + 1, b"".join(found)[:most], left
