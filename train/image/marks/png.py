"""Marks in a PNG file: its text chunks, eXIf and caBX."""

import struct
import zlib

from train.image.marks.parts import CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_TEXT, MAX_XMP, TOO_MANY, FileParts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = "XML:com.adobe.xmp"


def walk_png(data: bytes, parts: FileParts) -> None:
    """Read the chunks of a PNG file (W3C PNG, third edition, 5.3 and 11.3); checksums are not compared."""
    at = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            parts.fault(CUT_SHORT)
            return
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            parts.fault(CUT_SHORT)
            return
        if kind == b"IEND":
            return
        if kind in _READERS and (kind not in _TEXTS or parts.has_room()):
            _READERS[kind](data[at + 8 : at + 8 + length], parts)
        at += 12 + length
    parts.fault(TOO_MANY)


def _exif(chunk: bytes, parts: FileParts) -> None:
    parts.exif = parts.exif or chunk.removeprefix(b"Exif\0\0")


def _manifest(chunk: bytes, parts: FileParts) -> None:
    if parts.manifest is None and not parts.large("C2PA manifest", len(chunk), MAX_MANIFEST):
        parts.manifest = chunk


def _plain(chunk: bytes, parts: FileParts) -> None:
    key, _, text = chunk.partition(b"\0")
    _keep(key, text, "latin-1", parts)


def _zipped(chunk: bytes, parts: FileParts) -> None:
    key, _, rest = chunk.partition(b"\0")
    _keep(key, _unzipped(rest[1:], parts), "latin-1", parts)


def _international(chunk: bytes, parts: FileParts) -> None:
    key, _, rest = chunk.partition(b"\0")
    packed = rest[:1] == b"\1"
    fields = rest[2:].split(b"\0", 2)
    if len(fields) < 3:
        parts.fault(CUT_SHORT)
        return
    _keep(key, _unzipped(fields[2], parts) if packed else fields[2], "utf-8", parts)


_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_READERS = {b"eXIf": _exif, b"caBX": _manifest, b"tEXt": _plain, b"zTXt": _zipped, b"iTXt": _international}


def _keep(key: bytes, text: bytes, encoding: str, parts: FileParts) -> None:
    name = key[:79].decode("latin-1")
    if name == _XMP:
        if parts.xmp is None and not parts.large("XMP packet", len(text), MAX_XMP):
            parts.xmp = text
        return
    # Four bytes a character at most; one more character shows that it was longer.
    parts.text(name, text[: 4 * MAX_TEXT + 4].decode(encoding, "replace"))


def _unzipped(packed: bytes, parts: FileParts) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MAX_XMP)
    except zlib.error:
        text = b""
    # Also what something follows: no writer leaves that, and browsers refuse it.
    if (not unpacker.eof or unpacker.unused_data) and len(text) < MAX_XMP:
        parts.fault("A compressed text is damaged: it was not read.")
        return b""
    if len(text) == MAX_XMP and not unpacker.eof:
        parts.fault(f"A text is longer than {MAX_XMP:,} bytes unpacked: only its beginning was read.")
    return text
