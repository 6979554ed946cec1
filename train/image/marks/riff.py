"""Marks in a WebP file: the RIFF chunks EXIF, XMP and C2PA."""

import struct

from train.image.marks.parts import CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_XMP, TOO_MANY, FileParts


def walk_webp(data: bytes, parts: FileParts) -> None:
    """Read the chunks of a WebP file (RFC 9649, 2.3 and 2.7; "C2PA" by the C2PA specification, A.3.3)."""
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            if at < len(data):
                parts.fault(CUT_SHORT)
            return
        kind, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if at + 8 + length > len(data):
            parts.fault(CUT_SHORT)
            return
        content = slice(at + 8, at + 8 + length)
        if kind == b"EXIF" and parts.exif is None:
            parts.exif = data[content].removeprefix(b"Exif\0\0")
        elif kind == b"XMP " and parts.xmp is None and not parts.large("XMP packet", length, MAX_XMP):
            parts.xmp = data[content]
        elif kind == b"C2PA" and parts.manifest is None and not parts.large("C2PA manifest", length, MAX_MANIFEST):
            parts.manifest = data[content]
        at += 8 + length + (length & 1)
    parts.fault(TOO_MANY)
