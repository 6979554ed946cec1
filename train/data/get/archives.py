"""Read archives entry by entry, forward only and in bounded memory; what is damaged or odd is a DataError."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

from train.common.errors import DataError
from train.data.get.entry_names import quoted_name

T = TypeVar("T")

CHUNK = 1 << 20
# Bytes that one tar entry's headers may have. A usual one has 512, one with a long name a few thousand; what
# they claim is read into memory, and a chain of them is read by recursion.
_HEADER_BYTES = 64 << 10
# `xz -9` needs 65 MiB to unpack.
_XZ_MEMORY = 256 << 20
# Of the others Python's zipfile unpacks bzip2 and lzma, but without a bound on memory.
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ENTRY = b"PK\x01\x02"
# What the standard library raises on damaged archives; its OSErrors come without a number, or as a wrong seek.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    NotImplementedError,
    ValueError,
    OverflowError,
    IndexError,
)


@dataclass(frozen=True)
class Entry:
    """A file or folder of an archive: `name` as written there, its promised `size`, its content in pieces.

    `content` can be read once, before the next entry is asked for. `at` is how many bytes of the archive lie
    before it.
    """

    name: str
    is_folder: bool
    size: int
    at: int
    content: Iterator[bytes]


def entries(archive: Path, max_entries: int) -> Iterator[Entry]:
    """Give the entries of a zip, tar, tar.gz, tar.bz2 or tar.xz (told by content) in their order.

    Raises DataError for anything else, for a damaged or truncated archive, links, devices and other entries
    that are neither file nor folder, encrypted or oddly packed ones, and a zip of more than `max_entries`.
    """
    with archive.open("rb") as file:
        yield from _guarded(_read(file, archive, max_entries), archive)


def _read(file: BinaryIO, archive: Path, max_entries: int) -> Iterator[Entry]:
    start = file.read(512)
    file.seek(0)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_entries(file, archive, max_entries)
    if start.startswith(b"\x1f\x8b"):
        return _tar_entries(_pieces(gzip.GzipFile(fileobj=file)), file, archive)
    if start.startswith(b"BZh"):
        return _tar_entries(_pieces(bz2.BZ2File(file)), file, archive)
    if start.startswith(b"\xfd7zXZ\x00"):
        return _tar_entries(_xz_pieces(file), file, archive)
    if _is_tar_header(start):
        return _tar_entries(_pieces(file), file, archive)
    raise DataError(
        f"{archive} is not a zip, tar, tar.gz, tar.bz2 or tar.xz file: open it to see what it is; it may be a web page."
    )


def _zip_entries(file: BinaryIO, archive: Path, max_entries: int) -> Iterator[Entry]:
    at = 0
    with zipfile.ZipFile(_ZipSource(file, archive, max_entries)) as opened:
        _check_count(file, len(opened.infolist()))
        for info in opened.infolist():
            # `filename` ends at the first NUL; `orig_filename` is what the archive says.
            where = f"{archive}, entry {quoted_name(info.orig_filename)}"
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(
                    _neither(where, "a link" if kind == stat.S_IFLNK else "a device or another special file")
                )
            if info.flag_bits & 0x41:
                raise DataError(f"{where} is encrypted: nothing was unpacked; unpack the archive yourself.")
            if info.compress_type not in _ZIP_METHODS:
                raise DataError(
                    f"{where} is packed by method {info.compress_type}, which Fauxlens does not support: unpack it "
                    "yourself."
                )
            content = _guarded(_zip_content(opened, info), archive)
            yield Entry(info.orig_filename, info.is_dir(), info.file_size, at, content)
            at += info.compress_size


def _zip_content(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with opened.open(info) as source:
        yield from _pieces(source)


def _check_count(file: BinaryIO, found: int) -> None:
    """Hold the entries found against the count at the end of the zip: a damaged length can swallow entries."""
    # The end record (APPNOTE.TXT 4.3.16): 22 bytes and a comment; the count, of 16 bits, at 10. All ones mean
    # that it is elsewhere; writers that know no larger zips let it overflow.
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 22 - 0xFFFF))
    end = file.read()
    (count,) = struct.unpack_from("<H", end, end.rindex(b"PK\x05\x06") + 10)
    if count not in (0xFFFF, found & 0xFFFF):
        raise zipfile.BadZipFile


class _ZipSource(io.RawIOBase):
    """A file that stops ZipFile before it makes an object of each of too many entries; it reads their list at once."""

    def __init__(self, file: BinaryIO, archive: Path, max_entries: int) -> None:
        self._file, self._archive, self._max_entries = file, archive, max_entries

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if len(data) > CHUNK and data.count(_ZIP_ENTRY) > self._max_entries:
            raise DataError(too_many(self._archive, self._max_entries))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == io.SEEK_SET and offset < 0:
            # From the system it would be an error with a number, as for a broken disk.
            raise ValueError("an entry lies before the archive")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def too_many(archive: Path, max_entries: int) -> str:
    """The sentence for an archive with too many entries."""
    return f"{archive} has more than {max_entries:,} entries: nothing was unpacked; unpack it yourself."


def _tar_entries(pieces: Iterator[bytes], file: BinaryIO, archive: Path) -> Iterator[Entry]:
    stream = _Forward(pieces)
    stream.allowance = _HEADER_BYTES
    opened = tarfile.TarFile(fileobj=stream, encoding="utf-8")  # type: ignore[arg-type]
    while (member := opened.next()) is not None:
        # TarFile would keep every member.
        opened.members.clear()  # type: ignore[attr-defined]
        where = f"{archive}, entry {quoted_name(member.name)}"
        if member.issym() or member.islnk():
            raise DataError(_neither(where, "a link"))
        # A sparse file counts as regular and is not kept as plain bytes.
        if member.issparse() or not (member.isreg() or member.isdir()):
            raise DataError(_neither(where, "a device or another special file"))
        content = _guarded(_tar_content(stream, member), archive)
        yield Entry(member.name, member.isdir(), member.size if member.isreg() else 0, file.tell(), content)
        stream.allowance = _HEADER_BYTES
    _check_end(stream, archive)


def _tar_content(stream: "_Forward", member: tarfile.TarInfo) -> Iterator[bytes]:
    stream.seek(member.offset_data)
    left = member.size
    while left:
        stream.allowance = CHUNK
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise EOFError
        left -= len(piece)
        yield piece


def _check_end(stream: "_Forward", archive: Path) -> None:
    """TarFile stops at a damaged header as it does at the end; the true end is zeros, and all of it must be sound."""
    if len(stream.last) != tarfile.BLOCKSIZE or any(stream.last):
        raise DataError(_damaged(archive))
    for _ in range(16):
        stream.allowance = CHUNK
        piece = stream.read(CHUNK)
        if not piece:
            return
        if piece.strip(b"\x00"):
            break
    raise DataError(f"{archive} has data after the end of its tar: nothing was unpacked; unpack it yourself.")


class _Forward:
    """What TarFile needs of a file, over pieces that come one after the other.

    `allowance` is how many bytes may be read (not skipped) until it is set again, so that no header makes
    TarFile hold more. `last` is what was read last.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest, self._at = pieces, b"", 0
        self.allowance, self.last = 0, b""

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.allowance:
            raise ValueError("a header is too long")
        self.allowance -= size
        taken: list[bytes] = []
        while size and (piece := self._take(size)):
            taken.append(piece)
            size -= len(piece)
        self.last = b"".join(taken)
        return self.last

    def seek(self, target: int) -> None:
        if target < self._at:
            raise ValueError("a header leads back")
        while self._at < target:
            if not self._take(target - self._at):
                raise EOFError

    def _take(self, most: int) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        piece, self._rest = self._rest[:most], self._rest[most:]
        self._at += len(piece)
        return piece


def _pieces(file: io.BufferedIOBase | IO[bytes]) -> Iterator[bytes]:
    # Small enough that the slices of a piece that _Forward cuts for tiny entries stay cheap.
    while piece := file.read(64 << 10):
        yield piece


def _xz_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Like LZMAFile, which has no limit on memory; streams may follow each other with zeros between."""
    data = file.read(CHUNK)
    while data:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not decoder.eof:
            if piece := decoder.decompress(data, 64 << 10):
                yield piece
            data = b""
            if decoder.needs_input and not decoder.eof and not (data := file.read(CHUNK)):
                raise EOFError
        data = (decoder.unused_data or file.read(CHUNK)).lstrip(b"\x00")


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _guarded(items: Iterator[T], archive: Path) -> Iterator[T]:
    try:
        yield from items
    except _DAMAGE:
        raise DataError(_damaged(archive)) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(_damaged(archive)) from None


def _neither(where: str, what: str) -> str:
    return f"{where} is {what}: nothing was unpacked; do not trust this archive."


def _damaged(archive: Path) -> str:
    return f"{archive} is damaged, cut off or no archive of files: remove it and get it again."
