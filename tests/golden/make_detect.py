"""Write tests/golden/detect.json: `python tests/golden/make_detect.py`, after a change of the detector or the pictures.

What the shipped detector says of every golden picture, in bits, so that the same trip in Kotlin can be compared with
it: once through the square that the detector looks at by itself (the worst face that was found, or the centre), and
once through a view with a face square, for eyes that are made up.

    {"format": 1, "detector_sha256", "pictures": [{"file", "decoded_sha256", "orientation", "trips": [
        {"view", "eyes": null | {"x", "y", "distance"}, "view_sha256", "scores", "heatmap",
         "labels": {operating point: "real" | "unsure" | "fake"}}]}]}

The first trip also says whether it was `evaluated`: false where every face that was found is too small.

`scores` (real, fake) and `heatmap` (row by row) are float32 as 8 hex digits each; `decoded_sha256` is of the RGB bytes
as they are stored, `view_sha256` of those that the model sees. A picture that is refused has `refused`, the sentence,
and no trips. Pictures lie in tests/golden/pictures and, for Android's decoders only, in tests/golden/formats; `file`
says where.
"""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from export.artifacts.description import OPERATING_POINTS
from export.inference.detect_files import detector_path
from export.inference.detector import LoadedDetector, decision_at, detect, detector_from, read_detector
from export.inference.picture_result import evaluate_picture
from train.common.atomic import write_text
from train.common.errors import DataError
from train.image.decode import Picture, decode
from train.image.view import Eyes, parse_view, turn_upright, without_face

FOLDER = Path(__file__).parent
FOLDERS = ("pictures", "formats")
GOLDEN = FOLDER / "detect.json"
FACE_VIEW = "upright|face(3)|resize(192)"


def document() -> dict[str, Any]:
    """The whole golden document, made by the present code and the shipped detector."""
    tflite = read_detector(detector_path(None))
    detector = detector_from(tflite, "the shipped detector")
    files = [path for name in FOLDERS for path in sorted((FOLDER / name).iterdir()) if path.is_file()]
    return {
        "format": 1,
        "detector_sha256": hashlib.sha256(tflite).hexdigest(),
        "pictures": [_of_picture(detector, file) for file in files],
    }


def _of_picture(detector: LoadedDetector, file: Path) -> dict[str, Any]:
    name = file.relative_to(FOLDER).as_posix()
    try:
        picture = decode(file)
    except DataError as error:
        return {"file": name, "refused": str(error).replace(str(file), name)}
    with_face = replace(detector, view=parse_view(FACE_VIEW))
    return {
        "file": name,
        "decoded_sha256": _sha256(picture.pixels),
        "orientation": picture.orientation,
        "trips": [_own_trip(detector, picture, name), _trip(with_face, picture, _made_up_eyes(picture))],
    }


def _own_trip(detector: LoadedDetector, picture: Picture, name: str) -> dict[str, Any]:
    face = evaluate_picture(detector, picture, name).worst
    # Where every face is too small to be evaluated `detect` says no more than that; the centre is for ports to compare.
    view, eyes = (without_face(detector.view), None) if face is None else (face.view, face.eyes)
    return _trip(replace(detector, view=view), picture, eyes) | {"judged": face is not None}


def _trip(detector: LoadedDetector, picture: Picture, eyes: Eyes | None) -> dict[str, Any]:
    verdict = detect(detector, picture, eyes=eyes)
    output = detector.run(verdict.view[np.newaxis])
    return {
        "view": detector.view.text,
        "eyes": None if eyes is None else asdict(eyes),
        "view_sha256": _sha256(verdict.view),
        "scores": _bits(output.scores[0]),
        "heatmap": _bits(verdict.heatmap),
        "labels": {name: decision_at(detector.description, verdict.probability, name) for name in OPERATING_POINTS},
    }


def _made_up_eyes(picture: Picture) -> Eyes:
    """Eyes that are nobody's: off the middle, so that the square leaves the picture on one side."""
    height, width = turn_upright(picture.pixels, picture.orientation).shape[:2]
    return Eyes(0.375 * width, 0.4375 * height, 0.3125 * min(width, height))


def _bits(values: np.ndarray) -> list[str]:
    return [f"{bits:08x}" for bits in np.ascontiguousarray(values, np.float32).view(np.uint32).ravel()]


def _sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


if __name__ == "__main__":
    write_text(GOLDEN, json.dumps(document(), indent=1) + "\n")
