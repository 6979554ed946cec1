"""Golden verdicts, heat colours and enlarged heatmaps."""

import json
import random
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from export.artifacts.description import OPERATING_POINTS, CalibrationNote, Description, from_json, to_json
from export.inference.detector import decision_at
from export.inference.overlay import colours, expand
from train.evaluate.decision import Decision

DESCRIPTION = Description(
    name="golden",
    variant="ptq-int8",
    view="upright|square|resize(8)",
    unclear_faces="centre",
    front_end="rgb",
    size=8,
    heatmap=(2, 3),
    operating_points={
        "balanced": Decision(0.5, 0.25),
        "fpr-1%": Decision(0.75, 0.25),
        "fpr-0.5%": Decision(0.875, 0.25),
    },
    calibration=CalibrationNote(1.25, -0.5),
    seen=(("camera", "drawn"), ("stylegan", "drawn")),
    training_sha256="0123456789abcdef" * 4,
    created_by={"fauxlens": "0.1.0"},
    figures={"auc": 0.9375},
    licences=("Drawn by Fauxlens.",),
)
"""A description that is right in everything; other cases change one thing in it."""


def text_of_format_1(description: Description, **changes: Any) -> str:
    """`fauxlens.json` of format 1 for a description, as that Fauxlens wrote it."""
    plain = json.loads(to_json(description))
    del plain["seen"], plain["face_finder"]
    lists = {"generators_seen": list(description.generators_seen), "sources_seen": list(description.sources_seen)}
    points = {name: decision.fake_from for name, decision in description.operating_points.items()}
    old = {"format": 1, "unsure": [0.25, 0.625], "operating_points": points} | lists
    return json.dumps(plain | old | changes, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def decisions() -> list[dict[str, Any]]:
    """Labels of probabilities (float32) at every operating point of a description of format 2."""
    cases = []
    for unsure_from in (0.0, 0.25, 0.30000001192092896, 0.9):
        for thresholds in ((0.5, 0.75, 0.875), (0.2, 0.9, 0.95), (0.3, 0.3, 0.3), (1.0, 1.0, 1.0)):
            decided = [Decision(threshold, min(threshold, unsure_from)) for threshold in thresholds]
            points: dict[str, Decision] = dict(zip(OPERATING_POINTS, decided, strict=True))
            description = replace(DESCRIPTION, operating_points=points)
            limits = {0.0, 1.0, 0.42, unsure_from, *thresholds}
            for probability in _near(limits):
                labels = {point: decision_at(description, probability, point) for point in OPERATING_POINTS}
                plain = {name: asdict(decision) for name, decision in points.items()}
                cases.append({"operating_points": plain, "probability": probability, "labels": labels})
    return cases


def _near(limits: set[float]) -> list[float]:
    """Each limit in float32 and both its neighbours: what a comparison of floats in place of doubles would confuse."""
    near = {float(np.nextafter(np.float32(p), np.float32(side))) for p in limits for side in (0, 1)}
    return sorted({float(np.float32(p)) for p in limits} | near)


def verdicts() -> list[dict[str, Any]]:
    """The same for descriptions of format 1, for bands and thresholds in every order."""
    cases = []
    for low, high in ((0.25, 0.625), (0.6, 0.9), (0.5, 0.5), (0.0, 1.0), (0.1, 0.30000001192092896)):
        for thresholds in ((0.5, 0.75, 0.875), (0.2, 0.1, 0.95), (0.3, 0.3, 0.3), (1.0, 0.0, 0.5)):
            points = dict(zip(OPERATING_POINTS, thresholds, strict=True))
            text = text_of_format_1(DESCRIPTION, unsure=[low, high], operating_points=points)
            description = from_json(text)
            probabilities = {0.0, 1.0, 0.42, low, high, *thresholds}
            for probability in _near(probabilities):
                labels = {point: decision_at(description, probability, point) for point in OPERATING_POINTS}
                case = {"unsure": [low, high], "operating_points": points, "probability": probability}
                cases.append(case | {"labels": labels})
    return cases


def heat() -> list[dict[str, Any]]:
    """Colours of 2,048 values, 0xRRGGBB, and heatmaps enlarged to several sides, floats as 8 digits of their bits."""
    values = np.concatenate([np.linspace(0, 1, 1500), np.arange(18) / 17, np.random.default_rng(8).random(530)])
    values = values.astype(np.float32)
    levels = np.rint(255 * colours(values)).astype(int)
    colour = {"values": _bits(values), "colours": [f"{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]}
    return [colour, *(_enlarged(rows, columns, side) for rows, columns, side in _SIDES)]


_SIDES = ((1, 1, 5), (1, 4, 7), (3, 1, 8), (2, 2, 1), (4, 4, 4), (4, 4, 33), (7, 7, 50), (5, 3, 40), (9, 9, 4))


def _enlarged(rows: int, columns: int, side: int) -> dict[str, Any]:
    heatmap = np.array(random.Random(rows * 100 + side).choices([0, 1, 0.3, 0.7777, 0.05], k=rows * columns))
    heatmap = heatmap.astype(np.float32).reshape(rows, columns)
    found = {"heatmap": _bits(heatmap), "enlarged": _bits(expand(heatmap, side))}
    return {"rows": rows, "columns": columns, "side": side, **found}


def _bits(values: np.ndarray) -> list[str]:
    return [f"{bits:08x}" for bits in values.astype("<f4").view("<u4").ravel().tolist()]
