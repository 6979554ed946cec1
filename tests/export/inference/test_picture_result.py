"""Every face of a picture is evaluated by itself; what cannot be evaluated is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.inference.detector import LoadedDetector
from export.inference.picture_result import LARGER, NO_FACE, evaluate_picture
from export.runtimes.interface import Output
from tests.export.conftest import make_description
from train.common.errors import ExportError
from train.image.decode import Picture, decode
from train.image.face_finder.finder import find_in_pixels
from train.image.view import apply_view, parse_view

GOLDEN = Path(__file__).parents[2] / "golden"


def brightness(views: np.ndarray) -> Output:
    """A detector for which P(fake) is how bright the view is."""
    fake = views.mean((1, 2, 3)).astype(np.float32) / 255
    return Output(np.stack([1 - fake, fake], axis=1), np.zeros((len(views), 8, 8), np.float32))


def detector(view: str) -> LoadedDetector:
    parsed = parse_view(view)
    return LoadedDetector(make_description(view=view, size=parsed.size), parsed, brightness)


def picture_of(pixels: np.ndarray) -> Picture:
    return Picture(pixels, 1, "PNG", None, ())


@pytest.fixture(scope="module")
def group() -> Picture:
    return decode(GOLDEN / "face_finder" / "group.png")


def test_each_face_is_evaluated_in_its_own_square_and_the_worst_is_named(group: Picture) -> None:
    eyes = [face.eyes for face in find_in_pixels(group.pixels)]
    assert len(eyes) >= 2
    looking = detector("upright|face(2.8)|resize(32)")
    found = evaluate_picture(looking, group, "group.png")
    assert found.face_found
    assert [face.eyes for face in found.faces] == eyes
    assert [face.number for face in found.faces] == [*range(1, len(eyes) + 1)]
    for face in found.faces:
        assert face.verdict is not None
        np.testing.assert_array_equal(face.verdict.view, apply_view(looking.view, group, face.eyes))
        assert face.verdict.probability == pytest.approx(face.verdict.view.mean() / 255, abs=1e-6)
    assert found.worst in found.faces
    highest = max(face.verdict.probability for face in found.faces if face.verdict)
    assert found.worst and found.worst.verdict and found.worst.verdict.probability == highest


def test_a_square_is_what_the_view_shows(group: Picture) -> None:
    coordinates = np.zeros_like(group.pixels)
    coordinates[..., 0] = (np.arange(group.pixels.shape[1]) // 4)[np.newaxis]
    coordinates[..., 1] = (np.arange(group.pixels.shape[0]) // 4)[:, np.newaxis]
    found = evaluate_picture(detector("upright|face(2.8)|resize(32)"), group, "group.png")
    for face in found.faces:
        assert face.square is not None
        left, top, right, bottom = (int(edge) for edge in face.square)
        assert right - left == bottom - top
        own = parse_view(f"upright|face(2.8)|resize({right - left})")
        shown = apply_view(own, picture_of(coordinates), face.eyes)
        np.testing.assert_array_equal(shown, coordinates[top:bottom, left:right])


def test_without_a_face_the_centre_square_is_evaluated_and_said_first() -> None:
    pixels = np.full((90, 120, 3), 10, np.uint8)
    pixels[:, 15:105] = 200
    found = evaluate_picture(detector("upright|face(2.8)|resize(32)"), picture_of(pixels), "wall.png")
    assert (found.face_found, found.notes) == (False, (NO_FACE,))
    (face,) = found.faces
    assert (face.square, face.eyes) == ((15.0, 0.0, 105.0, 90.0), None)
    assert face.verdict is not None
    assert (face.verdict.view == 200).all()


def test_faces_below_half_of_the_view_are_too_small(group: Picture) -> None:
    eyes = [face.eyes for face in find_in_pixels(group.pixels)]
    sides = [int(2.8 * one.distance + 0.5) for one in eyes]
    size = 2 * sides[0]
    found = evaluate_picture(detector(f"upright|face(2.8)|resize({size})"), group, "group.png")
    first, second = found.faces[:2]
    assert first.verdict is not None
    assert "enlarged" in first.verdict.notes[-1]
    assert (second.verdict, second.note) == (None, f"Face 2 is too small to classify: {LARGER}.")
    assert found.worst == first
    assert found.face_found
    none = evaluate_picture(detector("upright|face(2.8)|resize(200)"), group, "group.png")
    assert none.worst is None


def test_eyes_are_looked_for_in_the_upright_picture(group: Picture) -> None:
    turned = replace(group, pixels=np.ascontiguousarray(np.rot90(group.pixels)), orientation=6)
    looking = detector("upright|face(2.8)|resize(32)")
    assert [face.square for face in evaluate_picture(looking, turned, "turned").faces] == [
        face.square for face in evaluate_picture(looking, group, "group").faces
    ]


def test_a_detector_without_face_evaluates_its_own_square(group: Picture) -> None:
    found = evaluate_picture(detector("upright|square|resize(32)"), group, "group.png")
    assert (found.face_found, len(found.faces), found.faces[0].square) == (None, 1, None)


def test_a_wrong_operating_point_is_refused_before_anything_is_looked_for() -> None:
    wall = picture_of(np.asarray(Image.new("RGB", (40, 40))))
    with pytest.raises(ExportError, match="Unknown operating point 'strict'"):
        evaluate_picture(detector("upright|face(2.8)|resize(32)"), wall, "wall.png", operating_point="strict")
