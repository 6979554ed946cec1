"""Golden files: detector files and bundles, right ones and ones damaged or forged in every way that is refused."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from export.artifacts.bundle import parse_bundle
from export.artifacts.description import Description
from export.artifacts.metadata import read_description
from export.artifacts.seal import read_sealed, write_sealed
from train.common.errors import ExportError

from .verdicts import DESCRIPTION, text_of_format_1

MODEL = b"\x1c\x00\x00\x00TFL3" + bytes(range(56))
"""Begins as a model does; nobody runs it."""
LABELS = b"real\nfake\n"
_SEAL = 71


@dataclass(frozen=True)
class GoldenFile:
    """A file, and whether Python accepts it as `kind`: "sealed", "detector" or "bundle"."""

    kind: str
    accepted: bool
    data: bytes


def sealed_files() -> dict[str, GoldenFile]:
    """All files by name."""
    files = {"sealed": _zips(), "detector": _detectors(), "bundle": _bundles()}
    readers: dict[str, Callable[[bytes], object]] = {
        "sealed": lambda data: read_sealed(data, "it"),
        "detector": lambda data: read_description(data, "it"),
        "bundle": lambda data: parse_bundle(data, "it"),
    }
    return {
        f"{kind}/{name}": GoldenFile(kind, _accepts(readers[kind], data), data)
        for kind, named in files.items()
        for name, data in named.items()
    }


def packed(files: Mapping[str, GoldenFile]) -> bytes:
    """All files in one zip, accepted/KIND/NAME or refused/KIND/NAME, compressed as a whole: they are much alike."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, file in files.items():
            archive.writestr(zipfile.ZipInfo(f"{'accepted' if file.accepted else 'refused'}/{name}"), file.data)
    return gzip.compress(target.getvalue(), mtime=0)


def _accepts(read: Callable[[bytes], object], data: bytes) -> bool:
    try:
        read(data)
    except ExportError:
        return False
    return True


def _sealed_anew(zipped: bytes) -> bytes:
    """Seal bytes that end in a zip without a comment."""
    body = zipped[:-2] + struct.pack("<H", _SEAL)
    return body + b"sha256:" + sha256(body).hexdigest().encode()


def _forged(data: bytes, at: int, change: bytes) -> bytes:
    """Change bytes and seal the result anew."""
    body = data[:-_SEAL]
    at %= len(body)
    body = body[:at] + change + body[at + len(change) :]
    return body + b"sha256:" + sha256(body).hexdigest().encode()


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _zip(members: Mapping[str, bytes], edit: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            edit(info)
            archive.writestr(info, data)
    return _sealed_anew(target.getvalue())


def _zips() -> dict[str, bytes]:
    members = {"a.txt": b"first", "folder/b.bin": bytes(range(200)), "empty": b""}
    good = write_sealed(members)
    central = good.index(b"PK\x01\x02")
    end = len(good) - _SEAL - 22

    def deflated(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_DEFLATED

    def linked(info: zipfile.ZipInfo) -> None:
        info.external_attr = 0o120777 << 16

    def device(info: zipfile.ZipInfo) -> None:
        info.external_attr = 0o020666 << 16

    def without_kind(info: zipfile.ZipInfo) -> None:
        info.external_attr = 0

    return {
        "good": good,
        "nothing": write_sealed({}),
        "prefix": write_sealed(members, prefix=MODEL),
        "prefix_not_counted": _sealed_anew(MODEL + good[: -_SEAL - 2] + b"\0\0"),
        "without_kind": _zip(members, without_kind),
        "empty": b"",
        "short": good[:40],
        "cut_1": good[:-1],
        "cut_half": good[: len(good) // 2],
        "no_seal": good[: -_SEAL - 2] + b"\0\0",
        "more_behind": good + b"\0",
        "upper_case_seal": good[:-64] + good[-64:].upper(),
        **{
            f"bit_{at}": good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
            for at in (0, 35, 120, central, end, end + 9)
        },
        "bit_in_seal": good[:-1] + bytes([good[-1] ^ 1]),
        "deflated": _zip(members, deflated),
        "link": _zip(members, linked),
        "device": _zip(members, device),
        "encrypted": _forged(good, central + 8, b"\x01\x00"),
        "strongly_encrypted": _forged(good, central + 8, b"\x40\x00"),
        "patched": _forged(good, central + 8, b"\x20\x00"),
        "newer_version": _forged(good, central + 6, b"\x40\x00"),
        "other_compressed_size": _forged(good, central + 20, b"\x06\x00\x00\x00"),
        "huge": _forged(good, central + 20, b"\xff\xff\xff\x7f" * 2),
        "wrong_checksum": _forged(good, central + 16, b"\0\0\0\0"),
        "wrong_content": _forged(good, good.index(b"first"), b"worst"),
        "other_name_inside": _forged(good, good.index(b"a.txt"), b"b.txt"),
        "offset_outside": _forged(good, central + 42, b"\xff\xff\xff\x0f"),
        "offset_elsewhere": _forged(good, central + 42, b"\x01\x00\x00\x00"),
        "no_local_header": _forged(good, 0, b"XX"),
        "no_central_header": _forged(good, central, b"XX"),
        "directory_too_long": _forged(good, end + 12, struct.pack("<I", len(good))),
        "directory_too_short": _forged(good, end + 12, struct.pack("<I", 50)),
        "directory_elsewhere": _forged(good, end + 16, struct.pack("<I", central + 5)),
        "long_name": _forged(good, central + 28, b"\xff\xff"),
        **{f"name_{i}": _zip({name: b"x"}) for i, name in enumerate(_NAMES)},
        "twice": _twice(),
        "thousand": _zip({f"m{i}": b"" for i in range(1000)}),
        "too_many": _zip({f"m{i}": b"" for i in range(1001)}),
    }


_NAMES = ("../x", "/x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "é", "a\\b", "C:x", "a-b_c.d/e.f", "..", "-x")


def _twice() -> bytes:
    """Two members of one name, which `zipfile` warns about but writes."""
    data = _zip({"a.txt": b"1", "b.txt": b"2"})
    body = data[:-_SEAL].replace(b"b.txt", b"a.txt")
    return body + b"sha256:" + sha256(body).hexdigest().encode()


def _detector(description: Description = DESCRIPTION, model: bytes = MODEL) -> bytes:
    return write_sealed({"labels.txt": LABELS, "fauxlens.json": text_of_format_1(description).encode()}, prefix=model)


def _detectors() -> dict[str, bytes]:
    json_text = text_of_format_1(DESCRIPTION).encode()
    good = _detector()
    return {
        "good": good,
        "other_order": write_sealed({"fauxlens.json": json_text, "labels.txt": LABELS}, prefix=MODEL),
        "keep": _detector(replace(DESCRIPTION, unclear_faces="keep", view="upright|face(2.4)|resize(8)")),
        "no_model": _detector(model=b""),
        "other_identifier": _detector(model=MODEL.replace(b"TFL3", b"TFL2")),
        "short_model": MODEL[:63],
        "model_alone": MODEL,
        "changed_model": MODEL[:30] + b"\xff" + good[31:],
        "no_labels": write_sealed({"fauxlens.json": json_text}, prefix=MODEL),
        "other_labels": write_sealed({"labels.txt": b"fake\nreal\n", "fauxlens.json": json_text}, prefix=MODEL),
        "no_description": write_sealed({"labels.txt": LABELS}, prefix=MODEL),
        "more": write_sealed({"labels.txt": LABELS, "fauxlens.json": json_text, "x": b""}, prefix=MODEL),
        "not_utf8": write_sealed({"labels.txt": LABELS, "fauxlens.json": b"\xff" + json_text}, prefix=MODEL),
        "newer": write_sealed(
            {"labels.txt": LABELS, "fauxlens.json": json_text.replace(b'"format": 1', b'"format": 3')}, prefix=MODEL
        ),
    }


def _bundles() -> dict[str, bytes]:
    from .bundling import bundle_files

    return bundle_files(_detector)
