"""Golden lines that sum up evidence: what marks and the detector say together."""

import itertools
from typing import Any

import numpy as np

from export.inference.detector import Verdict
from export.inference.evidence import sum_up
from export.inference.picture_result import FaceResult, PictureResult
from train.image.marks.rows import EvidenceRow, Kind, Says, Strength
from train.image.view import parse_view

_MARKS: tuple[tuple[Kind, Strength, Says], ...] = (
    ("provenance", "medium", "ai"),
    ("provenance", "weak", "edited"),
    ("provenance", "none", "nothing"),
    ("metadata", "medium", "ai"),
    ("metadata", "medium", "edited"),
    ("metadata", "medium", "camera"),
    ("metadata", "weak", "ai"),
    ("metadata", "weak", "edited"),
    ("metadata", "weak", "camera"),
)
_SAID = ((None, "balanced"), *itertools.product(("real", "unsure", "fake"), ("balanced", "fpr-1%")))


def summaries() -> list[dict[str, Any]]:
    """Up to two marks, what the detector says at an operating point (null: nothing was looked at), and the line."""
    cases = []
    for count in range(3):
        for marks in itertools.combinations(_MARKS, count):
            for label, point in _SAID:
                summary = _summary(marks, label, point)
                cases.append({"marks": marks, "label": label, "operating_point": point, "summary": summary})
    return cases


def _summary(marks: tuple[tuple[Kind, Strength, Says], ...], label: str | None, point: str) -> str:
    rows = [EvidenceRow(kind, strength, says, "text", "source") for kind, strength, says in marks]
    if label is None:
        return sum_up(tuple(rows), None)
    strength: Strength = "none" if label != "fake" else "weak" if point == "balanced" else "medium"
    rows.append(EvidenceRow("detector", strength, "ai" if label == "fake" else "nothing", "text", "detector"))
    verdict = Verdict(label, 0.5, point, 0.5, np.zeros((1, 1)), np.zeros((1, 1, 3), np.uint8), ())
    face = FaceResult(1, None, parse_view("upright|square|resize(8)"), None, verdict)
    return sum_up(tuple(rows), PictureResult((face,), face_found=True))
