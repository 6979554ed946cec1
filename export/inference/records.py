"""Results of `detect` for programs: one JSON document, JSON Lines, CSV. docs/detect.md has the schema."""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from export.artifacts.description import REAL_PICTURES
from export.inference.detect_files import DetectedPicture, NotRead, Result
from export.inference.detector import LoadedDetector, Verdict
from export.inference.picture_result import FaceResult
from train.image.marks.rows import strongest

FORMAT = 2
COLUMNS = (
    "file",
    "verdict",
    "probability",
    "operating_point",
    "threshold",
    "faces",
    "file_says",
    "file_says_strength",
    "summary",
    "sha256",
    "overlay",
    "error",
)
# Spreadsheets compute cells that begin so; a leading apostrophe makes them text.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def result_record(result: Result) -> dict[str, Any]:
    """One picture for a JSON document; `verdict` and what follows it are those of the worst face, null without one."""
    if isinstance(result, NotRead):
        rows = {"rows": [asdict(row) for row in result.rows]} if result.rows else {}
        return {"file": result.name, "error": result.error, **rows}
    evidence, worst = result.evidence, result.picture_result.worst
    verdict = worst.verdict if worst else None
    evaluated = verdict_record(verdict) if verdict else dict.fromkeys(_VERDICT)
    return {
        "file": result.name,
        **evaluated,
        "summary": evidence.summary,
        "rows": [asdict(row) for row in evidence.rows],
        "face_found": result.picture_result.face_found,
        "faces": [_face(face) for face in result.picture_result.faces],
        "notes": [*result.picture_result.notes, *(verdict.notes if verdict else ())],
        **asdict(evidence.facts),
        "overlay": str(result.overlay) if result.overlay else None,
    }


_VERDICT = ("verdict", "probability", "operating_point", "threshold", "heatmap")


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """A verdict for a JSON document."""
    heatmap = verdict.heatmap.round(6).tolist()
    values = (verdict.label, verdict.probability, verdict.operating_point, verdict.threshold, heatmap)
    return dict(zip(_VERDICT, values, strict=True))


def record(file: Path, verdict: Verdict, notes: tuple[str, ...]) -> dict[str, Any]:
    """A verdict on a file, with notes, for a JSON document."""
    return {"file": str(file), **verdict_record(verdict), "notes": list(notes)}


def _face(face: FaceResult) -> dict[str, Any]:
    return {
        "number": face.number,
        "square": face.square,
        "verdict": face.verdict.label if face.verdict else None,
        "probability": face.verdict.probability if face.verdict else None,
        "note": face.note,
    }


def about(detector: LoadedDetector, path: Path) -> dict[str, Any]:
    """A detector for a JSON document."""
    description = detector.description
    return {
        "path": str(path),
        "name": description.name,
        "variant": description.variant,
        "view": description.view,
        "generators_seen": [name for name in description.generators_seen if name != REAL_PICTURES],
    }


def csv_row(result: Result) -> str:
    """One line of CSV with COLUMNS, with its line break; cells that a spreadsheet would compute begin with '."""
    return csv_line(_cells(result) if isinstance(result, DetectedPicture) else _cells_without(result))


def csv_line(cells: list[str]) -> str:
    """Cells as one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([f"'{one}" if one.startswith(_FORMULAS) else one for one in cells])
    return line.getvalue()


def _cells_without(one: NotRead) -> list[str]:
    return [one.name, *[""] * (len(COLUMNS) - 2), one.error]


def _cells(found: DetectedPicture) -> list[str]:
    worst = found.picture_result.worst
    verdict = worst.verdict if worst else None
    mark = strongest(found.evidence.rows)
    return [
        found.name,
        verdict.label if verdict else "",
        f"{verdict.probability:.6f}" if verdict else "",
        verdict.operating_point if verdict else "",
        f"{verdict.threshold:.6f}" if verdict else "",
        # Without a face there is the centre square, which is none.
        "0" if found.picture_result.face_found is False else str(len(found.picture_result.faces)),
        mark.says if mark else "nothing",
        mark.strength if mark else "none",
        found.evidence.summary,
        found.evidence.facts.sha256,
        str(found.overlay) if found.overlay else "",
        "",
    ]
