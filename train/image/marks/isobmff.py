"""Marks in HEIF and AVIF files: the C2PA box, and the items Exif and XMP of the meta box."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from train.image.marks.parts import CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_XMP, TOO_MANY, FileParts

# C2PA specification, A.5.1: the uuid of the box that holds a manifest store.
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# A phone's picture of many tiles has some hundred items, each of one extent.
MAX_ITEMS, MAX_EXTENTS = 4_000, 16
AVIF_BRANDS = (b"avif", b"avis")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def container_of(data: bytes) -> str:
    """Return "AVIF", "HEIF" or "" by the brands of the ftyp box (ISO 23008-12, ISO 14496-12)."""
    if data[4:8] != b"ftyp":
        return ""
    (length,) = struct.unpack_from(">I", data)
    brands = [data[8:12]] + [data[at : at + 4] for at in range(16, min(length, len(data), 256), 4)]
    if any(brand in AVIF_BRANDS for brand in brands):
        return "AVIF"
    return "HEIF" if any(brand in HEIF_BRANDS for brand in brands) else ""


def walk_bmff(data: bytes, parts: FileParts) -> None:
    """Read the boxes at the top and those of the meta box; nothing is followed deeper."""
    for kind, begin, end in _boxes(data, 0, len(data), parts):
        if kind == b"uuid" and data[begin : begin + 16] == C2PA_UUID and parts.manifest is None:
            _manifest(data[begin + 16 : end], parts)
        elif kind == b"meta":
            _meta(data, begin + 4, end, parts)


def _manifest(box: bytes, parts: FileParts) -> None:
    """Version and flags, the purpose with its NUL, an offset of 8 bytes, then the manifest store."""
    purpose, nul, rest = box[4:].partition(b"\0")
    if (
        nul
        and purpose in (b"manifest", b"original", b"update")
        and not parts.large("C2PA manifest", len(rest), MAX_MANIFEST)
    ):
        parts.manifest = rest[8:]


def _boxes(data: bytes, begin: int, end: int, parts: FileParts) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, begin and end of the content of each box in data[begin:end]."""
    for _ in range(MAX_PARTS):
        if begin + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, begin)
        header = 8
        if length == 1 and begin + 16 <= end:
            (length,) = struct.unpack_from(">Q", data, begin + 8)
            header = 16
        elif length == 0:
            length = end - begin
        if length < header or begin + length > end:
            parts.fault(CUT_SHORT)
            return
        yield kind, begin + header, begin + length
        begin += length
    parts.fault(TOO_MANY)


@dataclass(frozen=True)
class _Location:
    in_idat: bool
    extents: tuple[tuple[int, int], ...]


def _meta(data: bytes, begin: int, end: int, parts: FileParts) -> None:
    items: dict[int, str] = {}
    locations: dict[int, _Location] = {}
    idat = (0, 0)
    for kind, first, last in _boxes(data, begin, end, parts):
        try:
            if kind == b"iinf":
                items = _items(data, first, last, parts)
            elif kind == b"iloc":
                locations = _locations(data[first:last])
            elif kind == b"idat":
                idat = first, last
        except (struct.error, IndexError):
            parts.fault(CUT_SHORT)
    for number, name in items.items():
        where = locations.get(number)
        if where is None:
            continue
        if name == "Exif" and parts.exif is None:
            content = _content(data, where, idat)
            # Four bytes say how far the TIFF header is away (ISO 23008-12, A.2.1).
            parts.exif = content[4 + int.from_bytes(content[:4], "big") :]
        elif name == "XMP" and parts.xmp is None:
            parts.xmp = _content(data, where, idat)


def _content(data: bytes, where: _Location, idat: tuple[int, int]) -> bytes:
    """The extents of an item one after the other, at most MAX_XMP bytes."""
    content = b""
    for offset, length in where.extents:
        begin, end = (idat[0] + offset, idat[1]) if where.in_idat else (offset, len(data))
        content += data[begin : min(end, begin + min(length, MAX_XMP - len(content)))]
    return content


def _items(data: bytes, begin: int, end: int, parts: FileParts) -> dict[int, str]:
    """The items "Exif" and "XMP" by their numbers (ISO 14496-12, 8.11.6)."""
    found: dict[int, str] = {}
    start = begin + (6 if data[begin] == 0 else 8)
    for kind, first, last in _boxes(data, start, end, parts):
        if kind != b"infe" or data[first] < 2:
            continue
        wide = data[first] >= 3
        (number,) = struct.unpack_from(">I" if wide else ">H", data, first + 4)
        rest = data[first + (10 if wide else 8) : last]
        if rest[:4] == b"Exif":
            found[number] = "Exif"
        elif rest[:4] == b"mime" and b"application/rdf+xml" in rest[4:200]:
            found[number] = "XMP"
    return found


def _locations(box: bytes) -> dict[int, _Location]:
    """Where the items are (ISO 14496-12, 8.11.3): extents of offset and length, in the file or in idat."""
    version = box[0]
    offset_size, length_size, base_size, index_size = box[4] >> 4, box[4] & 15, box[5] >> 4, box[5] & 15
    at = 6
    (count,) = struct.unpack_from(">I" if version == 2 else ">H", box, at)
    at += 4 if version == 2 else 2
    found: dict[int, _Location] = {}

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(box):
            raise IndexError
        at += size
        return int.from_bytes(box[at - size : at], "big")

    for _ in range(min(count, MAX_ITEMS)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        extents = []
        for _ in range(min(number(2), MAX_EXTENTS)):
            if version in (1, 2):
                number(index_size)
            offset = number(offset_size)
            extents.append((base + offset, number(length_size)))
        found[item] = _Location(method == 1, tuple(extents))
    return found
