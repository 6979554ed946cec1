"""`fauxlens detect`: pictures in, sentences, JSON and overlays out. LiteRT, NumPy and Pillow only.

A detector whose view has face(k) needs eyes; then, and only then, the face finder looks for them.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from export.artifacts.description import BALANCED
from export.inference.detector import Detector, Verdict, detect, open_detector
from export.inference.overlay import draw_overlay
from train.common.atomic import write_atomically
from train.common.errors import DataError, ExportError
from train.image.decode import Picture, decode
from train.image.face import choose_face
from train.image.view import Eyes, Unclear, View, turn_upright, view_for

SHIPPED = Path(__file__).parents[1] / "shipped" / "bundle.zip"


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
    path = detector_path(model)
    detector = open_detector(path)
    lines: list[str] = []
    pictures: list[dict[str, Any]] = []
    errors: list[str] = []
    for file in files:
        try:
            picture = decode(file)
            aimed = aim(detector.view, detector.description.unclear_faces, picture, str(file))
            looking = replace(detector, view=aimed.view)
            verdict = detect(looking, picture, operating_point=operating_point, eyes=aimed.eyes)
        except DataError as error:
            errors.append(str(error))
            pictures.append({"file": str(file), "error": str(error)})
            continue
        overlay = out / png_name(file, "heatmap", [Path(one["overlay"]).name for one in pictures if "overlay" in one])
        image = draw_overlay(looking, picture, verdict, eyes=aimed.eyes)
        # Zlib at its quickest: the strongest would take a quarter of the time to a verdict.
        write_atomically(overlay, partial(image.save, format="PNG", compress_level=1))
        lines += [f"{file}: {sentence(verdict)}", f"  heatmap: {overlay}"]
        notes = (*aimed.notes, *verdict.notes)
        lines += [f"  note: {note}" for note in notes]
        pictures.append(record(file, verdict, notes) | {"overlay": str(overlay)})
    return Told(tuple(lines), {"detector": about(detector, path), "pictures": pictures}, tuple(errors))


def detector_path(model: Path | None) -> Path:
    """The detector to open, the shipped one where none is named; ExportError where this installation has none."""
    if model is None and not SHIPPED.exists():
        raise ExportError("This installation carries no detector: name one with --model (a .tflite or a bundle).")
    return model or SHIPPED


@dataclass(frozen=True)
class Aim:
    """How one picture is looked at: the view it goes through, the eyes that this view needs, and what to say of it."""

    view: View
    eyes: Eyes | None = None
    notes: tuple[str, ...] = ()


def aim(view: View, unclear: Unclear, picture: Picture, name: str) -> Aim:
    """Find the eyes that a view with face(k) needs; other views look at every picture alike.

    Where none or several faces are found the detector's own rule says what to look at (train.image.view). A picture of
    several that its training left out is still judged, by the largest face; with none it is a DataError, as nothing
    says where to look; `name` is how it calls the picture.
    """
    if not view.needs_eyes:
        return Aim(view)
    from train.image.face_finder.finder import find_in_pixels

    upright = turn_upright(picture.pixels, picture.orientation)
    count, eyes = choose_face(find_in_pixels(upright), upright.shape[1], upright.shape[0])
    chosen = view_for(view, count, unclear)
    if count == 0 and chosen is None:
        raise DataError(f"{name} shows no face that could be found: crop it to the face, or take another detector.")
    if count == 1:
        return Aim(view, eyes)
    if chosen is not None and not chosen.needs_eyes:
        found = f"{count} faces were found" if count else "No face was found"
        return Aim(chosen, None, (f"{found}: the square in the middle was judged, as in training.",))
    return Aim(view, eyes, (f"{count} faces were found: the largest one was judged.",))


def png_name(file: Path, kind: str, taken: list[str]) -> str:
    """The name of what is drawn of a picture: `kind` says what; names in `taken` are given to no other picture."""
    # Pictures of the same name from two folders must not overwrite each other.
    name = f"{file.name}.{kind}.png"
    return name if name not in taken else f"{file.name}.{len(taken)}.{kind}.png"


def sentence(verdict: Verdict) -> str:
    """The verdict in words, with its probability and threshold."""
    words = {"fake": "looks AI-generated", "real": "looks real", "unsure": "unsure"}
    at = "" if verdict.operating_point == BALANCED else f" at {verdict.operating_point}"
    return (
        f"{words[verdict.label]} (probability of fake {verdict.probability:.3f}, threshold {verdict.threshold:.3f}{at})"
    )


def record(file: Path, verdict: Verdict, notes: tuple[str, ...]) -> dict[str, Any]:
    """A verdict for a JSON document."""
    return {
        "file": str(file),
        "verdict": verdict.label,
        "probability": verdict.probability,
        "operating_point": verdict.operating_point,
        "threshold": verdict.threshold,
        "heatmap": verdict.heatmap.round(6).tolist(),
        "notes": list(notes),
    }


def about(detector: Detector, path: Path) -> dict[str, Any]:
    """A detector for a JSON document."""
    description = detector.description
    return {
        "path": str(path),
        "name": description.name,
        "variant": description.variant,
        "view": description.view,
        "generators_seen": list(description.generators_seen),
    }
