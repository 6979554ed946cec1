"""A small golden bundle of two pictures, and copies of it in which one thing is wrong."""

import hashlib
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from export.artifacts.bundle import write_bundle
from export.artifacts.bundle_references import References
from export.artifacts.description import Description
from export.artifacts.npy import to_npy
from export.artifacts.seal import read_sealed, write_sealed
from export.artifacts.tolerances import Tolerances
from train.image.decode import decode_bytes
from train.image.view import Eyes, apply_view, parse_view

from .pixels import pixels
from .verdicts import DESCRIPTION

INDEX = "bundle.json"
VIEWS = "reference/views.npy"
STAGES = "reference/stages.json"
EYES = (Eyes(9.5, 7.25, 4.0), None)


def bundle_files(detector: Callable[[Description], bytes]) -> dict[str, bytes]:
    """Bundles by name; `detector` makes a detector file of a description."""
    good = good_bundle(detector)
    start = {"good": good, "behind_a_model": write_sealed(_members(good), prefix=b"x")}
    return start | _broken_index(good) | _broken_members(good, detector)


def good_bundle(detector: Callable[[Description], bytes]) -> bytes:
    """A bundle of two variants and two pictures."""
    view = parse_view(DESCRIPTION.view)
    pictures = tuple(_png(seed) for seed in (1, 2))
    views = np.stack([apply_view(view, decode_bytes(picture, "it")) for picture in pictures])
    maps = np.arange(12, dtype=np.float32).reshape(2, 2, 3) / 16
    stages = ("keras-float", "keras-ptq", "tflite/ptq-int8", "tflite/float32")
    references = References(
        names=("drawn/1.png", "drawn/2 é.png"),
        pictures=pictures,
        views=views,
        planes=views,
        stages={stage: np.array([0.1, 0.75 + number / 64], np.float32) for number, stage in enumerate(stages)},
        heatmaps={"tflite/ptq-int8": maps, "tflite/float32": 1 - maps},
        gradcam={"keras-float": maps, "keras-ptq": maps},
        eyes=EYES,
    )
    variants = {name: detector(replace(DESCRIPTION, variant=name)) for name in ("ptq-int8", "float32")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        write_bundle(
            path,
            variants=variants,
            default="ptq-int8",
            card="# Golden\n",
            references=references,
            tolerances=Tolerances(),
        )
        return path.read_bytes()


def _png(seed: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels("noise", seed, 12, 10)).save(target, "PNG")
    return target.getvalue()


def _members(bundle: bytes) -> dict[str, bytes]:
    return read_sealed(bundle, "it")[1]


def _with_index(bundle: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    members = _members(bundle)
    index = json.loads(members[INDEX])
    change(index)
    return write_sealed(members | {INDEX: json.dumps(index).encode()})


def _with_members(bundle: bytes, changes: dict[str, bytes | None], *, honest: bool = True) -> bytes:
    """Replace members, None removes one; `honest` writes their new hashes into the index."""
    members = {name: data for name, data in (_members(bundle) | changes).items() if data is not None}
    index = json.loads(members[INDEX])
    if honest:
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != INDEX}
        index["sha256"] = hashes
    return write_sealed(members | {INDEX: json.dumps(index).encode()})


def _broken_index(good: bytes) -> dict[str, bytes]:
    def picture(key: str, value: object) -> Callable[[dict[str, Any]], object]:
        return lambda index: index["pictures"][0].update({key: value})

    changes: dict[str, Callable[[dict[str, Any]], object]] = {
        "same_index": lambda index: None,
        "newer": lambda index: index.update(format=3),
        "format_text": lambda index: index.update(format="1"),
        "key_missing": lambda index: index.pop("gradcam"),
        "key_unknown": lambda index: index.update(more=1),
        "default_unknown": lambda index: index.update(default="qat-int8"),
        "default_number": lambda index: index.update(default=1),
        "variant_unknown": lambda index: index["variants"].update({"int4": {}}),
        "no_pictures": lambda index: index.update(pictures=[]),
        "picture_key": lambda index: index["pictures"][0].update(more=1),
        "picture_name": picture("name", 7),
        "picture_member": picture("member", "reference/pictures/07.png"),
        "same_picture_twice": picture("member", "reference/pictures/01.png"),
        "eyes_two": picture("eyes", [1, 2]),
        "eyes_text": picture("eyes", ["1", 2, 3]),
        "eyes_truth": picture("eyes", [True, 2, 3]),
        "eyes_whole": picture("eyes", [1, 2, 3]),
        "heatmap_unknown": lambda index: index["heatmaps"].append("tflite/dynamic"),
        "heatmap_number": lambda index: index["heatmaps"].append(1),
        "hash_wrong": lambda index: index["sha256"].update({VIEWS: "0" * 64}),
        "hash_missing": lambda index: index["sha256"].pop(VIEWS),
        "hash_of_nothing": lambda index: index["sha256"].update(nothing="0" * 64),
        "tolerance_missing": lambda index: index["tolerances"].pop("runtime"),
        "tolerance_text": lambda index: index["tolerances"].update(float_rounding="0"),
        "tolerance_high": lambda index: index["tolerances"]["runtime"].update(mean=1.5),
    }
    return {name: _with_index(good, change) for name, change in changes.items()}


def _broken_members(good: bytes, detector: Callable[[Description], bytes]) -> dict[str, bytes]:
    members = _members(good)
    views, stages = members[VIEWS], json.loads(members[STAGES])
    ptq, maps = "detectors/ptq-int8.tflite", "reference/heatmaps/tflite/ptq-int8.npy"
    cases: dict[str, dict[str, bytes | None]] = {
        "no_views": {VIEWS: None},
        "extra": {"extra.txt": b"x"},
        "no_card": {"model_card.md": None},
        "card_not_utf8": {"model_card.md": b"\xff"},
        "views_cut": {VIEWS: views[:-1]},
        "views_longer": {VIEWS: views + b"\0"},
        "views_no_magic": {VIEWS: b"X" + views[1:]},
        "views_version_2": {VIEWS: views.replace(b"NUMPY\x01", b"NUMPY\x02")},
        "views_by_columns": {VIEWS: views.replace(b"False", b"True ")},
        "views_other_type": {VIEWS: views.replace(b"|u1", b"|i1")},
        "views_smaller": {VIEWS: to_npy(np.zeros((2, 7, 7, 3), np.uint8))},
        "views_of_three": {VIEWS: to_npy(np.zeros((3, 8, 8, 3), np.uint8))},
        "views_float": {VIEWS: to_npy(np.zeros((2, 8, 8, 3), np.float32))},
        "planes_flat": {"reference/planes.npy": to_npy(np.zeros((2, 64), np.uint8))},
        "planes_deep": {"reference/planes.npy": to_npy(np.zeros((2, 8, 8, 6), np.uint8))},
        "maps_nan": {maps: to_npy(np.full((2, 2, 3), np.nan, np.float32))},
        "maps_larger": {maps: to_npy(np.zeros((2, 3, 3), np.float32))},
        "stage_missing": {STAGES: _json({key: value for key, value in stages.items() if key != "tflite/ptq-int8"})},
        "float_missing": {STAGES: _json({key: value for key, value in stages.items() if key != "keras-float"})},
        "stage_unknown": {STAGES: _json(stages | {"keras-int4": [0.5, 0.5]})},
        "stage_short": {STAGES: _json(stages | {"keras-float": [0.5]})},
        "stage_high": {STAGES: _json(stages | {"keras-float": [0.5, 1.5]})},
        "stage_truth": {STAGES: _json(stages | {"keras-float": [0.5, True]})},
        "stages_list": {STAGES: b"[]"},
        "stages_no_json": {STAGES: b"{"},
        "no_detector": {ptq: None},
        "other_variant": {ptq: detector(replace(DESCRIPTION, variant="qat-int8"))},
        "other_view": {ptq: detector(replace(DESCRIPTION, variant="ptq-int8", view="upright|resize(8)"))},
        "other_size": {ptq: detector(replace(DESCRIPTION, variant="ptq-int8", heatmap=(3, 3)))},
        "detector_damaged": {ptq: members[ptq][:100] + b"\0" + members[ptq][101:]},
    }
    broken = {name: _with_members(good, changes) for name, changes in cases.items()}
    return broken | {"no_index": write_sealed({name: data for name, data in members.items() if name != INDEX})}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
