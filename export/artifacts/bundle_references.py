"""The references of a bundle: pictures, and what each stage made of them, as members of its zip.

Their entries of bundle.json (`pictures`) are made and checked here, too; export/artifacts/bundle.py has the layout.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from export.artifacts.bundle_members import json_bytes, read_json_member, take_member
from export.artifacts.npy import from_npy, to_npy
from train.common.errors import DataError, ExportError
from train.image.decode import Picture, decode_bytes
from train.image.view import Eyes

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_PICTURE_KEYS = {"name", "member", "pixels_sha256", "eyes"}


@dataclass(frozen=True)
class References:
    """N reference pictures and what each stage made of them.

    `pictures` are original files; `views` uint8 [N, S, S, 3]; `planes` uint8 [N, S, S, C]; `stages` maps "keras-float",
    "keras-ptq", "keras-qat" and "tflite/VARIANT" to P(fake) float32 [N]; `heatmaps` maps a stage to float32 [N, h, w]
    as the detector gives them, `gradcam` a Keras stage to the raw tf-keras-vis maps float32 [N, h, w]. `eyes` is as
    long as `names`, or empty where the view needs none.
    """

    names: tuple[str, ...]
    pictures: tuple[bytes, ...]
    views: np.ndarray
    planes: np.ndarray
    stages: Mapping[str, np.ndarray]
    heatmaps: Mapping[str, np.ndarray]
    gradcam: Mapping[str, np.ndarray]
    eyes: tuple[Eyes | None, ...] = ()


def pixels_sha256(picture: bytes, name: str) -> str:
    """SHA-256 of a picture file's decoded pixels, RGB bytes row by row as stored; DataError where it is no picture."""
    return picture_sha256(decode_bytes(picture, name))


def picture_sha256(picture: Picture) -> str:
    """The same of a decoded picture."""
    return hashlib.sha256(np.ascontiguousarray(picture.pixels).tobytes()).hexdigest()


def reference_members(references: References) -> dict[str, bytes]:
    """The members that hold the references, by name."""
    members = {_picture_member(i, name): references.pictures[i] for i, name in enumerate(references.names)}
    members["reference/views.npy"] = to_npy(references.views)
    members["reference/planes.npy"] = to_npy(references.planes)
    stages = {key: [float(p) for p in np.asarray(value, np.float32)] for key, value in references.stages.items()}
    members["reference/stages.json"] = json_bytes(stages)
    for folder, maps in (("heatmaps", references.heatmaps), ("gradcam", references.gradcam)):
        for stage, values in maps.items():
            members[f"reference/{folder}/{stage}.npy"] = to_npy(np.asarray(values, np.float32))
    return members


def index_pictures(references: References) -> list[dict[str, Any]]:
    """The entries `pictures` of bundle.json. Raises ExportError where parts are unequal in number or no pictures."""
    if not len(references.names) == len(references.pictures) == len(references.eyes or references.names):
        raise ExportError("The references have different numbers of names, pictures and eyes; make them again.")
    eyes = references.eyes or (None,) * len(references.names)
    try:
        return [
            {
                "name": name,
                "member": _picture_member(i, name),
                "pixels_sha256": pixels_sha256(references.pictures[i], name),
                "eyes": None if (pair := eyes[i]) is None else [pair.x, pair.y, pair.distance],
            }
            for i, name in enumerate(references.names)
        ]
    except DataError as error:
        raise ExportError(f"A reference picture cannot be bundled: {error}") from error


def _picture_member(index: int, name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return f"reference/pictures/{index:02d}{suffix if suffix in _SUFFIXES else '.bin'}"


def is_picture_entry(entry: Any) -> bool:
    """Whether an entry of `pictures` has the keys and types of its format."""
    if not isinstance(entry, dict) or set(entry) != _PICTURE_KEYS:
        return False
    eyes = entry["eyes"]
    numbers = isinstance(eyes, list) and len(eyes) == 3 and all(type(value) in (int, float) for value in eyes)
    return (eyes is None or numbers) and all(isinstance(entry[key], str) for key in _PICTURE_KEYS - {"eyes"})


def read_references(index: dict[str, Any], members: dict[str, bytes], name: str) -> References:
    """Take the references out of a bundle's members; `name` is what errors call the bundle.

    index: bundle.json, whose types were checked. Raises ExportError where a member is missing or does not fit.
    """
    pictures = index["pictures"]
    count = len(pictures)

    def array(member: str, dtype: type[np.generic], rank: int) -> np.ndarray:
        values = from_npy(take_member(members, member, name), f"{name}: {member}")
        if values.dtype != dtype or values.ndim != rank or values.shape[0] != count:
            raise ExportError(f"{name}: {member} does not hold {count} {np.dtype(dtype)} entries; export it again.")
        return values

    return References(
        names=tuple(entry["name"] for entry in pictures),
        pictures=tuple(take_member(members, entry["member"], name) for entry in pictures),
        views=array("reference/views.npy", np.uint8, 4),
        planes=array("reference/planes.npy", np.uint8, 4),
        stages=_read_stages(members, count, name),
        heatmaps={s: array(f"reference/heatmaps/{s}.npy", np.float32, 3) for s in index["heatmaps"]},
        gradcam={s: array(f"reference/gradcam/{s}.npy", np.float32, 3) for s in index["gradcam"]},
        eyes=tuple(None if entry["eyes"] is None else Eyes(*entry["eyes"]) for entry in pictures),
    )


def _read_stages(members: dict[str, bytes], count: int, name: str) -> dict[str, np.ndarray]:
    member = "reference/stages.json"
    plain = read_json_member(take_member(members, member, name), member, name)
    stages: dict[str, np.ndarray] = {}
    for stage, values in plain.items() if isinstance(plain, dict) else []:
        good = isinstance(values, list) and len(values) == count
        if not good or not all(type(value) in (int, float) and 0 <= value <= 1 for value in values):
            raise ExportError(f"{name}: {member}: {stage} is not {count} probabilities; export it again.")
        stages[stage] = np.array(values, np.float32)
    return stages
