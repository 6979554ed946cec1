"""A bounded reader of the few EXIF fields that say where a picture comes from."""

import struct
from collections.abc import Callable

MAX_ENTRIES = 1_000
MAX_VALUE = 1 << 20
LOOPS = "The EXIF directories point in a circle or out of the file: the rest of them was not read."

# EXIF 2.32 and TIFF 6.0.
NAMES = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9003: "DateTimeOriginal",
    0x9286: "UserComment",
    0x9C9C: "XPComment",
    0x02BC: "XMP",
    0x83BB: "IPTC",
    0xCD41: "C2PA",
}
_EXIF_DIRECTORY, _THUMBNAIL_AT, _THUMBNAIL_BYTES = 0x8769, 0x0201, 0x0202
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4}


def read_exif(tiff: bytes, fault: Callable[[str], None]) -> dict[str, bytes]:
    """Return the fields of NAMES that a TIFF structure has, and "thumbnail" (a JPEG), as they stand.

    The first directory, its EXIF directory and the thumbnail's are read, each once. `fault` hears of what is wrong.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        fault("The EXIF block has no byte order mark: it was not read.")
        return {}
    found: dict[str, bytes] = {}
    numbers: dict[int, int] = {}
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    following = _directory(tiff, order, first, found, numbers, fault)
    if _EXIF_DIRECTORY in numbers:
        if numbers[_EXIF_DIRECTORY] == first:
            fault(LOOPS)
        else:
            _directory(tiff, order, numbers[_EXIF_DIRECTORY], found, {}, fault)
    if following == first:
        fault(LOOPS)
    elif following:
        ours: dict[int, int] = {}
        _directory(tiff, order, following, {}, ours, fault)
        begin, length = ours.get(_THUMBNAIL_AT, 0), ours.get(_THUMBNAIL_BYTES, 0)
        if begin and 0 < length <= MAX_VALUE and begin + length <= len(tiff):
            found["thumbnail"] = tiff[begin : begin + length]
    return found


def _directory(
    tiff: bytes, order: str, at: int, found: dict[str, bytes], numbers: dict[int, int], fault: Callable[[str], None]
) -> int:
    """Read one directory into `found` and `numbers`; return where the next one begins, 0 for nowhere."""
    if at + 2 > len(tiff):
        fault(LOOPS)
        return 0
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for entry in range(min(count, MAX_ENTRIES)):
        place = at + 2 + 12 * entry
        if place + 12 > len(tiff):
            fault(LOOPS)
            return 0
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, place)
        length = values * _SIZES.get(kind, 0)
        if kind in (3, 4) and values == 1:
            numbers[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", tiff, place + 8)[0]
        if tag not in NAMES or NAMES[tag] in found or not length:
            continue
        begin = place + 8 if length <= 4 else struct.unpack_from(f"{order}I", tiff, place + 8)[0]
        if begin + length > len(tiff):
            fault(LOOPS)
        elif length <= MAX_VALUE:
            found[NAMES[tag]] = tiff[begin : begin + length]
    after = at + 2 + 12 * count
    return int(struct.unpack_from(f"{order}I", tiff, after)[0]) if after + 4 <= len(tiff) else 0


def text_of(value: bytes) -> str:
    """The text of an ASCII field: up to its NUL, UTF-8 where it is that, else Latin-1."""
    raw = value.split(b"\0", 1)[0].strip()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def comment_of(value: bytes) -> str:
    """The text of UserComment: eight bytes name the encoding (EXIF 2.32, 4.6.5).

    "UNICODE" is UTF-16 in either order: a NUL in the first byte of the text means big-endian, as in what A1111 writes.
    """
    code, raw = value[:8], value[8:]
    if code == b"UNICODE\0":
        return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", "replace").strip("\0 ")
    return text_of(raw if code in (b"ASCII\0\0\0", b"\0" * 8) else value)
