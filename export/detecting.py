"""`fauxlens detect`: pictures in, sentences, JSON and overlays out. LiteRT, NumPy and Pillow only."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from export.description import BALANCED
from export.detector import Detector, Verdict, detect, open_detector
from export.errors import ExportError
from export.overlay import draw_overlay
from train.data.errors import DataError
from train.data.files import write_atomically
from train.data.picture import decode

SHIPPED = Path(__file__).parent / "shipped" / "faces.tflite"


@dataclass(frozen=True)
class Told:
    """What `detect` has to say: lines for people, a document for programs, a sentence for each picture that failed."""

    lines: tuple[str, ...]
    document: dict[str, Any]
    errors: tuple[str, ...]


def detect_files(files: list[Path], model: Path | None, operating_point: str, out: Path) -> Told:
    """Judge pictures one by one and write an overlay for each into `out`; one bad picture does not stop the others.

    Raises ExportError when the detector cannot be opened or has no such operating point.
    """
    path = model or SHIPPED
    if model is None and not path.exists():
        raise ExportError("This installation carries no detector: name one with --model (a .tflite or a bundle).")
    detector = open_detector(path)
    lines: list[str] = []
    pictures: list[dict[str, Any]] = []
    errors: list[str] = []
    for file in files:
        try:
            picture = decode(file)
            verdict = detect(detector, picture, operating_point=operating_point)
        except DataError as error:
            errors.append(str(error))
            pictures.append({"file": str(file), "error": str(error)})
            continue
        overlay = out / _overlay_name(file, [Path(one["overlay"]).name for one in pictures if "overlay" in one])
        image = draw_overlay(detector, picture, verdict)
        # Zlib at its quickest: the strongest would take a quarter of the time to a verdict.
        write_atomically(overlay, partial(image.save, format="PNG", compress_level=1))
        lines += [f"{file}: {_sentence(verdict)}", f"  heatmap: {overlay}"]
        lines += [f"  note: {note}" for note in verdict.notes]
        pictures.append(_record(file, verdict, overlay))
    return Told(tuple(lines), {"detector": _about(detector, path), "pictures": pictures}, tuple(errors))


def _overlay_name(file: Path, taken: list[str]) -> str:
    # Pictures of the same name from two folders must not overwrite each other.
    name = f"{file.name}.heatmap.png"
    return name if name not in taken else f"{file.name}.{len(taken)}.heatmap.png"


def _sentence(verdict: Verdict) -> str:
    words = {"fake": "looks AI-generated", "real": "looks real", "unsure": "unsure"}
    at = "" if verdict.operating_point == BALANCED else f" at {verdict.operating_point}"
    return (
        f"{words[verdict.label]} (probability of fake {verdict.probability:.3f}, threshold {verdict.threshold:.3f}{at})"
    )


def _record(file: Path, verdict: Verdict, overlay: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "verdict": verdict.label,
        "probability": verdict.probability,
        "operating_point": verdict.operating_point,
        "threshold": verdict.threshold,
        "heatmap": verdict.heatmap.round(6).tolist(),
        "overlay": str(overlay),
        "notes": list(verdict.notes),
    }


def _about(detector: Detector, path: Path) -> dict[str, Any]:
    description = detector.description
    return {
        "path": str(path),
        "name": description.name,
        "variant": description.variant,
        "view": description.view,
        "generators_seen": list(description.generators_seen),
    }
