"""The page of the shipped detector, end to end in a real Chromium, and the report that its self-test gives."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED
from export.inference.detector import LoadedDetector, load_detector
from export.inference.picture_result import evaluate_picture
from export.parity.verify import verify_bundle
from export.runtimes.browser import runtime_missing
from export.runtimes.self_test_runtime import shared_self_test
from export.web.serve import serving
from train.common.errors import DataError
from train.image.decode import Picture, decode
from train.image.view import Eyes, apply_view, parse_view, turn_upright

GOLDEN = Path(__file__).parents[2] / "golden"
SCRIPT = Path(__file__).parent / "page.test.mjs"


@pytest.fixture(autouse=True)
def _set_up() -> None:
    if (reason := runtime_missing()) is not None:
        pytest.skip(reason)


def enlarge(folder: Path) -> None:
    """Drawn portraits large enough to be evaluated, one turned by EXIF, a group, a small one, one without a face."""
    folder.mkdir()
    for name in ("pictures/plain.png", "pictures/grey.png", "pictures/420.jpg", "pictures/tall_6.jpg"):
        with Image.open(GOLDEN / name) as image:
            exif = image.getexif()
            image.resize((3 * image.width, 3 * image.height)).save(folder / Path(name).name, exif=exif, quality=95)
    with Image.open(GOLDEN / "face_finder" / "group.png") as image:
        image.resize((3 * image.width, 3 * image.height)).save(folder / "group.png")
    for name in ("tiny.png", "wide_1.png"):
        shutil.copy(GOLDEN / "pictures" / name, folder)


def expected_faces(detector: LoadedDetector, folder: Path) -> list[dict[str, Any]]:
    """What Python says of every face in the pictures of a folder."""
    return [_evaluated(detector, path) for path in sorted(folder.iterdir())]


def _evaluated(detector: LoadedDetector, path: Path) -> dict[str, Any]:
    evaluated = evaluate_picture(detector, decode(path), path.name)
    faces = [[face.number, face.verdict.probability, face.verdict.label] for face in evaluated.faces if face.verdict]
    small = [face.number for face in evaluated.faces if not face.verdict]
    return {"file": path.name, "faces": faces, "small": small, "found": evaluated.face_found}


def expected_bits(detector: LoadedDetector) -> list[dict[str, Any]]:
    """What Python makes of every golden picture: pixels, two views, scores and heatmaps, as the page tells them."""
    size = detector.view.size
    texts = (f"upright|square|resize({size})", f"upright|face(3)|resize({size})")
    files = [path for name in ("pictures", "formats") for path in sorted((GOLDEN / name).iterdir())]
    return [_bits(detector, path, texts) for path in files if path.is_file()]


def _bits(detector: LoadedDetector, path: Path, texts: tuple[str, str]) -> dict[str, Any]:
    file = path.relative_to(GOLDEN).as_posix()
    try:
        picture = decode(path)
    except DataError as error:
        return {"file": file, "refused": str(error).replace(str(path), file)}
    height, width = turn_upright(picture.pixels, picture.orientation).shape[:2]
    # Nobody's eyes: off the middle, so that the square leaves the picture on one side.
    eyes = Eyes(0.375 * width, 0.4375 * height, 0.3125 * min(width, height))
    trips = [_trip(detector, picture, texts[0], None), _trip(detector, picture, texts[1], eyes)]
    found = {"decoded_sha256": _sha256(picture.pixels), "orientation": picture.orientation}
    return {"file": file, **found, "trips": trips}


def _trip(detector: LoadedDetector, picture: Picture, text: str, eyes: Eyes | None) -> dict[str, Any]:
    view = apply_view(parse_view(text), picture, eyes)
    output = replace(detector, view=parse_view(text)).run(view[np.newaxis])
    scores, heatmap = _digits(output.scores[0]), _digits(output.heatmaps[0])
    given = None if eyes is None else {"x": eyes.x, "y": eyes.y, "distance": eyes.distance}
    return {"view": text, "eyes": given, "view_sha256": _sha256(view), "scores": scores, "heatmap": heatmap}


def _digits(values: np.ndarray) -> list[str]:
    return [f"{bits:08x}" for bits in np.ascontiguousarray(values, np.float32).view(np.uint32).ravel()]


def _sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@pytest.mark.slow
def test_page_in_chromium(page_parts: Path, chromium: str, tmp_path: Path) -> None:
    detector = load_detector(SHIPPED)
    enlarge(tmp_path / "large")
    (tmp_path / "faces.json").write_text(json.dumps(expected_faces(detector, tmp_path / "large")))
    (tmp_path / "bits.json").write_text(json.dumps(expected_bits(detector)))
    out = Path(os.environ.get("FAUXLENS_SCREENSHOTS") or tmp_path)
    with serving(SHIPPED) as page:
        environment = {
            "FAUXLENS_PAGE": page,
            "FAUXLENS_EXPECTED": str(tmp_path),
            "FAUXLENS_CHROMIUM": chromium,
            "FAUXLENS_PARTS": str(page_parts),
            "FAUXLENS_OUT": str(out),
        }
        ran = subprocess.run(
            [str(shutil.which("node")), "--test", str(SCRIPT)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=1200,
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "# pass 0" not in ran.stdout
    # Parity evaluates the bits that the page told, not its own word.
    opened = read_bundle(SHIPPED)
    assert verify_bundle(
        opened, variant=opened.default, runtime=shared_self_test(out / "self-test.json", SHIPPED)
    ).passed
