"""A bundle of a detector with face(k) carries the face finder, and no other one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from export.artifacts.bundle import parse_bundle, write_bundle
from export.artifacts.finder_files import finder_record
from export.artifacts.metadata import attach
from export.artifacts.seal import read_sealed, write_sealed
from export.artifacts.slim import slim_bundle
from export.artifacts.tolerances import Tolerances
from export.inference.detector import detector_from
from train.common.errors import ExportError
from train.image.face_finder.networks import FULL_RANGE, NETWORKS, SHORT_RANGE, shipped_file

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny

MEMBERS = {"face_finder/short_range.tflite", "face_finder/full_range.tflite", "face_finder/LICENSE"}


@pytest.fixture(scope="module")
def faced(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The tiny bundle as one of a detector that looks at faces."""
    view = "upright|face(2.8)|resize(32)"
    variants = {name: attach(raw, describe(name, view=view), author="tests") for name, raw in tiny.raw.items()}
    path: Path = tmp_path_factory.mktemp("faced") / "bundle.zip"
    write_bundle(
        path,
        variants=variants,
        default="ptq-int8",
        card="# Faces\n",
        references=tiny.bundle.references,
        tolerances=Tolerances(),
    )
    return path.read_bytes()


def opened(data: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    _, members = read_sealed(data, "b")
    return json.loads(members.pop("bundle.json")), members


def sealed(index: dict[str, object], members: dict[str, bytes]) -> bytes:
    index["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    return write_sealed({"bundle.json": json.dumps(index).encode(), **members})


def test_the_finder_s_files_travel_with_their_licence(faced: bytes, tiny: Tiny) -> None:
    index, members = opened(faced)
    assert index["format"] == 2
    assert {name for name in members if name.startswith("face_finder")} == MEMBERS
    for network in NETWORKS:
        assert members[f"face_finder/{network.name}.tflite"] == shipped_file(network)
    assert b"Apache License" in members["face_finder/LICENSE"]
    assert b"@mediapipe/face_detection` 0.4.1657300184" in members["face_finder/LICENSE"]
    assert opened(slim_bundle(parse_bundle(faced, "b"), "ptq-int8"))[1].keys() > MEMBERS
    plain, others = opened(tiny.bundle_bytes)
    assert plain["format"] == 1
    assert not MEMBERS & others.keys()


def test_a_description_names_the_finder_by_its_files() -> None:
    assert finder_record("upright|square|resize(32)") is None
    record = finder_record("upright|face(2.8)|resize(32)")
    assert record == {"name": "blazeface", "short_range": SHORT_RANGE.sha256, "full_range": FULL_RANGE.sha256}


def test_a_detector_of_another_finder_is_not_opened(tiny: Tiny, describe: Describe) -> None:
    view = "upright|face(2.8)|resize(32)"
    record = finder_record(view)
    assert record is not None
    own = attach(tiny.raw["float32"], describe(view=view, face_finder=record), author="tests")
    assert detector_from(own, "own.tflite").view.needs_eyes
    for changed in (record | {"short_range": "0" * 64}, record | {"name": "other"}):
        other = attach(tiny.raw["float32"], describe(view=view, face_finder=changed), author="tests")
        with pytest.raises(ExportError, match=r"^other\.tflite was trained with a different face finder than"):
            detector_from(other, "other.tflite")


def test_a_bundle_from_before_the_finder_is_read(faced: bytes) -> None:
    index, members = opened(faced)
    index["format"] = 1
    kept = {name: data for name, data in members.items() if name not in MEMBERS}
    assert parse_bundle(sealed(index, kept), "old.zip").default == "ptq-int8"


def test_without_a_file_or_with_another_one_the_bundle_is_refused(faced: bytes) -> None:
    index, members = opened(faced)
    for missing in MEMBERS:
        lacking = {name: data for name, data in members.items() if name != missing}
        with pytest.raises(ExportError, match=rf"lacks the face finder's member {missing}; export it again\.$"):
            parse_bundle(sealed(index, lacking), "b.zip")
    swapped = members | {"face_finder/short_range.tflite": shipped_file(FULL_RANGE)}
    with pytest.raises(ExportError, match=r"^b\.zip: face_finder/short_range\.tflite is not the face finder's file: "):
        parse_bundle(sealed(index, swapped), "b.zip")


def test_a_finder_that_no_view_asks_for_is_refused(tiny: Tiny) -> None:
    index, members = opened(tiny.bundle_bytes)
    index["format"] = 2
    members["face_finder/short_range.tflite"] = shipped_file(SHORT_RANGE)
    with pytest.raises(ExportError, match=r"has an extra member face_finder/short_range\.tflite"):
        parse_bundle(sealed(index, members), "b.zip")
