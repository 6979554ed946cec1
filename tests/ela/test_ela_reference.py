"""What the Pillow reference promises, against a second reading of the definition."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from ela.jpeg import quantisation_tables
from ela.reference import error_level, error_level_picture, picture_gain
from ela.setting import Ela
from train.common.errors import ElaError


def by_definition(pixels: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    coded = io.BytesIO()
    Image.fromarray(pixels).save(coded, "JPEG", quality=quality, subsampling=subsampling)
    return np.abs(pixels.astype(int) - np.asarray(Image.open(coded)).astype(int))


@pytest.mark.parametrize("sampling, subsampling", [("420", 2), ("444", 0)])
@pytest.mark.parametrize("quality", [50, 90])
def test_error_level_is_the_clipped_multiple_of_the_difference(sampling: str, subsampling: int, quality: int) -> None:
    view = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    difference = by_definition(view, quality, subsampling)
    for gain in (1, 15):
        level = error_level(view, Ela(quality, sampling, gain))
        assert level.dtype == np.uint8
        np.testing.assert_array_equal(level, np.minimum(difference * gain, 255))


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_a_picture_of_any_size_is_scaled_to_white_or_stays_black(pixels: np.ndarray) -> None:
    front = Ela()
    difference = by_definition(pixels, 90, 2)
    shown = error_level_picture(pixels, front)
    assert shown.shape == pixels.shape
    assert shown.dtype == np.uint8
    if difference.max() == 0:
        assert shown.max() == 0
        assert picture_gain(pixels, front) == 1
    else:
        assert shown.max() == 255
        np.testing.assert_array_equal(shown, np.rint(difference * picture_gain(pixels, front)))


def test_a_fixed_gain_makes_a_picture_equal_its_view() -> None:
    view = np.random.default_rng(1).integers(0, 256, (48, 48, 3), np.uint8)
    front = Ela(gain=4)
    np.testing.assert_array_equal(error_level_picture(view, front, gain=front.gain), error_level(view, front))


@pytest.mark.parametrize("quality", range(1, 101))
def test_tables_are_those_pillow_writes(quality: int) -> None:
    coded = io.BytesIO()
    Image.new("RGB", (8, 8)).save(coded, "JPEG", quality=quality)
    with Image.open(coded) as opened:
        written = opened.quantization  # type: ignore[attr-defined]
    for ours, theirs in zip(quantisation_tables(quality), (written[0], written[1]), strict=True):
        np.testing.assert_array_equal(ours.ravel(), theirs)


@pytest.mark.parametrize(
    "view, message",
    [
        (np.zeros((32, 32, 3), np.float32), "8-bit pixels: these are float32"),
        (np.zeros((32, 32, 3), np.uint16), "8-bit pixels: these are uint16"),
        (np.zeros((32, 32, 4), np.uint8), r"RGB pixels .*\[32, 32, 4\]"),
        (np.zeros((32, 32), np.uint8), r"RGB pixels .*\[32, 32\]"),
        (np.zeros((32, 48, 3), np.uint8), "square: this one is 48 x 32"),
        (np.zeros((40, 40, 3), np.uint8), "40 pixels does not fit .* multiple of 16"),
        (np.zeros((0, 0, 3), np.uint8), "0 pixels does not fit"),
    ],
)
def test_views_that_cannot_be_analysed_are_named(view: np.ndarray, message: str) -> None:
    with pytest.raises(ElaError, match=message):
        error_level(view, Ela())


@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 65_501, 3)])
def test_pictures_that_cannot_be_a_jpeg_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ElaError, match=f"{shape[1]} x {shape[0]} pixels cannot be a JPEG"):
        error_level_picture(np.zeros(shape, np.uint8), Ela())
