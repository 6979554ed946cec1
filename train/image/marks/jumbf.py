"""JUMBF boxes (ISO 19566-5), in which C2PA stores its manifests."""

import struct
from dataclasses import dataclass

MAX_DEPTH, MAX_BOXES = 8, 5_000


class JumbfError(ValueError):
    """The bytes are no JUMBF, end too soon, or nest or count beyond the limits."""


@dataclass(frozen=True)
class Box:
    """A superbox: label, superboxes, other boxes as (type, content), and `hashed`, what C2PA hashes of it."""

    label: str
    boxes: tuple["Box", ...]
    contents: tuple[tuple[bytes, memoryview], ...]
    hashed: memoryview

    def child(self, label: str) -> "Box | None":
        """The first superbox of this label."""
        return next((box for box in self.boxes if box.label == label), None)

    def content(self, kind: bytes) -> bytes | None:
        """The content of the first box of this type."""
        return next((bytes(content) for one, content in self.contents if one == kind), None)


def read_jumbf(data: bytes) -> Box:
    """Return the superbox that `data` begins with. Raises JumbfError."""
    kind, begin, end = _header(data, 0, len(data))
    if kind != b"jumb":
        raise JumbfError("no superbox")
    # Views, so that nested boxes cost no copies.
    return _superbox(memoryview(data), begin, end, 0, [0])


def _superbox(data: memoryview, begin: int, end: int, depth: int, count: list[int]) -> Box:
    label = ""
    boxes: list[Box] = []
    contents: list[tuple[bytes, memoryview]] = []
    at = begin
    while at < end:
        count[0] += 1
        if depth > MAX_DEPTH or count[0] > MAX_BOXES:
            raise JumbfError("nested too deep, or too many boxes")
        kind, first, last = _header(data, at, end)
        if kind == b"jumd":
            label = _label(bytes(data[first:last]))
        elif kind == b"jumb":
            boxes.append(_superbox(data, first, last, depth + 1, count))
        else:
            contents.append((kind, data[first:last]))
        at = last
    return Box(label, tuple(boxes), tuple(contents), data[begin:end])


def _header(data: bytes | memoryview, at: int, end: int) -> tuple[bytes, int, int]:
    """Type, begin and end of the content of the box at `at`."""
    if at + 8 > end:
        raise JumbfError("ends too soon")
    length, kind = struct.unpack_from(">I4s", data, at)
    header = 8
    if length == 1 and at + 16 <= end:
        (length,) = struct.unpack_from(">Q", data, at + 8)
        header = 16
    elif length == 0:
        length = end - at
    if length < header or at + length > end:
        raise JumbfError("a length that does not fit")
    return kind, at + header, at + length


def _label(description: bytes) -> str:
    """The label of a description box: 16 bytes of type, toggles (0x02: a label follows), the label with its NUL."""
    if len(description) < 17 or not description[16] & 2:
        return ""
    return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")
