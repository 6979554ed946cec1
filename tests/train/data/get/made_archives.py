"""Archives made here, good and bad."""

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from train.data.get.unpack import ArchiveLimits

FILES = {
    "set/real/0001.jpg": b"\xff\xd8" + bytes(range(256)) * 9,
    "set/real/empty.jpg": b"",
    "set/fake/stylegan2/ä b.png": b"png" * 5000,
    "set/inner.zip": b"PK\x03\x04 an archive that stays one",
}
FORMATS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz")
USUAL = ArchiveLimits()
Entries = Iterable[tuple[str, bytes]]


def pack_zip(entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        for name, content in entries:
            opened.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def pack_tar(entries: Entries, compression: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as opened:  # type: ignore[call-overload]
        for name, content in entries:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def pack(form: str, entries: Entries) -> bytes:
    return pack_zip(entries) if form == "zip" else pack_tar(entries, form[4:])


def tar_of(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        for member in members:
            opened.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
