"""FlatBuffers tables read so that no byte outside the file is ever looked at: for files that nobody vouches for.

Format: FlatBuffers, "Internals": offsets forward to tables and vectors, a table's signed offset back to its vtable, and
in the vtable the sizes of both and the place of each field. Readers made by its compiler trust all of these.
"""

import struct
from dataclasses import dataclass


class BadFlatBuffer(ValueError):
    """An offset, a length or an alignment leads out of the file."""


@dataclass(frozen=True)
class FlatTable:
    """A table at `at` whose vtable has been checked: `fields` are the places of its fields, 0 for an absent one."""

    data: bytes
    at: int
    size: int
    fields: tuple[int, ...]

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A whole number field in the form of `struct`, e.g. `<I`."""
        place = self._place(field, struct.calcsize(form))
        return default if place is None else int(struct.unpack_from(form, self.data, place)[0])

    def table(self, field: int) -> "FlatTable | None":
        """A table field."""
        target = self._target(field)
        return None if target is None else table_at(self.data, target)

    def tables(self, field: int) -> tuple["FlatTable", ...]:
        """A field that is a vector of tables."""
        start, count = self._vector(field, 4)
        return tuple(table_at(self.data, place + _unsigned(self.data, place)) for place in _places(start, count, 4))

    def numbers(self, field: int, form: str) -> tuple[int, ...] | None:
        """A field that is a vector of numbers; None where it is absent."""
        if self._place(field, 4) is None:
            return None
        width = struct.calcsize(f"<{form}")
        start, count = self._vector(field, width)
        return struct.unpack_from(f"<{count}{form}", self.data, start)

    def bytes_at(self, field: int) -> tuple[int, int]:
        """Where a field that is a vector of bytes starts, and how many there are; (0, 0) where it is absent."""
        return self._vector(field, 1)

    def text(self, field: int) -> str:
        """A field that is a string."""
        start, count = self._vector(field, 1)
        return self.data[start : start + count].decode("utf-8", "replace")

    def has(self, field: int) -> bool:
        """Whether a field is there."""
        return field < len(self.fields) and self.fields[field] != 0

    def _place(self, field: int, width: int) -> int | None:
        if not self.has(field):
            return None
        offset = self.fields[field]
        if offset < 4 or offset + width > self.size or (self.at + offset) % width:
            raise BadFlatBuffer(f"a field of the table at {self.at} lies outside it")
        return self.at + offset

    def _target(self, field: int) -> int | None:
        place = self._place(field, 4)
        return None if place is None else place + _unsigned(self.data, place)

    def _vector(self, field: int, width: int) -> tuple[int, int]:
        target = self._target(field)
        if target is None:
            return 0, 0
        count = _unsigned(self.data, target)
        if target % 4 or count > (len(self.data) - target - 4) // width:
            raise BadFlatBuffer(f"the vector at {target} does not lie in the file")
        return target + 4, count


def root_table(data: bytes) -> FlatTable:
    """The root table of a FlatBuffers file. Raises BadFlatBuffer as all here do."""
    return table_at(data, _unsigned(data, 0))


def table_at(data: bytes, at: int) -> FlatTable:
    """The table at a place, its vtable checked."""
    if at % 4 or not 4 <= at <= len(data) - 4:
        raise BadFlatBuffer(f"there is no table at {at}")
    vtable = at - int(struct.unpack_from("<i", data, at)[0])
    if vtable % 2 or not 4 <= vtable <= len(data) - 4:
        raise BadFlatBuffer(f"the table at {at} has no vtable")
    length, size = struct.unpack_from("<HH", data, vtable)
    if length < 4 or length % 2 or vtable + length > len(data) or size < 4 or at + size > len(data):
        raise BadFlatBuffer(f"the table at {at} has a wrong vtable")
    return FlatTable(data, at, size, struct.unpack_from(f"<{(length - 4) // 2}H", data, vtable + 4))


def _unsigned(data: bytes, place: int) -> int:
    if not 0 <= place <= len(data) - 4:
        raise BadFlatBuffer(f"an offset leads to {place}, outside the file")
    return int(struct.unpack_from("<I", data, place)[0])


def _places(start: int, count: int, width: int) -> range:
    return range(start, start + count * width, width)
