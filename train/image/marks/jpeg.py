"""Marks in a JPEG file: its application segments and comments."""

import struct

from train.image.marks.parts import CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_XMP, TOO_MANY, FileParts

EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404
# A packet names one extension; what overflowed of older packets may still be there.
MAX_EXTENSIONS = 16


def walk_jpeg(data: bytes, parts: FileParts) -> None:
    """Read the segments before the first scan (ITU T.81, B.1; none of the marks stands behind it)."""
    boxes: dict[int, list[tuple[int, bytes]]] = {}
    photoshop: list[bytes] = []
    extended: dict[bytes, list[tuple[int, bytes]]] = {}
    at, count = 2, 0
    while True:
        while at < len(data) and data[at] == 0xFF and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF:
            parts.fault(CUT_SHORT)
            break
        marker = data[at + 1]
        if marker in (0xDA, 0xD9):
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        if length < 2 or at + 2 + length > len(data):
            parts.fault(CUT_SHORT)
            break
        count += 1
        if count > MAX_PARTS:
            parts.fault(TOO_MANY)
            break
        if marker == 0xE1 and content.startswith(EXIF) and parts.exif is None:
            parts.exif = content[len(EXIF) :]
        elif marker == 0xE1 and content.startswith(XMP) and parts.xmp is None:
            parts.xmp = content[len(XMP) :]
        elif marker == 0xE1 and content.startswith(EXTENDED_XMP) and len(content) > len(EXTENDED_XMP) + 40:
            # The digest that the packet names, the length of the whole, and where this piece belongs (XMP, part 3).
            digest, _, offset = struct.unpack_from(">32sII", content, len(EXTENDED_XMP))
            if digest in extended or len(extended) < MAX_EXTENSIONS:
                extended.setdefault(digest, []).append((offset, content[len(EXTENDED_XMP) + 40 :]))
        elif marker == 0xEB and content[:2] == b"JP" and len(content) >= 16:
            number, packet = struct.unpack_from(">HI", content, 2)
            boxes.setdefault(number, []).append((packet, content[8:]))
        elif marker == 0xED and content.startswith(PHOTOSHOP):
            photoshop.append(content[len(PHOTOSHOP) :])
        elif marker == 0xFE:
            parts.text("comment", content.decode("utf-8", "replace"))
        at += 2 + length
    parts.manifest = _joined(boxes, parts)
    parts.extended_xmp = _extension(extended, parts)
    parts.iptc = iptc_of(b"".join(photoshop))


def _extension(extended: dict[bytes, list[tuple[int, bytes]]], parts: FileParts) -> bytes | None:
    """The rest of an XMP packet that one segment could not hold: that which the packet names, in its order."""
    for digest, pieces in extended.items():
        if parts.xmp is not None and digest in parts.xmp:
            whole = b"".join(piece for _, piece in sorted(pieces, key=lambda one: one[0]))
            if not parts.large("extended XMP packet", len(whole), MAX_XMP):
                return whole
    return None


def _joined(boxes: dict[int, list[tuple[int, bytes]]], parts: FileParts) -> bytes | None:
    """The first JUMBF superbox that is a C2PA manifest store, put together from its packets (ISO 19566-5, annex D)."""
    for packets in boxes.values():
        packets.sort(key=lambda one: one[0])
        first = packets[0][1]
        # Every packet repeats the box's header: its length and type, and the long length where there is one.
        header = 16 if first[:4] == b"\0\0\0\1" else 8
        box = first + b"".join(content[header:] for _, content in packets[1:])
        if b"c2pa" in box[:128] and not parts.large("C2PA manifest", len(box), MAX_MANIFEST):
            return box
    return None


def iptc_of(resources: bytes) -> bytes | None:
    """The IPTC record among Photoshop's image resources (Adobe Photoshop File Formats, "Image Resource Blocks")."""
    at = 0
    for _ in range(MAX_PARTS):
        if resources[at : at + 4] != b"8BIM" or at + 12 > len(resources):
            return None
        (number,) = struct.unpack_from(">H", resources, at + 4)
        at += 6 + (resources[at + 6] + 2) // 2 * 2
        if at + 4 > len(resources):
            return None
        (length,) = struct.unpack_from(">I", resources, at)
        if number == _IPTC_RESOURCE:
            return resources[at + 4 : at + 4 + min(length, MAX_XMP)]
        at += 4 + (length + 1) // 2 * 2
    return None
