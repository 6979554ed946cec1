"""The bundle: detector variants, model card and references in one sealed zip that any runtime can be compared with.

    bundle.json                      format, default, variants, pictures, maps, tolerances, sha256 of the other members
    model_card.md
    detectors/VARIANT.tflite
    reference/pictures/NN.jpg        the original files
    reference/views.npy              uint8 [N, S, S, 3]
    reference/planes.npy             uint8 [N, S, S, C]
    reference/stages.json            stage -> N probabilities of fake
    reference/heatmaps/STAGE.npy     float32 [N, h, w], divided by their maximum
    reference/gradcam/STAGE.npy      float32 [N, h, w], raw maps of tf-keras-vis

A bundle of a detector whose view has face(k) is of format 2 and also carries the face finder (finder_files.py); all
others are of format 1. Bundles of format 1 with face(k) were made before there was one; they are still read.

Arrays are plain .npy 1.0 in C order, never pickles. Nothing is extracted to disk and nothing in it is executed.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.artifacts.bundle_members import json_bytes, member_text, read_json_member, take_member
from export.artifacts.bundle_references import (
    References,
    index_pictures,
    is_picture_entry,
    read_references,
    reference_members,
)
from export.artifacts.description import Description
from export.artifacts.finder_files import finder_members, take_finder
from export.artifacts.metadata import read_description
from export.artifacts.seal import digest_of, read_file, read_sealed, write_sealed
from export.artifacts.tolerances import Tolerances, tolerances_from
from train.common.atomic import write_bytes
from train.common.errors import ExportError

NEWEST = 2
INDEX = "bundle.json"
CARD = "model_card.md"
# Which Keras state a variant was converted from.
LINEAGE = {
    "qat-int8": "keras-qat",
    "ptq-int8": "keras-ptq",
    "dynamic": "keras-float",
    "float16": "keras-float",
    "float32": "keras-float",
}
KERAS_STAGES = ("keras-float", "keras-ptq", "keras-qat")
_KEYS = {"format", "default", "variants", "pictures", "heatmaps", "gradcam", "tolerances", "sha256"}


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. `variants` maps names to detector files; `decoded` is the SHA-256 of each picture's pixels,
    RGB bytes row by row as stored, before it is turned upright; `has_finder`: whether it carries the face finder."""

    variants: Mapping[str, bytes]
    descriptions: Mapping[str, Description]
    default: str
    card: str
    references: References
    tolerances: Tolerances
    decoded: tuple[str, ...]
    has_finder: bool = False


def tflite_stage(variant: str) -> str:
    """The name of a variant's stage."""
    return f"tflite/{variant}"


def write_bundle(
    path: Path,
    *,
    variants: Mapping[str, bytes],
    default: str,
    card: str,
    references: References,
    tolerances: Tolerances,
) -> Bundle:
    """Write a bundle, whole or not at all, and return it as read back; the same input gives the same bytes.

    Raises ExportError where the parts do not fit together (a stage missing, a shape, a variant without lineage).
    """
    data = bundle_bytes(variants, default, card, references, tolerances)
    bundle = parse_bundle(data, str(path))
    write_bytes(path, data)
    return bundle


def bundle_bytes(
    variants: Mapping[str, bytes], default: str, card: str, references: References, tolerances: Tolerances
) -> bytes:
    """The bytes of a bundle, which `parse_bundle` checks; the same input gives the same bytes."""
    members = reference_members(references)
    members |= {f"detectors/{name}.tflite": variants[name] for name in sorted(variants)}
    members[CARD] = card.encode("utf-8")
    view = read_description(variants[default], f"detectors/{default}.tflite").view if default in variants else ""
    finder = finder_members(view) if view else {}
    members |= finder
    index = {
        "format": 2 if finder else 1,
        "default": default,
        "variants": {name: {"lineage": LINEAGE.get(name, "")} for name in variants},
        "pictures": index_pictures(references),
        "heatmaps": sorted(references.heatmaps),
        "gradcam": sorted(references.gradcam),
        "tolerances": dataclasses.asdict(tolerances),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    return write_sealed({INDEX: json_bytes(index)} | dict(sorted(members.items())))


def read_bundle(path: Path) -> Bundle:
    """Open a bundle and check all of it. Raises ExportError where it is missing, damaged, newer or not consistent."""
    return parse_bundle(read_file(path), str(path))


def parse_bundle(data: bytes, name: str) -> Bundle:
    """Read a bundle's bytes as `read_bundle` does; `name` is what errors call it."""
    start, members = read_sealed(data, name)
    if start or INDEX not in members:
        raise ExportError(f"{name} is not a Fauxlens bundle (it has no {INDEX}); make one with `fauxlens export`.")
    index = read_json_member(members.pop(INDEX), INDEX, name)
    _check_index(index, members, name)
    variants = {key: take_member(members, f"detectors/{key}.tflite", name) for key in sorted(index["variants"])}
    bundle = Bundle(
        variants=variants,
        descriptions={key: read_description(data, f"{name}: detectors/{key}.tflite") for key, data in variants.items()},
        default=index["default"],
        card=member_text(take_member(members, CARD, name), CARD, name),
        references=read_references(index, members, name),
        tolerances=tolerances_from(index["tolerances"]),
        decoded=tuple(entry["pixels_sha256"] for entry in index["pictures"]),
        has_finder=index["format"] > 1,
    )
    if bundle.has_finder:
        take_finder(members, bundle.descriptions[bundle.default].view, name)
    if members:
        raise ExportError(f"{name} has an extra member {min(members)}; make it again with `fauxlens export`.")
    check_consistent(bundle, name)
    return bundle


def check_consistent(bundle: Bundle, name: str) -> None:
    """Raise ExportError naming the first part of a bundle that does not fit the others."""
    references, count = bundle.references, len(bundle.references.names)
    for variant, description in bundle.descriptions.items():
        size = description.size
        checks = {
            "is called otherwise inside": description.variant == variant,
            "has another view than the default variant": description.view == bundle.descriptions[bundle.default].view,
            "lacks the stage of its Keras state": LINEAGE[variant] in references.stages,
            "lacks its own stage": tflite_stage(variant) in references.stages,
            "lacks the Grad-CAM of its Keras state": LINEAGE[variant] in references.gradcam,
            "does not fit the reference views": references.views.shape == (count, size, size, 3),
            "does not fit the front-end planes": references.planes.shape[:3] == (count, size, size),
            "does not fit the heatmaps": all(
                maps.shape == (count, *description.heatmap)
                for maps in (*references.heatmaps.values(), *references.gradcam.values())
            ),
        }
        for complaint, holds in checks.items():
            if not holds:
                raise ExportError(f"{name}: variant {variant} {complaint}; export the bundle again.")
    if "keras-float" not in references.stages:
        raise ExportError(f"{name} has no stage keras-float; export the bundle again.")
    known = {*KERAS_STAGES, *(tflite_stage(variant) for variant in bundle.variants)}
    for stage in (*references.stages, *references.heatmaps, *references.gradcam):
        if stage not in known:
            raise ExportError(f"{name} has an unknown stage {stage}; export the bundle again.")


def _check_index(index: Any, members: Mapping[str, bytes], name: str) -> None:
    number = index.get("format") if isinstance(index, dict) else None
    if isinstance(number, int) and number > NEWEST:
        raise ExportError(
            f"{name} has bundle format {number} and this Fauxlens reads 1 to {NEWEST}: it was made by a newer "
            "Fauxlens; update this one."
        )
    if type(number) is not int or not 1 <= number <= NEWEST or set(index) != _KEYS or not _has_types(index):
        raise ExportError(f"{name}: {INDEX} does not have the keys and types of its format; export it again.")
    if index["default"] not in index["variants"] or set(index["variants"]) - set(LINEAGE):
        raise ExportError(f"{name}: {INDEX} names an unknown default or variant; export it again.")
    for member in sorted(index["sha256"].keys() ^ members.keys()):
        verb = "lacks the" if member in index["sha256"] else "has an extra"
        raise ExportError(f"{name} {verb} member {member}; export it again.")
    for member, data in members.items():
        # Of detectors the digest is asked for again where they are opened.
        found = digest_of(data) if member.endswith(".tflite") else hashlib.sha256(data).hexdigest()
        if found != index["sha256"][member]:
            raise ExportError(f"{name}: member {member} does not match its sha256; copy or export it again.")


def _has_types(index: dict[str, Any]) -> bool:
    types = {"default": str, "variants": dict, "pictures": list, "heatmaps": list, "gradcam": list, "sha256": dict}
    return (
        all(isinstance(index[key], kind) for key, kind in types.items())
        and all(isinstance(stage, str) for stage in index["heatmaps"] + index["gradcam"])
        and all(is_picture_entry(entry) for entry in index["pictures"])
        and bool(index["pictures"])
    )
