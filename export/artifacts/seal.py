"""A zip that notices when one of its bytes has changed, alone (a bundle) or behind a model (a detector file).

The archive's comment, its very last bytes, is `sha256:` and the hash of everything before the comment: readers that
know nothing of it read an ordinary zip. Members are stored, never compressed, so an archive cannot unpack to more than
its own size; nothing is ever extracted to disk. Zip: PKWARE APPNOTE 6.3, 4.3.16 (end of central directory).
"""

import hashlib
import io
import re
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from train.common.documents import read_bytes
from train.common.errors import ExportError

MAX_BYTES = 512 << 20
MAX_MEMBERS = 1000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MARK = b"sha256:"
_COMMENT_BYTES = len(_MARK) + 64
_END_BYTES = 22
# As many as a bundle has variants.
_KEPT = 5
_recent: tuple[tuple[bytes, str, str], ...] = ()
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
# What zipfile raises on damaged archives; a sealed one that still raises was made to.
_DAMAGE = (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, struct.error, OverflowError, KeyError)


def write_sealed(members: Mapping[str, bytes], prefix: bytes = b"") -> bytes:
    """`prefix` and a sealed zip of the members in the given order; the same input gives the same bytes."""
    target = io.BytesIO(prefix)
    target.seek(0, io.SEEK_END)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    body = target.getvalue()[:-2] + struct.pack("<H", _COMMENT_BYTES)
    return body + _MARK + hashlib.sha256(body).hexdigest().encode()


def read_sealed(data: bytes, name: str) -> tuple[bytes, dict[str, bytes]]:
    """Check the seal and return what stands before the zip, and the members by name.

    `name` is how the file is called in errors. Raises ExportError where it is too large, has no seal (cut short, or
    not ours), one byte changed, or holds compressed, repeated or strangely named members,
    or what is no file.
    """
    if len(data) > MAX_BYTES:
        raise ExportError(f"{name} is {len(data) >> 20} MB, more than the {MAX_BYTES >> 20} MB Fauxlens opens.")
    body, comment = memoryview(data)[:-_COMMENT_BYTES], data[-_COMMENT_BYTES:]
    if len(body) < _END_BYTES or bytes(body[-_END_BYTES : -_END_BYTES + 4]) != b"PK\x05\x06" or comment[:7] != _MARK:
        raise ExportError(
            f"{name} is truncated or was not made by Fauxlens (it does not end with Fauxlens's checksum); copy it "
            "again, or "
            "make it with `fauxlens export`."
        )
    if comment[len(_MARK) :] != _digests(data)[0].encode():
        raise ExportError(
            f"{name} is damaged (its bytes do not match its checksum); copy it again or export it once more."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_members(infos, len(data), name)
            members = {info.filename: archive.read(info) for info in infos}
    except _DAMAGE as error:
        raise ExportError(f"{name} cannot be unpacked ({error}); make it again with `fauxlens export`.") from error
    start = min((info.header_offset for info in infos), default=len(body) - _END_BYTES)
    return data[:start], members


def digest_of(data: bytes) -> str:
    """SHA-256 of a sealed file, in hexadecimal digits."""
    return _digests(data)[1]


def _digests(data: bytes) -> tuple[str, str]:
    """SHA-256 of what the seal is of, and of the whole file, in one pass.

    Opening a detector asks for both several times, so those of the last few models are kept; of bundles, which are
    large and asked about once, they are not.
    """
    global _recent
    for known, *digests in _recent:
        if known is data:
            return digests[0], digests[1]
    running = hashlib.sha256(memoryview(data)[:-_COMMENT_BYTES])
    sealed = running.hexdigest()
    running.update(data[-_COMMENT_BYTES:])
    whole = running.hexdigest()
    if not data.startswith(b"PK"):
        _recent = ((data, sealed, whole), *_recent[: _KEPT - 1])
    return sealed, whole


def _check_members(infos: list[zipfile.ZipInfo], size: int, name: str) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ExportError(f"{name} has {len(infos)} members, more than {MAX_MEMBERS}; it was not made by Fauxlens.")
    if sum(info.file_size for info in infos) > size:
        raise ExportError(f"{name} claims to unpack to more than its own size; it was not made by Fauxlens.")
    seen: set[str] = set()
    for info in infos:
        if not _NAME.fullmatch(info.orig_filename) or info.filename in seen:
            raise ExportError(
                f"{name} has a member named {info.orig_filename!r}, which is unsafe or repeated; it was not made by "
                "Fauxlens."
            )
        seen.add(info.filename)
        # Nothing is extracted to disk, where a link could lead elsewhere; who reads a bundle by other means should not
        # meet one either.
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ExportError(
                f"{name}: member {info.filename} is a link or a device, not a file; it was not made by Fauxlens."
            )
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1 or info.compress_size != info.file_size:
            raise ExportError(
                f"{name}: member {info.filename} is compressed or encrypted, which Fauxlens never does; make the "
                "file again."
            )


def read_file(path: Path) -> bytes:
    """Bytes of a detector file or bundle; ExportError where it is missing, no regular file, too large or unreadable."""
    try:
        return read_bytes(path, error=ExportError, remedy="name a .tflite or a bundle of Fauxlens", limit=MAX_BYTES)
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist; check the spelling.") from None
