"""A bounded reader of CBOR (RFC 8949), for what C2PA manifests hold."""

import struct
from typing import Any

MAX_DEPTH, MAX_ITEMS = 32, 100_000


class CborError(ValueError):
    """The bytes are no CBOR, end too soon, or nest or count beyond the limits."""


def read_cbor(data: bytes) -> Any:
    """Return the first item of `data`: int, float, bytes, str, list, dict, bool or None.

    Tags are dropped and their content is returned; keys of maps that are neither text nor numbers are dropped with
    their values. What follows the item is ignored. Raises CborError.
    """
    return _CborReader(data).value(-1)


class _Break:
    """The end of an item of unknown length."""


class _CborReader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.items = data, 0, 0

    def item(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise CborError("nested too deep, or too many items")
        first = self.take(1)[0]
        major, short = first >> 5, first & 31
        if major == 7:
            return self.simple(short)
        if short == 31:
            return self.endless(major, depth)
        count = short if short < 24 else self.number(short)
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major == 2:
            return self.take(count)
        if major == 3:
            return self.take(count).decode("utf-8", "replace")
        if major == 6:
            return self.value(depth)
        if major == 4:
            return [self.value(depth) for _ in range(self.possible(count))]
        return self.entries((self.value(depth), self.value(depth)) for _ in range(self.possible(count)))

    def value(self, depth: int) -> Any:
        value = self.item(depth + 1)
        if value is _Break:
            raise CborError("a break where a value belongs")
        return value

    def endless(self, major: int, depth: int) -> Any:
        if major not in (2, 3, 4, 5):
            raise CborError("no item of this kind has an unknown length")
        found = []
        while (value := self.item(depth + 1)) is not _Break:
            found.append(value)
        if major == 4:
            return found
        if major == 5:
            if len(found) % 2:
                raise CborError("a key without a value")
            return self.entries(zip(found[::2], found[1::2], strict=True))
        kind: type = bytes if major == 2 else str
        if not all(isinstance(one, kind) for one in found):
            raise CborError("a string of other things than strings")
        return kind().join(found)

    def entries(self, pairs: Any) -> dict[int | str, Any]:
        return {key: value for key, value in pairs if isinstance(key, int | str)}

    def simple(self, short: int) -> Any:
        if short in (25, 26, 27):
            raw = self.take(1 << (short - 24))
            return struct.unpack({2: ">e", 4: ">f", 8: ">d"}[len(raw)], raw)[0]
        if short == 31:
            return _Break
        if short == 24:
            self.take(1)
        elif short > 27:
            raise CborError("reserved")
        return {20: False, 21: True}.get(short)

    def number(self, short: int) -> int:
        if short > 27:
            raise CborError("reserved")
        return int.from_bytes(self.take(1 << (short - 24)), "big")

    def possible(self, count: int) -> int:
        # Each item has one byte at least, so that a lying count ends before anything is reserved for it.
        if count > len(self.data) - self.at:
            raise CborError("more items than bytes")
        return count

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise CborError("ends too soon")
        self.at += count
        return self.data[self.at - count : self.at]
