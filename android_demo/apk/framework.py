"""The platform's resource table in a form that an older aapt2 reads.

Robolectric's android-all jar carries the resources of Android 16, written with the short offsets and compact entries
that Android 14 brought; Debian 12's aapt2 is of Android 10 and finds nothing in them. What linking an app asks of the
platform is which names there are, their numbers and what an attribute takes, so one value of each resource is enough.

Layout of the chunks: ResourceTypes.h of Android's libandroidfw.
"""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .archive import write_archive
from .errors import ApkError

_TABLE, _STRINGS, _PACKAGE, _TYPE, _TYPE_SPEC = 0x0002, 0x0001, 0x0200, 0x0201, 0x0202
_SPARSE, _OFFSET16 = 1, 2
_COMPLEX, _COMPACT = 1, 8
_NO_ENTRY = 0xFFFFFFFF
# A ResTable_config of Android 10 that says nothing: for any device.
_ANY_DEVICE = struct.pack("<I", 64) + bytes(60)


def write_framework(android_jar: Path, framework: Path) -> None:
    """Write a package with the resources of `android_jar` that old versions of aapt2 can link against.

    Raises ApkError for a jar without a resource table or with one that cannot be read.
    """
    try:
        with zipfile.ZipFile(android_jar) as jar:
            table, manifest = jar.read("resources.arsc"), jar.read("AndroidManifest.xml")
        plain = _plain_table(table)
    except (OSError, KeyError, zipfile.BadZipFile, struct.error) as error:
        raise ApkError(f"{android_jar} holds no Android resources ({error}); let Maven fetch it anew.") from error
    write_archive(framework, {"AndroidManifest.xml": manifest, "resources.arsc": plain}, stored=("resources.arsc",))


def _plain_table(table: bytes) -> bytes:
    strings = b""
    for kind, start, size in _chunks(table, 12, len(table)):
        if kind == _STRINGS:
            strings = table[start : start + size]
        if kind == _PACKAGE:
            # The first package is the platform; those after it are resources that it may be updated with.
            return _chunk(_TABLE, struct.pack("<I", 1), strings + _plain_package(table, start, size))
    raise ApkError("The platform's resource table has no package; let Maven fetch android-all anew.")


def _plain_package(table: bytes, start: int, size: int) -> bytes:
    header = struct.unpack_from("<H", table, start + 2)[0]
    pools: list[bytes] = []
    specs: dict[int, bytes] = {}
    entries: dict[int, dict[int, bytes]] = {}
    for kind, at, length in _chunks(table, start + header, start + size):
        identifier = table[at + 8]
        if kind == _STRINGS:
            pools.append(table[at : at + length])
        elif kind == _TYPE_SPEC:
            specs[identifier] = table[at : at + length]
        elif kind == _TYPE:
            # Devices in general come before particular ones, so their value is the one that stays.
            known = entries.setdefault(identifier, {})
            for index, entry in _entries(table, at):
                known.setdefault(index, entry)
    body = b"".join(pools)
    for identifier, spec in specs.items():
        count = struct.unpack_from("<I", spec, 12)[0]
        body += spec + _plain_type(identifier, count, entries.get(identifier, {}))
    return _chunk(_PACKAGE, table[start + 8 : start + header], body)


def _entries(table: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of every entry of the type chunk at `at`, none of them compact."""
    header = struct.unpack_from("<H", table, at + 2)[0]
    flags, count, first = struct.unpack_from("<xBxxII", table, at + 8)
    for place in range(count):
        if flags & _SPARSE:
            index, offset = struct.unpack_from("<HH", table, at + header + 4 * place)
            offset *= 4
        elif flags & _OFFSET16:
            index, offset = place, struct.unpack_from("<H", table, at + header + 2 * place)[0]
            offset = _NO_ENTRY if offset == 0xFFFF else 4 * offset
        else:
            index, offset = place, struct.unpack_from("<I", table, at + header + 4 * place)[0]
        if offset != _NO_ENTRY:
            yield index, _plain_entry(table, at + first + offset)


def _plain_entry(table: bytes, at: int) -> bytes:
    size, flags, word = struct.unpack_from("<HHI", table, at)
    if flags & _COMPACT:
        # Where others have their size it has its name, the type of its value above the flags, and then the value.
        return struct.pack("<HHIHBBI", 8, flags & 0xFF & ~_COMPACT, size, 8, 0, flags >> 8, word)
    if flags & _COMPLEX:
        return table[at : at + size + 12 * struct.unpack_from("<I", table, at + 12)[0]]
    return table[at : at + size + 8]


def _plain_type(identifier: int, count: int, entries: dict[int, bytes]) -> bytes:
    offsets, body = [_NO_ENTRY] * count, bytearray()
    for index, entry in sorted(entries.items()):
        offsets[index] = len(body)
        body += entry
    header = 20 + len(_ANY_DEVICE)
    fields = struct.pack("<BBHII", identifier, 0, 0, count, header + 4 * count) + _ANY_DEVICE
    return _chunk(_TYPE, fields, struct.pack(f"<{count}I", *offsets) + bytes(body))


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and size of each chunk from `start` to `end`."""
    while start < end:
        kind, _, size = struct.unpack_from("<HHI", data, start)
        if size < 8:
            raise ApkError("The platform's resource table is damaged; let Maven fetch android-all anew.")
        yield kind, start, size
        start += size


def _chunk(kind: int, fields: bytes, body: bytes) -> bytes:
    header = 8 + len(fields)
    return struct.pack("<HHI", kind, header, header + len(body)) + fields + body
