"""Zip files with nothing in them that changes from one build to the next, and stored entries where memory can map them.

What is stored begins at a multiple of 4 bytes, and a native library at a multiple of 16384, the largest page that
Android 15 has. The padding is an extra field 0xD935, as zipalign and Android's own builds write it.
"""

import struct
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

# The earliest day that zip files know.
_TIME = (1980, 1, 1, 0, 0, 0)
_PADDING = 0xD935
_LOCAL_HEADER = 30


def write_archive(path: Path, entries: Mapping[str, bytes], stored: Collection[str] = ()) -> None:
    """Write `entries` in their order, those named in `stored` as they are and aligned; `path` is whole or as before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
            for name, data in entries.items():
                info = zipfile.ZipInfo(name, _TIME)
                info.external_attr = 0o644 << 16
                info.create_system = 3
                if name in stored:
                    info.extra = _padding(file.tell(), name)
                else:
                    info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data, compresslevel=9)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_archive(path: Path) -> tuple[dict[str, bytes], set[str]]:
    """The entries of a zip file, in their order, and the names of those that are stored."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
        return entries, {info.filename for info in archive.infolist() if info.compress_type == zipfile.ZIP_STORED}


def alignment(name: str) -> int:
    """Bytes at whose multiples a stored entry begins."""
    return 16384 if name.endswith(".so") else 4


def _padding(offset: int, name: str) -> bytes:
    """The extra field after which the data of the entry that begins at `offset` is aligned."""
    step = alignment(name)
    begin = offset + _LOCAL_HEADER + len(name.encode()) + 6
    return struct.pack("<HHH", _PADDING, 2 + -begin % step, step) + bytes(-begin % step)
