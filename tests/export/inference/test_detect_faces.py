"""`detect` with a detector that wants eyes: the face finder finds them; a picture without a face is told so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from export.artifacts.metadata import attach
from export.inference.detect_files import detect_files
from export.runtimes.registry import RUNTIMES
from train.data.faces.find import eyes_in
from train.image.decode import decode
from train.image.face_finder.finder import blazeface_detector
from train.image.view import apply_view, parse_view

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


@pytest.fixture(scope="module")
def model(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, described as one for cut-out faces."""
    view = f"upright|face(2.4)|resize({describe().size})"
    path = tmp_path_factory.mktemp("face") / "face.tflite"
    path.write_bytes(attach(tiny.raw["float32"], describe(view=view), author="tests"))
    return path


def test_the_square_around_the_eyes_is_judged(model: Path, shared_faces: Path, tmp_path: Path) -> None:
    file = sorted((shared_faces / "ffhq-256").iterdir())[0]
    told = detect_files([file], model, "balanced", tmp_path)
    assert told.errors == ()
    (found,) = told.document["pictures"]
    picture = decode(file)
    count, eyes = eyes_in(picture, blazeface_detector())
    assert count == 1
    view = apply_view(parse_view(told.document["detector"]["view"]), picture, eyes)
    output = RUNTIMES["litert"].call(model.read_bytes(), view[np.newaxis])
    assert found["probability"] == float(output.scores[0, 1])
    with Image.open(found["overlay"]) as overlay:
        assert overlay.width == 640


def test_of_two_faces_the_larger_is_judged_and_told(model: Path, shared_faces: Path, tmp_path: Path) -> None:
    files = sorted((shared_faces / "ffhq-256").iterdir())[:2]
    both = Image.new("RGB", (512, 256))
    for place, file in enumerate(files):
        with Image.open(file) as picture:
            both.paste(picture, (256 * place, 0))
    both.save(tmp_path / "both.png")
    told = detect_files([tmp_path / "both.png"], model, "balanced", tmp_path)
    assert told.document["pictures"][0]["notes"][0] == "2 faces were found: the largest one was judged."


def test_a_picture_without_a_face_is_told(model: Path, tmp_path: Path) -> None:
    Image.new("RGB", (160, 120), "teal").save(tmp_path / "wall.png")
    told = detect_files([tmp_path / "wall.png"], model, "balanced", tmp_path)
    assert told.lines == ()
    assert "wall.png shows no face that could be found" in told.errors[0]
    assert [path.name for path in tmp_path.iterdir()] == ["wall.png"]


@pytest.mark.parametrize("unclear", ["centre", "keep"])
def test_without_a_face_the_rule_of_training_holds(
    tiny: Tiny, describe: Describe, unclear: str, tmp_path: Path
) -> None:
    described = describe(view="upright|face(2.4)|resize(32)", unclear_faces=unclear)
    (tmp_path / "face.tflite").write_bytes(attach(tiny.raw["float32"], described, author="tests"))
    Image.linear_gradient("L").convert("RGB").resize((160, 120)).save(tmp_path / "wall.png")
    told = detect_files([tmp_path / "wall.png"], tmp_path / "face.tflite", "balanced", tmp_path)
    (found,) = told.document["pictures"]
    assert found["notes"][0] == "No face was found: the square in the middle was judged, as in training."
    view = apply_view(parse_view("upright|square|resize(32)"), decode(tmp_path / "wall.png"))
    output = RUNTIMES["litert"].call((tmp_path / "face.tflite").read_bytes(), view[np.newaxis])
    assert found["probability"] == float(output.scores[0, 1])
