"""`detect` with a detector that wants eyes: the face finder finds them; a picture without a face is told so."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from export.artifacts.metadata import attach
from export.inference.detect_files import OVERLAY_SIDE, DetectedPicture, Settings, detect_input
from export.inference.detector import load_detector
from export.inference.inputs import Input
from export.inference.records import COLUMNS, csv_row
from export.runtimes.registry import RUNTIMES
from train.data.faces.find import eyes_in
from train.image.decode import decode
from train.image.face_finder.finder import blazeface_detector
from train.image.view import apply_view

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


@pytest.fixture(scope="module")
def model(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, described as one for cut-out faces."""
    view = f"upright|face(2.4)|resize({describe().size})"
    path = tmp_path_factory.mktemp("face") / "face.tflite"
    path.write_bytes(attach(tiny.raw["float32"], describe(view=view), author="tests"))
    return path


def evaluated(file: Path, model: Path, out: Path) -> DetectedPicture:
    result = detect_input(Settings(model, "balanced"), Input(str(file), file, overlay=out / f"{file.name}.heatmap.png"))
    assert isinstance(result, DetectedPicture), result
    return result


def probability(found: DetectedPicture) -> float:
    worst = found.picture_result.worst
    assert worst is not None and worst.verdict is not None
    return worst.verdict.probability


def test_the_square_around_the_eyes_is_evaluated(model: Path, shared_faces: Path, tmp_path: Path) -> None:
    file = sorted((shared_faces / "ffhq-256").iterdir())[0]
    found = evaluated(file, model, tmp_path)
    picture = decode(file)
    count, eyes = eyes_in(picture, blazeface_detector())
    assert count == 1
    view = apply_view(load_detector(model).view, picture, eyes)
    output = RUNTIMES["litert"].call(model.read_bytes(), view[np.newaxis])
    assert probability(found) == float(output.scores[0, 1])
    assert found.overlay is not None
    with Image.open(found.overlay) as overlay:
        assert overlay.width == OVERLAY_SIDE


def test_both_faces_are_evaluated_and_the_worse_one_is_drawn(model: Path, shared_faces: Path, tmp_path: Path) -> None:
    files = sorted((shared_faces / "ffhq-256").iterdir())[:2]
    both = Image.new("RGB", (512, 256))
    for place, file in enumerate(files):
        with Image.open(file) as picture:
            both.paste(picture, (256 * place, 0))
    both.save(tmp_path / "both.png")
    found = evaluated(tmp_path / "both.png", model, tmp_path)
    texts = [row.text for row in found.evidence.rows if row.kind in ("faces", "detector")]
    assert texts[0] == "2 faces were found."
    assert [text.split(" looks")[0].split(" cannot")[0] for text in texts[1:]] == ["Face 1", "Face 2"]
    probabilities = [face.verdict.probability for face in found.picture_result.faces if face.verdict]
    assert probability(found) == max(probabilities)


def test_a_picture_without_a_face_is_told(model: Path, tmp_path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").resize((160, 120)).save(tmp_path / "wall.png")
    found = evaluated(tmp_path / "wall.png", model, tmp_path)
    assert found.picture_result.face_found is False
    cells = next(csv.reader([csv_row(found)]))
    assert cells[COLUMNS.index("faces")] == "0"
    texts = [row.text for row in found.evidence.rows if row.kind == "faces"]
    assert texts == ["No face found: this detector classifies faces; the centre square was used instead."]
