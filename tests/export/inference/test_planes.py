"""What a detector's backbone looks at, drawn: the same array that training gives it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ela.front_ends import parse_front_end
from export.inference.planes import draw_planes, preprocessing_of
from train.common.errors import ExportError
from train.image.decode import Picture
from train.image.view import Eyes, apply_view, parse_view

if TYPE_CHECKING:
    from tests.export.conftest import Describe


@pytest.fixture
def picture() -> Picture:
    """A smooth picture with some noise, that lies on its side."""
    rng = np.random.default_rng(4)
    smooth = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((130, 90))
    noisy = np.clip(np.asarray(smooth) + rng.normal(0, 3, (90, 130, 3)), 0, 255).astype(np.uint8)
    return Picture(noisy, 6, "JPEG", 90, ())


def test_the_planes_of_ela_are_those_pillow_gives_for_the_view(describe: Describe, picture: Picture) -> None:
    preprocessing = preprocessing_of(describe(front_end="ela(80,444,x20)"), "d.tflite")
    view = apply_view(parse_view(describe().view), picture)
    coded = io.BytesIO()
    Image.fromarray(view).save(coded, "JPEG", quality=80, subsampling=0)
    difference = np.abs(view.astype(int) - np.asarray(Image.open(coded)).astype(int))
    assert difference.any()
    np.testing.assert_array_equal(draw_planes(preprocessing, picture), np.minimum(20 * difference, 255))
    assert preprocessing.parts == ("ela(80,444,x20)",)


@pytest.mark.parametrize("text", ["rgb", "npr", "srm", "rgb+ela", "ela+rgb+npr(x3)"])
def test_parts_stand_side_by_side_in_their_order(text: str, describe: Describe, picture: Picture) -> None:
    preprocessing = preprocessing_of(describe(front_end=text), "d.tflite")
    view = apply_view(parse_view(describe().view), picture)[np.newaxis]
    each = [parse_front_end(part).planes(view)[0] for part in text.split("+")]
    drawn = draw_planes(preprocessing, picture)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, np.concatenate(each, axis=1))
    assert preprocessing.parts == tuple(parse_front_end(part).text for part in text.split("+"))


def test_a_view_with_a_face_is_that_of_the_eyes(describe: Describe, picture: Picture) -> None:
    view = "upright|face(2.4)|resize(32)"
    preprocessing = preprocessing_of(describe(front_end="rgb+ela", view=view), "d.tflite")
    eyes = Eyes(40.0, 60.0, 20.0)
    drawn = draw_planes(preprocessing, picture, eyes)
    np.testing.assert_array_equal(drawn[:, :32], apply_view(parse_view(view), picture, eyes))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"front_end": "fft"}, "'fft' is not known: give one of rgb, ela"),
        ({"front_end": "ela(0)"}, "quality 0 is out of range: give a whole number from 1 to 100"),
        ({"front_end": "ela", "view": "upright|square|resize(40)"}, "multiple of 16"),
        ({"view": "sideways|resize(32)"}, "sideways"),
    ],
)
def test_what_this_fauxlens_cannot_follow_is_named(changes: dict[str, str], words: str, describe: Describe) -> None:
    with pytest.raises(ExportError) as told:
        preprocessing_of(describe(**changes), "d.tflite")
    assert "d.tflite" in str(told.value)
    assert words in str(told.value)
