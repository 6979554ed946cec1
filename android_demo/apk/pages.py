"""A native library that was linked for pages of 4 KB, laid out for pages of 16 KB without linking it again.

Every address stays what it was, for code counts on the distances between them; only where segments lie in the file
and how they are protected changes. What a page of 16 KB covers must have one protection: so the read-write segments
become one, and of the part that is made read-only after relocation (GNU_RELRO) whole pages remain. Contents of
sections are the same bytes. In the room that opens between two segments stands a notice that the file was changed, as
the licence of TensorFlow Lite asks (Apache-2.0, 4 b).

Structures: elf(5); "Load" rules: Android's linker_phdr.cpp and https://source.android.com/docs/core/architecture/16kb-page-size.
"""

import struct
from dataclasses import dataclass, replace

from .errors import ApkError

PAGE = 16384
NOTICE = (
    b"\0This file was modified by Fauxlens: its segments were laid out for pages of 16 KB; the contents of its "
    b"sections are unchanged.\0"
)
_LOAD, _NULL, _RELRO = 1, 0, 0x6474E552
_EXECUTE, _WRITE = 1, 2
_SEGMENT, _SECTION = "<IIQQQQQQ", "<IIQQQQIIQQ"
_NOBITS = 8
# Of the ELF header: where the tables stand, how large an entry is and how many there are.
_PROGRAM_AT, _SECTIONS_AT, _SIZES_AT = 32, 40, 54


@dataclass(frozen=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    in_file: int
    in_memory: int
    align: int

    def packed(self) -> bytes:
        return struct.pack(
            _SEGMENT,
            self.kind,
            self.flags,
            self.offset,
            self.address,
            self.physical,
            self.in_file,
            self.in_memory,
            self.align,
        )


def is_for_large_pages(library: bytes) -> bool:
    """Whether all that a 64-bit ELF file loads is aligned to 16 KB."""
    return all(segment.align >= PAGE for segment in _segments(library) if segment.kind == _LOAD)


def can_be_laid_out(library: bytes) -> bool:
    """Whether code and data of a library lie on different pages of 16 KB; else it would have to be linked again."""
    loads = [segment for segment in _segments(library) if segment.kind == _LOAD]
    return _split(loads) is not None


def lay_out(library: bytes, name: str) -> bytes:
    """The library for pages of 16 KB and of 4 KB. Raises ApkError unless `can_be_laid_out`; `name` is what it says."""
    segments = _segments(library)
    loads = [segment for segment in segments if segment.kind == _LOAD]
    split = _split(loads)
    if split is None:
        raise ApkError(f"{name} has code and data on one page of 16 KB: take a library that is linked for them.")
    _, writable = split
    first, last = writable[0], writable[-1]
    whole = replace(
        first,
        in_file=last.address + last.in_file - first.address,
        in_memory=last.address + last.in_memory - first.address,
        align=PAGE,
    )
    moves = [(segment.offset, segment.offset + segment.in_file, _shift(segment, whole)) for segment in writable]
    changed = [_changed(segment, writable, whole, moves) for segment in segments]
    return _written(library, changed, whole, moves)


def _segments(library: bytes) -> list[_Segment]:
    if library[:6] != b"\x7fELF\x02\x01":
        raise ApkError("A native library is not a 64-bit ELF file: build the app again.")
    (start,) = struct.unpack_from("<Q", library, _PROGRAM_AT)
    size, count = struct.unpack_from("<HH", library, _SIZES_AT)
    return [_Segment(*struct.unpack_from(_SEGMENT, library, start + size * index)) for index in range(count)]


def _split(loads: list[_Segment]) -> tuple[list[_Segment], list[_Segment]] | None:
    """Code and what is written to, if one page of 16 KB never has both and the code begins the file."""
    fixed = [one for one in loads if not one.flags & _WRITE]
    writable = [one for one in loads if one.flags & _WRITE]
    if not writable or loads != fixed + writable or any(one.flags & _EXECUTE for one in writable):
        return None
    ends = [0, *(one.address + one.in_memory for one in fixed)]
    congruent = all((one.offset - one.address) % PAGE == 0 for one in (*fixed, writable[0]))
    apart = writable[0].address // PAGE * PAGE >= max(ends)
    return (fixed, writable) if len(fixed) == 1 and congruent and apart else None


def _shift(segment: _Segment, whole: _Segment) -> int:
    """How far a segment's contents move in the file, to lie as far from the first one's as in memory."""
    return whole.offset + segment.address - whole.address - segment.offset


def _changed(
    segment: _Segment, writable: list[_Segment], whole: _Segment, moves: list[tuple[int, int, int]]
) -> _Segment:
    if segment in writable:
        # Loaders skip an entry of no kind.
        return whole if segment is writable[0] else _Segment(_NULL, 0, 0, 0, 0, 0, 0, 0)
    if segment.kind == _LOAD:
        return replace(segment, align=PAGE)
    if segment.kind == _RELRO:
        end = (segment.address + segment.in_file) // PAGE * PAGE
        length = max(0, end - segment.address)
        return replace(segment, in_file=length, in_memory=length)
    return replace(segment, offset=segment.offset + _moved(segment.offset, moves))


def _moved(offset: int, moves: list[tuple[int, int, int]]) -> int:
    """How far what stands at a place of the file moves: with its segment, or behind the last with that one."""
    for start, end, shift in moves:
        if start <= offset < end:
            return shift
    return moves[-1][2] if offset >= moves[-1][1] else 0


def _written(library: bytes, segments: list[_Segment], whole: _Segment, moves: list[tuple[int, int, int]]) -> bytes:
    rest = moves[-1][1]
    data = bytearray(library[: whole.offset])
    for start, end, shift in moves:
        gap = start + shift - len(data)
        data += NOTICE.ljust(gap, b"\0") if gap >= len(NOTICE) else bytes(gap)
        data += library[start:end]
    if NOTICE not in data:
        raise ApkError("A native library has no room for the notice that it was changed: take one that is linked anew.")
    data += library[rest:]
    (program_at, sections_at) = struct.unpack_from("<QQ", library, _PROGRAM_AT)
    moved_sections = sections_at + _moved(sections_at, moves)
    struct.pack_into("<Q", data, _SECTIONS_AT, moved_sections)
    table = b"".join(segment.packed() for segment in segments)
    data[program_at : program_at + len(table)] = table
    _move_sections(data, moved_sections, moves)
    return bytes(data)


def _move_sections(data: bytearray, at: int, moves: list[tuple[int, int, int]]) -> None:
    size, count = struct.unpack_from("<HH", data, _SIZES_AT + 4)
    for place in range(at, at + size * count, size):
        (kind,) = struct.unpack_from("<I", data, place + 4)
        (offset,) = struct.unpack_from("<Q", data, place + 24)
        # What has no contents stands where the contents before it end.
        inside = offset - 1 if kind == _NOBITS else offset
        struct.pack_into("<Q", data, place + 24, offset + _moved(max(0, inside), moves))
