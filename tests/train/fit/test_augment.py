"""Augmentation: what a setting promises to leave alone stays as it was, and chance comes from the generator alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.fit.augment import augment
from train.recipe import Augment

NOTHING = Augment(flip=0.0)
EVERYTHING = Augment(flip=0.5, crop=0.6, rescale=1.0, blur=1.0, jpeg=1.0, jpeg_quality=(40, 60))


def _picture(seed: int, size: int = 48) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((size // 6, size // 6, 1), np.uint8))


@given(st.integers(0, 1000))
def test_zeros_change_nothing(seed: int) -> None:
    picture = _picture(seed)
    assert np.array_equal(augment(picture, NOTHING, np.random.default_rng(seed)), picture)


@given(st.integers(0, 1000))
def test_the_generator_alone_decides(seed: int) -> None:
    picture = _picture(1)
    first = augment(picture, EVERYTHING, np.random.default_rng(seed))
    assert np.array_equal(first, augment(picture, EVERYTHING, np.random.default_rng(seed)))
    assert first.shape == picture.shape
    assert first.dtype == np.uint8


def test_flip_is_a_mirror() -> None:
    picture = _picture(2)
    assert np.array_equal(augment(picture, Augment(flip=1.0), np.random.default_rng(0)), picture[:, ::-1])


def test_jpeg_keeps_the_colours_in_their_channels() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    out = augment(red, Augment(flip=0.0, jpeg=1.0, jpeg_quality=(90, 95)), np.random.default_rng(0))
    assert np.abs(out.astype(int) - red).max() <= 6


@pytest.mark.parametrize(
    "settings", [Augment(flip=0, rescale=1), Augment(flip=0, blur=1, blur_sigma=5), Augment(flip=0, crop=0.5)]
)
def test_each_augmentation_changes_the_picture(settings: Augment) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    assert not np.array_equal(augment(noise, settings, np.random.default_rng(4)), noise)
