from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.artifacts.bundle import parse_bundle, read_bundle, write_bundle
from export.artifacts.bundle_references import References
from export.artifacts.npy import from_npy, to_npy
from export.artifacts.seal import read_sealed, write_sealed
from export.artifacts.tolerances import StageLimits, Tolerances
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def write(path: Path, tiny: Tiny, **changes: Any) -> bytes:
    parts: dict[str, Any] = {
        "variants": tiny.sealed,
        "default": "ptq-int8",
        "card": "# Tiny\n",
        "references": tiny.bundle.references,
        "tolerances": Tolerances(),
    }
    write_bundle(path, **(parts | changes))
    return path.read_bytes()


def test_everything_comes_back(tiny: Tiny, tmp_path: Path) -> None:
    tolerances = Tolerances(converting=StageLimits(0.25, 0.125, 0.5), heatmap_mean=0.75)
    path = tmp_path / "b.zip"
    write(path, tiny, tolerances=tolerances, card="# Ünïcode\n")
    bundle, references = read_bundle(path), tiny.bundle.references
    assert bundle.variants == tiny.sealed
    assert (bundle.default, bundle.card, bundle.tolerances) == ("ptq-int8", "# Ünïcode\n", tolerances)
    assert bundle.references.names == references.names
    assert bundle.references.pictures == references.pictures
    for one, other in (
        (bundle.references.stages, references.stages),
        (bundle.references.heatmaps, references.heatmaps),
        (bundle.references.gradcam, references.gradcam),
        ({"views": bundle.references.views}, {"views": references.views}),
        ({"planes": bundle.references.planes}, {"planes": references.planes}),
    ):
        assert one.keys() == other.keys()
        for key, values in other.items():
            np.testing.assert_array_equal(one[key], values)
            assert one[key].dtype == values.dtype


def test_the_same_parts_give_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    turned = dict(reversed(tiny.sealed.items()))
    assert write(tmp_path / "b.zip", tiny, variants=turned) == tiny.bundle_bytes


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_changed_byte_anywhere_is_refused(tiny: Tiny, data: st.DataObject) -> None:
    changed = bytearray(tiny.bundle_bytes)
    # From either end: the ends hold the headers and the directory.
    index = data.draw(st.integers(0, len(changed) - 1) | st.integers(-4000, -1))
    changed[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ExportError):
        parse_bundle(bytes(changed), "b")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_cut_or_lengthened_bundle_is_refused(tiny: Tiny, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(tiny.bundle_bytes) - 1))
    for wrong in (tiny.bundle_bytes[:cut], tiny.bundle_bytes[cut + 1 :], tiny.bundle_bytes + b"\0" * (cut + 1)):
        with pytest.raises(ExportError):
            parse_bundle(wrong, "b")


def test_errors_name_the_file_and_are_one_sentence(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(tiny.bundle_bytes[:-9])
    for wrong in (path, tmp_path, tmp_path / "absent.zip"):
        with pytest.raises(ExportError) as caught:
            read_bundle(wrong)
        assert str(wrong) in str(caught.value)
        assert "\n" not in str(caught.value)


def resealed(tiny: Tiny, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """The bundle with its index and members changed by someone who seals it again."""
    _, members = read_sealed(tiny.bundle_bytes, "b")
    index = json.loads(members.pop("bundle.json"))
    change(index, members)
    return write_sealed({"bundle.json": json.dumps(index).encode(), **members})


def rehash(index: dict[str, Any], members: dict[str, bytes]) -> None:
    index["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}


def newer(index: dict[str, Any], members: dict[str, bytes]) -> None:
    index.update(format=3, novelty=True)


def no_default(index: dict[str, Any], members: dict[str, bytes]) -> None:
    index["default"] = "qat-int8"


def missing_card(index: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["model_card.md"]


def missing_views_unlisted(index: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["reference/views.npy"]
    rehash(index, members)


def extra_member(index: dict[str, Any], members: dict[str, bytes]) -> None:
    members["reference/more.npy"] = b"x"


def extra_member_listed(index: dict[str, Any], members: dict[str, bytes]) -> None:
    members["reference/more.npy"] = b"x"
    rehash(index, members)


def other_views(index: dict[str, Any], members: dict[str, bytes]) -> None:
    views = members["reference/views.npy"]
    members["reference/views.npy"] = views[:-1] + bytes([views[-1] ^ 1])


def swapped_variants(index: dict[str, Any], members: dict[str, bytes]) -> None:
    one, other = "detectors/float32.tflite", "detectors/ptq-int8.tflite"
    members[one], members[other] = members[other], members[one]
    rehash(index, members)


def fewer_pictures(index: dict[str, Any], members: dict[str, bytes]) -> None:
    gone = index["pictures"].pop()
    del members[gone["member"]]
    rehash(index, members)


def stolen_member(index: dict[str, Any], members: dict[str, bytes]) -> None:
    index["pictures"][1]["member"] = "bundle.json"


def impossible_probability(index: dict[str, Any], members: dict[str, bytes]) -> None:
    stages = json.loads(members["reference/stages.json"])
    stages["keras-ptq"][3] = 1.5
    members["reference/stages.json"] = json.dumps(stages).encode()
    rehash(index, members)


def missing_stage(index: dict[str, Any], members: dict[str, bytes]) -> None:
    stages = json.loads(members["reference/stages.json"])
    del stages["keras-ptq"]
    members["reference/stages.json"] = json.dumps(stages).encode()
    rehash(index, members)


def unknown_tolerance(index: dict[str, Any], members: dict[str, bytes]) -> None:
    index["tolerances"]["lenient"] = 1


def nan_heatmap(index: dict[str, Any], members: dict[str, bytes]) -> None:
    name = "reference/heatmaps/keras-ptq.npy"
    members[name] = to_npy(np.full((16, 8, 8), np.nan, np.float32))
    rehash(index, members)


def pickled_views(index: dict[str, Any], members: dict[str, bytes]) -> None:
    target = io.BytesIO()
    np.save(target, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    members["reference/views.npy"] = target.getvalue()
    rehash(index, members)


CHANGES = {
    newer: "newer Fauxlens",
    no_default: "default",
    missing_card: "lacks the member model_card.md",
    missing_views_unlisted: "lacks the member reference/views.npy",
    extra_member: "extra member reference/more.npy",
    extra_member_listed: "extra member reference/more.npy",
    other_views: "reference/views.npy does not match",
    swapped_variants: "called otherwise",
    fewer_pictures: "does not hold 15",
    stolen_member: "bundle.json",
    impossible_probability: "keras-ptq",
    missing_stage: "lacks the stage",
    unknown_tolerance: "Tolerances",
    nan_heatmap: "NaN or infinity",
    pickled_views: "not a C-ordered array",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_hostile_author_is_refused_too(tiny: Tiny, change: Callable[..., None]) -> None:
    with pytest.raises(ExportError) as caught:
        parse_bundle(resealed(tiny, change), "b")
    assert CHANGES[change] in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "a\\x", "C:x", "a//x", "a/", ".x", "a\nb", "", "ä", "a/./x"])
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(ExportError, match=r"unsafe|cannot be unpacked"):
        read_sealed(write_sealed({name: b"x"}), "b")


def seal_by_hand(build: Callable[[zipfile.ZipFile], None]) -> bytes:
    """A zip as `build` makes it, sealed with the project's own recipe."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        build(archive)
    body = target.getvalue()[:-2] + (71).to_bytes(2, "little")
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        archive.writestr("bundle.json", b"\0" * 50_000_000, zipfile.ZIP_DEFLATED)

    with pytest.raises(ExportError, match="more than its own size"):
        read_sealed(seal_by_hand(bomb), "b")


def test_compression_and_repeats_are_refused() -> None:
    noise = np.random.default_rng(0).bytes(2000)
    with pytest.raises(ExportError, match="compressed"):
        read_sealed(seal_by_hand(lambda archive: archive.writestr("a", noise, zipfile.ZIP_LZMA)), "b")

    def twice(archive: zipfile.ZipFile) -> None:
        archive.writestr("a", noise)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", noise)

    with pytest.raises(ExportError, match="repeated"):
        read_sealed(seal_by_hand(twice), "b")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFIFO])
def test_links_and_devices_are_refused(kind: int) -> None:
    def link(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("model_card.md")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")

    with pytest.raises(ExportError, match=r"model_card\.md is a link or a device"):
        read_sealed(seal_by_hand(link), "b")


def test_members_that_share_their_bytes_are_refused() -> None:
    # A directory that lists one member many times, each under a name of its own, unpacks to many times its size.
    def stacked(archive: zipfile.ZipFile) -> None:
        archive.writestr("a", np.random.default_rng(0).bytes(5000))
        first = archive.infolist()[0]
        for number in range(50):
            twin = zipfile.ZipInfo(f"b{number}")
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = first.file_size
            archive.filelist.append(twin)

    with pytest.raises(ExportError, match=r"more than its own size|cannot be unpacked"):
        read_sealed(seal_by_hand(stacked), "b")


def test_a_name_that_differs_between_header_and_directory_is_refused() -> None:
    data = seal_by_hand(lambda archive: archive.writestr("model_card.md", b"x"))
    body = bytearray(data[: -(7 + 64)])
    body[body.index(b"model_card.md")] ^= 1  # the first is the one before the bytes
    changed = bytes(body)
    with pytest.raises(ExportError, match="cannot be unpacked"):
        read_sealed(changed + b"sha256:" + hashlib.sha256(changed).hexdigest().encode(), "b")


@pytest.mark.parametrize("members", [{"../../evil.sh": b"x"}, {"bundle.json": b"{}"}, {}])
def test_without_the_seal_nothing_is_even_listed(
    members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the zip was opened")

    monkeypatch.setattr(zipfile, "ZipFile", opened)
    with pytest.raises(ExportError, match="does not end with Fauxlens's checksum"):
        read_bundle(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_detector_file_is_no_bundle(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match=r"bundle\.json"):
        parse_bundle(tiny.sealed["float32"], "b")


@pytest.mark.parametrize("shape", [(10**12,), (1 << 62, 4), (-1, 4), (3,)])
def test_an_array_that_claims_more_than_it_holds_is_refused(shape: tuple[int, ...]) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 4
    with pytest.raises(ExportError):
        from_npy(data, "a.npy")


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 20))
def test_garbage_arrays_are_refused(noise: bytes, kept: int) -> None:
    with pytest.raises(ExportError):
        from_npy(to_npy(np.zeros((2, 3), np.uint8))[:kept] + noise, "a.npy")


def test_numpy_itself_reads_our_arrays(tiny: Tiny) -> None:
    for values in (tiny.bundle.references.views, tiny.bundle.references.gradcam["keras-ptq"]):
        np.testing.assert_array_equal(np.load(io.BytesIO(to_npy(values)), allow_pickle=False), values)


def without(references: References, stage: str) -> References:
    return replace(references, stages={k: v for k, v in references.stages.items() if k != stage})


@pytest.mark.parametrize("stage", ["keras-float", "keras-ptq", "tflite/ptq-int8"])
def test_nothing_is_written_where_parts_do_not_fit(tiny: Tiny, tmp_path: Path, stage: str) -> None:
    with pytest.raises(ExportError, match="lacks"):
        write(tmp_path / "b.zip", tiny, references=without(tiny.bundle.references, stage))
    assert list(tmp_path.iterdir()) == []
