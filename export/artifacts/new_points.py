"""A copy of a detector file or bundle with other operating points; the graph and all else stay byte for byte."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from export.artifacts.bundle import CARD, INDEX, parse_bundle
from export.artifacts.description import Description, to_json
from export.artifacts.metadata import DESCRIPTION_FILE, read_description
from export.artifacts.seal import read_sealed, write_sealed
from train.common.documents import parse_json
from train.evaluate.decision import Decision

CHOSEN = "operating points"
"""The key of `created_by` under which a copy says who chose its operating points, when, and on what."""
MEASURED = "reals_called_fake "
"""How the figures of a detector file begin that depend on its operating points; the point's name follows."""


def description_with(
    description: Description, points: Mapping[str, Decision], note: str, measured: Mapping[str, float]
) -> Description:
    """A description with these operating points, `note` on who chose them, and how many reals each calls fake.

    What was measured at the old points is taken out; `measured` may be empty where no real picture was there.
    """
    kept = {name: value for name, value in description.figures.items() if not name.startswith(MEASURED)}
    return replace(
        description,
        operating_points=dict(points),
        figures=kept | {f"{MEASURED}{name}": rate for name, rate in measured.items()},
        created_by={**description.created_by, CHOSEN: note},
    )


def detector_with(tflite: bytes, description: Description, name: str = "the detector file") -> bytes:
    """A detector file with another description and a new checksum; `name` is what errors call the old file.

    Raises ExportError where the file is damaged or not made by Fauxlens.
    """
    read_description(tflite, name)
    model, members = read_sealed(tflite, name)
    return write_sealed(members | {DESCRIPTION_FILE: to_json(description).encode("utf-8")}, prefix=model)


def bundle_with(bundle: bytes, descriptions: Mapping[str, Description], card: str, name: str = "the bundle") -> bytes:
    """A bundle whose variants have these descriptions, with another card and new checksums; references stay.

    descriptions: one for every variant. Raises ExportError where the bundle is damaged, or the result would be.
    """
    parse_bundle(bundle, name)
    _, members = read_sealed(bundle, name)
    for variant, description in descriptions.items():
        member = f"detectors/{variant}.tflite"
        members[member] = detector_with(members[member], description, f"{name}: {member}")
    members[CARD] = card.encode("utf-8")
    index = parse_json(members.pop(INDEX).decode("utf-8"))
    index["sha256"] = {member: hashlib.sha256(data).hexdigest() for member, data in members.items()}
    text = json.dumps(index, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    made = write_sealed({INDEX: text.encode("utf-8")} | members)
    parse_bundle(made, name)
    return made
