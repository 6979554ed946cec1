"""`fauxlens detect`: pictures in, evidence and overlays out, one result a picture. LiteRT, NumPy and Pillow only."""

import errno
import hashlib
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from export.inference.detector import LoadedDetector, load_detector
from export.inference.evidence import Evidence, PictureFacts, gather
from export.inference.faces_overlay import draw_result
from export.inference.inputs import Input
from export.inference.picture_result import PictureResult, evaluate_picture
from export.inference.traces import trace_rows
from train.common.errors import DataError, ExportError
from train.common.process_pool import parallel_map
from train.image.decode import Picture, decode_bytes, read_picture_file
from train.image.drawing import save_drawing
from train.image.marks.read import Marks, read_marks
from train.image.marks.rows import EvidenceRow
from train.image.marks.thumbnail import thumbnail_row

SHIPPED = Path(__file__).parents[1] / "shipped" / "bundle.zip"
OVERLAY_SIDE, LARGEST_OVERLAY = 320, 4096


@dataclass(frozen=True)
class Settings:
    """How pictures are evaluated: the detector file, the operating point, and how large overlays are drawn.

    `full_size` draws overlays at the resolution of the picture, up to LARGEST_OVERLAY pixels a side, else at
    OVERLAY_SIDE. `traces` also looks for traces of earlier saves, which takes about as long as ten verdicts.
    """

    model: Path
    operating_point: str
    full_size: bool = False
    traces: bool = False


@dataclass(frozen=True)
class DetectedPicture:
    """What is known of one picture; `overlay_error` is a sentence where its overlay could not be written.

    The verdicts' views are left empty, uint8 [0, 0, 3]: a hundred kilobytes a face, which nobody reads here, would have
    to come from another process.
    """

    name: str
    evidence: Evidence
    picture_result: PictureResult
    overlay: Path | None
    overlay_error: str = ""


@dataclass(frozen=True)
class NotRead:
    """A picture that could not be evaluated, the sentence that says why, and what its file says all the same."""

    name: str
    error: str
    rows: tuple[EvidenceRow, ...] = ()


Result = DetectedPicture | NotRead


def detect_files(inputs: Sequence[Input], settings: Settings, *, workers: int = 1) -> Generator[Result, None, None]:
    """Evaluate pictures with so many processes; results come in the inputs' order, and one bad picture stops no other.

    Raises ExportError when the detector cannot be opened or has no such operating point.
    """
    with closing(parallel_map(partial(detect_input, settings), inputs, workers)) as results:
        yield from results


def detect_input(settings: Settings, one: Input) -> Result:
    """Read, evaluate and draw one picture; whatever is wrong with it becomes a NotRead."""
    if one.error:
        return NotRead(one.name, one.error)
    rows: tuple[EvidenceRow, ...] = ()
    try:
        data = (one.data or b"") if one.path is None else read_picture_file(one.path)
        marks = read_marks(data, hidden=True)
        rows = marks.rows if marks.container else ()
        return detect_bytes(settings, data, marks, one.name, one.overlay)
    except DataError as error:
        return NotRead(one.name, str(error), rows)
    except MemoryError:
        return NotRead(one.name, f"{one.name} needs more memory than there is: save a smaller copy.", rows)


def detect_bytes(settings: Settings, data: bytes, marks: Marks, name: str, overlay: Path | None) -> DetectedPicture:
    """Evaluate the bytes of a picture file with these marks. Raises DataError as `decode_bytes` and the view do."""
    detector = opened(settings.model)
    picture = decode_bytes(data, name)
    picture_result = evaluate_picture(detector, picture, name, operating_point=settings.operating_point)
    height, width = picture.pixels.shape[:2]
    digest = hashlib.sha256(data).hexdigest()
    facts = PictureFacts(digest, len(data), picture.format, width, height, picture.jpeg_quality)
    rows = (*marks.rows, *_pixel_rows(picture, marks, settings))
    evidence = gather(facts, picture, rows, picture_result, detector.description)
    error = ""
    if overlay is not None and picture_result.worst is not None:
        error = _write_overlay(overlay, detector, picture, picture_result, settings)
    drawn = overlay if picture_result.worst is not None and not error else None
    return DetectedPicture(name, evidence, _without_views(picture_result), drawn, error)


def _without_views(picture_result: PictureResult) -> PictureResult:
    none = np.zeros((0, 0, 3), np.uint8)
    verdicts = [face.verdict and replace(face.verdict, view=none) for face in picture_result.faces]
    faces = zip(picture_result.faces, verdicts, strict=True)
    return replace(picture_result, faces=tuple(replace(face, verdict=verdict) for face, verdict in faces))


def _pixel_rows(picture: Picture, marks: Marks, settings: Settings) -> tuple[EvidenceRow, ...]:
    thumbnail = thumbnail_row(marks.thumbnail, picture.pixels) if marks.thumbnail else None
    earlier = trace_rows(picture) if settings.traces else ()
    return (*((thumbnail,) if thumbnail else ()), *earlier)


@lru_cache(maxsize=1)
def opened(model: Path) -> LoadedDetector:
    """The detector of this process; each process of a pool opens its own."""
    return load_detector(model)


def _write_overlay(
    target: Path, detector: LoadedDetector, picture: Picture, picture_result: PictureResult, settings: Settings
) -> str:
    side = OVERLAY_SIDE
    if settings.full_size:
        side = max(OVERLAY_SIDE, min(LARGEST_OVERLAY, min(picture.pixels.shape[:2])))
    image = draw_result(detector, picture, picture_result, side=side)
    assert image is not None
    try:
        # Zlib at its quickest: the strongest would take a quarter of the time to a verdict.
        save_drawing(image, target, compress_level=1)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return f"The disk is full ({target}): make room, or choose another --out."
        return f"{target} cannot be written ({error.strerror or error}): choose another --out."
    return ""


def detector_path(model: Path | None) -> Path:
    """The detector to open, the shipped one where none is named; ExportError where this installation has none."""
    if model is None and not SHIPPED.exists():
        raise ExportError("This installation has no detector: name one with --model (a .tflite or a bundle).")
    return model or SHIPPED
