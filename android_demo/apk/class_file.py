"""What a Java class file names and declares. Layout: chapter 4 of The Java Virtual Machine Specification."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_UTF8, _CLASS = 1, 7
_MEMBERS = (9, 10, 11)  # a field, a method of a class, a method of an interface
_NAME_AND_TYPE = 12
# Bytes after the tag of each kind of constant; long and double (5, 6) take two places.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


@dataclass(frozen=True)
class Constants:
    """A constant pool: texts, the index of the name of each class, pairs of indices (members, names with types), and
    where it ends."""

    texts: dict[int, bytes]
    classes: dict[int, int]
    members: dict[int, tuple[int, int]]
    types: dict[int, tuple[int, int]]
    end: int

    def name(self, index: int) -> str:
        """The name of the class at an index, with slashes."""
        return self.texts[self.classes[index]].decode()


Member = tuple[str, str]
"""Name and descriptor of a field or method."""


def read_constants(data: bytes) -> Constants:
    """Read the constant pool of a class file."""
    found = Constants({}, {}, {}, {}, 0)
    (count,) = struct.unpack_from(">H", data, 8)
    index, at = 1, 10
    while index < count:
        tag = data[at]
        if tag == _UTF8:
            (length,) = struct.unpack_from(">H", data, at + 1)
            found.texts[index] = data[at + 3 : at + 3 + length]
            at += 3 + length
        else:
            if tag == _CLASS:
                (found.classes[index],) = struct.unpack_from(">H", data, at + 1)
            if tag in _MEMBERS or tag == _NAME_AND_TYPE:
                kind = found.types if tag == _NAME_AND_TYPE else found.members
                kind[index] = struct.unpack_from(">HH", data, at + 1)
            at += 1 + _SIZES[tag]
        index += 2 if tag in (5, 6) else 1
    return Constants(found.texts, found.classes, found.members, found.types, at)


def references(data: bytes) -> Iterator[tuple[str, Member]]:
    """The fields and methods that a class file uses, each with the class that it names for it."""
    pool = read_constants(data)
    for owner, described in pool.members.values():
        name, descriptor = (pool.texts[index].decode() for index in pool.types[described])
        yield pool.name(owner), (name, descriptor)


def ancestors(data: bytes) -> tuple[str, ...]:
    """The superclass and the interfaces of a class."""
    pool = read_constants(data)
    above, count = struct.unpack_from(">HH", data, pool.end + 4)
    indices = (above, *struct.unpack_from(f">{count}H", data, pool.end + 8))
    return tuple(pool.name(index) for index in indices if index)


def own_name(data: bytes) -> str:
    """The name of the class itself."""
    pool = read_constants(data)
    return pool.name(struct.unpack_from(">H", data, pool.end + 2)[0])


def declared(data: bytes) -> frozenset[Member]:
    """The fields and methods that a class declares itself."""
    pool = read_constants(data)
    (interfaces,) = struct.unpack_from(">H", data, pool.end + 6)
    at = pool.end + 8 + 2 * interfaces
    found = set()
    for _ in ("fields", "methods"):
        (count,) = struct.unpack_from(">H", data, at)
        at += 2
        for _ in range(count):
            _, name, descriptor, attributes = struct.unpack_from(">HHHH", data, at)
            found.add((pool.texts[name].decode(), pool.texts[descriptor].decode()))
            at += 8
            for _ in range(attributes):
                at += 6 + struct.unpack_from(">I", data, at + 2)[0]
    return frozenset(found)
