"""Augmentation: what a setting promises to leave alone stays as it was, and chance comes from the generator alone."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.fit.augment import augment, mix_up
from train.recipe import Augment

NOTHING = Augment(flip=0.0)
_OFTEN: dict[str, Any] = dict.fromkeys(("rotate", "stretch", "zoom", "brightness", "contrast", "saturation"), 0.5)
_OFTEN |= dict.fromkeys(("channel_shift", "rescale", "sharpen", "blur", "noise", "jpeg", "erase"), 0.8)
EVERYTHING = Augment(**_OFTEN, crop=0.6, crop_probability=0.7, rescale_times=3, jpeg_quality=(40, 60))


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


KINDS: tuple[str, ...] = ("rotate", "stretch", "zoom", "brightness", "contrast", "saturation", "channel_shift")
KINDS += ("rescale", "sharpen", "blur", "noise", "jpeg", "erase")


SETTINGS: list[dict[str, Any]] = [{kind: 1.0, "blur_sigma": 5.0} for kind in KINDS]
SETTINGS += [{"crop": 0.5}, {"rescale": 1, "rescale_times": 4}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_augmentation_changes_the_picture(settings: dict[str, Any]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    assert not np.array_equal(augment(noise, Augment(flip=0, **settings), np.random.default_rng(4)), noise)


def test_what_is_switched_off_draws_no_chance() -> None:
    random, five = np.random.default_rng(8), np.random.default_rng(8)
    augment(_picture(5), Augment(), random)
    # Flip, rescale, blur, jpeg and erase have drawn theirs since the first recipes: their runs have to go on exactly.
    five.random(5)
    assert random.random() == five.random()


@pytest.mark.parametrize(("probability", "least", "most"), [(0.3, 60, 125), (0.9, 250, 290)])
@pytest.mark.parametrize("kind", ["rotate", "stretch", "zoom", "brightness", "noise", "sharpen"])
def test_probabilities_are_those_of_the_recipe(kind: str, probability: float, least: int, most: int) -> None:
    chosen: dict[str, Any] = {kind: probability}
    settings = Augment(flip=0, **chosen)
    picture = np.random.default_rng(3).integers(60, 200, (24, 24, 3), dtype=np.uint8)
    changed = [
        not np.array_equal(augment(picture, settings, np.random.default_rng(seed)), picture) for seed in range(300)
    ]
    # Within four standard deviations of 300 draws.
    assert least <= sum(changed) <= most


def test_a_rotation_by_scipy_s_reckoning() -> None:
    from scipy.ndimage import rotate

    smooth = cv2.GaussianBlur(np.random.default_rng(6).integers(0, 256, (65, 65, 3), dtype=np.uint8), (0, 0), 3)
    settings = Augment(flip=0, rotate=1.0, rotate_degrees=30)
    chance = np.random.default_rng(9)
    turned = augment(smooth, settings, chance)
    again = np.random.default_rng(9)
    assert again.random() < 1
    angle = again.uniform(-30, 30)
    expected = [
        np.abs(rotate(smooth.astype(float), sign * angle, reshape=False, order=1, mode="mirror") - turned).max()
        for sign in (1, -1)
    ]
    assert min(expected) < 3
    assert max(expected) > 10


def test_strengths_bound_what_happens() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    bright, shifted = (
        Augment(flip=0, brightness=1, brightness_by=0.25),
        Augment(flip=0, channel_shift=1, channel_shift_by=7),
    )
    for seed in range(40):
        assert 80 <= augment(grey, bright, np.random.default_rng(seed)).mean() <= 125
        moved = augment(grey, shifted, np.random.default_rng(seed)).astype(int) - 100
        assert np.abs(moved).max() <= 7
    assert np.ptp(moved.reshape(-1, 3), axis=0).tolist() == [0, 0, 0]


def test_zoom_and_stretch_keep_the_middle() -> None:
    dot = np.zeros((33, 33, 3), np.uint8)
    dot[14:19, 14:19] = 255
    for settings in (Augment(flip=0, zoom=1), Augment(flip=0, stretch=1, stretch_by=0.5), Augment(flip=0, rotate=1)):
        mass = augment(dot, settings, np.random.default_rng(1))[:, :, 0].astype(float)
        rows, columns = np.mgrid[:33, :33]
        middle = (mass * rows).sum() / mass.sum(), (mass * columns).sum() / mass.sum()
        assert middle == pytest.approx((16, 16), abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_mixup_blends_pictures_and_their_losses(seed: int) -> None:
    random = np.random.default_rng(seed)
    views = random.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8)
    is_fake = np.array([1, 0, 1, 0, 0, 1], np.float32)
    weights = random.uniform(0.5, 2, 6).astype(np.float32)
    settings = Augment(mixup=1.0, mixup_alpha=0.4)
    mixed, labels, mixed_weights = mix_up(views, is_fake, weights, settings, np.random.default_rng(seed))
    # Zhang et al. 2018, algorithm 1: a share of Beta(a, a) and a permutation, drawn in this order.
    chance = np.random.default_rng(seed)
    assert chance.random() < 1
    share, partner = chance.beta(0.4, 0.4), chance.permutation(6)
    assert np.abs(mixed - (share * views + (1 - share) * views[partner])).max() <= 0.501
    logits = random.normal(size=6)

    def loss(target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return weight * (np.logaddexp(0, logits) - target * logits)

    blended = share * loss(is_fake, weights) + (1 - share) * loss(is_fake[partner], weights[partner])
    assert loss(labels, mixed_weights) == pytest.approx(blended, rel=1e-5)


def test_without_mixup_a_batch_stays_as_it_is() -> None:
    views, labels = np.zeros((2, 4, 4, 3), np.uint8), np.ones(2, np.float32)
    assert mix_up(views, labels, labels, NOTHING, np.random.default_rng(0))[0] is views
    rarely = [mix_up(views, labels, labels, Augment(mixup=0.3), np.random.default_rng(seed))[0] for seed in range(300)]
    assert 60 <= sum(one is not views for one in rarely) <= 125
