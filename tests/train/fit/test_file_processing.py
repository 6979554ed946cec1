"""Processing at file size: the same for both classes, decided by its stream, and off where it is switched off."""

import dataclasses
from typing import Literal

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter

from train.fit.file_processing import blend, blend_frequencies, mix_twins, process_square
from train.image.view import resize
from train.recipe import FileProcessing

OFF = FileProcessing(zoom=0, shift=0, border=0, flip=0, rescale=0, sharpen=0, blur=0, colour=0, grey=0, noise=0, jpeg=0)


@pytest.fixture
def square() -> np.ndarray:
    ramp = np.linspace(0, 255, 120)
    waves = 40 * np.sin(np.arange(120) / 3)
    planes = (ramp[:, None] + waves[None], ramp[None] + waves[:, None], np.full((120, 120), 90.0))
    return np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)


def test_with_everything_off_it_is_the_view(square: np.ndarray) -> None:
    seen = process_square(square, 0.8, 64, OFF, np.random.default_rng(1))
    assert np.array_equal(seen, resize(np.ascontiguousarray(square[12:108, 12:108]), 64))


@pytest.mark.parametrize(
    "step",
    ["border", "flip", "rescale", "sharpen", "blur", "colour", "grey", "noise", "jpeg"],
)
def test_every_step_does_something_and_its_stream_decides_what(square: np.ndarray, step: str) -> None:
    settings = TypeAdapter(FileProcessing).validate_python({**dataclasses.asdict(OFF), step: 1.0})
    plain = process_square(square, 0.8, 64, OFF, np.random.default_rng(1))
    one, again = (process_square(square, 0.8, 64, settings, np.random.default_rng(7)) for _ in range(2))
    assert one.shape == (64, 64, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, again)
    assert not np.array_equal(one, plain)


def test_a_native_part_has_the_pixels_of_the_square_as_they_are(square: np.ndarray) -> None:
    native = dataclasses.replace(OFF, native=1.0)
    places = set()
    windows = np.lib.stride_tricks.sliding_window_view(square[12:108, 12:108], (64, 64, 3))[:, :, 0]
    for number in range(20):
        seen = process_square(square, 0.8, 64, native, np.random.default_rng(number))
        found = np.argwhere((windows == seen).all((2, 3, 4)))
        assert len(found) == 1
        places.add(tuple(found[0]))
    assert len(places) > 15


@pytest.mark.parametrize("size", [96, 130])
def test_a_square_no_larger_than_the_view_has_no_native_part(square: np.ndarray, size: int) -> None:
    native, plain = (
        process_square(square, 0.8, size, dataclasses.replace(OFF, native=share), np.random.default_rng(5))
        for share in (1.0, 0.0)
    )
    assert np.array_equal(native, plain)


@pytest.mark.parametrize("side", [9, 40, 130])
def test_small_squares_pass_through_everything(side: int) -> None:
    always = FileProcessing(
        border=1,
        rescale=1,
        sharpen=1,
        blur=1,
        colour=1,
        grey=0.5,
        noise=1,
        jpeg=1,
        jpeg_twice=1,
        native=0.5,
        shift=0.2,
        zoom=0.3,
    )
    square = np.random.default_rng(2).integers(0, 256, (side, side, 3)).astype(np.uint8)
    for number in range(40):
        seen = process_square(square, 0.7, 32, always, np.random.default_rng(number))
        assert seen.shape == (32, 32, 3)


def test_a_grey_picture_stays_grey_under_every_step_but_colour(square: np.ndarray) -> None:
    settings = dataclasses.replace(OFF, grey=1.0, rescale=1.0, sharpen=1.0, blur=1.0)
    seen = process_square(square, 0.8, 64, settings, np.random.default_rng(3))
    assert np.ptp(seen.astype(int), axis=2).max() == 0


def test_a_blend_lies_between_twins(square: np.ndarray) -> None:
    fake = 255 - square
    mixed = blend(square, fake, np.random.default_rng(4)).astype(int)
    assert (mixed >= np.minimum(square, fake)).all()
    assert (mixed <= np.maximum(square, fake)).all()
    assert np.abs(mixed - fake).mean() <= 0.71 * np.abs(square.astype(int) - fake).mean()


@pytest.mark.parametrize("side", [64, 61])
def test_mixed_frequencies_are_the_fakes_below_the_limit_and_the_reals_above(square: np.ndarray, side: int) -> None:
    # Halved contrast, so that no value is clipped.
    noise = np.random.default_rng(0).integers(-40, 40, square.shape)
    real = (square // 2 + 64 + noise).astype(np.uint8)[:side, :side]
    fake = cv2.GaussianBlur(real, (0, 0), 2.0)
    mixed = blend_frequencies(real, fake, np.random.default_rng(4))
    # The cosine transform (DCT-II) by its definition, of squares continued by reflection to a side of small factors.
    whole = {64: 64, 61: 64}[side]
    steps = np.arange(whole)
    cosines = np.cos(np.pi * np.outer(steps, 2 * steps + 1) / (2 * whole)) * (2 / whole) ** 0.5
    cosines[0] *= 0.5**0.5
    around = [(0, whole - side), (0, whole - side), (0, 0)]
    spectra = (cosines @ np.pad(one.astype(float), around, "symmetric").T @ cosines.T for one in (real, fake))
    of_real, of_fake = spectra
    limit = np.random.default_rng(4).uniform(0.3, 0.9)
    together = np.where(np.hypot(steps[:, None], steps) <= whole * limit, of_fake, of_real)
    expected = (cosines.T @ together @ cosines).T[:side, :side]
    # Half a level by rounding, and what floats add.
    assert np.abs(mixed - expected).max() < 0.51
    assert np.abs(fake - expected).mean() > 2
    assert np.abs(real - expected).mean() > 2


def test_twins_are_mixed_as_the_recipe_says(square: np.ndarray) -> None:
    fake = cv2.GaussianBlur(square, (0, 0), 2.0)

    def mixed(how: Literal["pixels", "frequencies", "both"], seed: int) -> np.ndarray:
        return mix_twins(square, fake, how, np.random.default_rng(seed))

    np.testing.assert_array_equal(mixed("pixels", 1), blend(square, fake, np.random.default_rng(1)))
    np.testing.assert_array_equal(mixed("frequencies", 1), blend_frequencies(square, fake, np.random.default_rng(1)))
    assert not np.array_equal(mixed("pixels", 1), mixed("frequencies", 1))
    assert len({mixed("both", seed).tobytes() for seed in range(4)}) == 4
