"""Corruptions: what each promises, compared with OpenCV, SciPy and counting."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from train.common.errors import DataError, TrainError
from train.evaluate.robustness.corruptions import STANDARD, UNCORRUPTED, Corruption, corrupt
from train.image.decode import Picture
from train.image.view import Eyes, apply_view, parse_view, turn_upright

NOTHING = (UNCORRUPTED, Corruption("downscale", 1), Corruption("blur", 0), Corruption("noise", 0))


def textured(height: int, width: int, seed: int = 0, orientation: int = 1) -> Picture:
    """Patches and fine grain, far from black and white."""
    random = np.random.default_rng(seed)
    patches = random.uniform(80, 170, (-(-height // 8), -(-width // 8), 3)).repeat(8, 0).repeat(8, 1)
    grain = random.normal(0, 10, (height, width, 3))
    return Picture((patches[:height, :width] + grain).astype(np.uint8), orientation, "PNG", None, ())


def pixels_of(corruption: Corruption, picture: Picture, seed: int = 3) -> np.ndarray:
    return corrupt(corruption, picture, None, seed)[0].pixels


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 8), st.integers(0, 2**64 - 1))
def test_strength_zero_changes_nothing(height: int, width: int, orientation: int, seed: int) -> None:
    picture, eyes = textured(height, width, orientation=orientation), Eyes(0.4, 0.6, 1.5)
    for corruption in NOTHING:
        assert corrupt(corruption, picture, eyes, seed) == (picture, eyes)


@pytest.mark.parametrize("corruption", STANDARD, ids=lambda one: one.text)
def test_the_seed_alone_decides_and_something_changes(corruption: Corruption) -> None:
    picture = textured(50, 70)
    before = picture.pixels.copy()
    one, again, other = (pixels_of(corruption, picture, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.array_equal(one, other) == (corruption.kind != "noise")
    assert one.dtype == np.uint8
    assert not np.array_equal(one, before)
    assert np.array_equal(picture.pixels, before)


@pytest.mark.parametrize("kind", ["jpeg", "downscale", "blur", "noise"])
def test_stronger_within_a_kind_is_further_away(kind: str) -> None:
    picture = textured(64, 64)
    away = []
    for one in (one for one in STANDARD if one.kind == kind):
        changed = pixels_of(one, picture)
        back = cv2.resize(changed, (64, 64), interpolation=cv2.INTER_LINEAR)
        away.append(float(np.abs(back.astype(int) - picture.pixels).mean()))
    assert away == sorted(away)
    assert away[0] > 0


@pytest.mark.parametrize("quality", [95, 75, 50, 30])
@pytest.mark.parametrize("size", [(48, 64), (45, 31)])
def test_jpeg_is_that_of_opencv(quality: int, size: tuple[int, int]) -> None:
    picture = textured(*size)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture.pixels[:, :, ::-1]), settings)
    expected = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1]
    # OpenCV may carry another libjpeg, whose rounding differs.
    assert np.abs(pixels_of(Corruption("jpeg", quality), picture).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("sigma", [0.7, 1, 2, 4.5])
def test_blur_is_that_of_scipy(sigma: float) -> None:
    picture = textured(60, 40)
    expected = gaussian_filter(picture.pixels.astype(float), (sigma, sigma, 0), mode="mirror", truncate=4)
    assert np.abs(pixels_of(Corruption("blur", sigma), picture) - expected).max() <= 1.5


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.3])
def test_downscaling_averages_like_opencv(factor: float) -> None:
    picture = textured(96, 120)
    small = pixels_of(Corruption("downscale", factor), picture)
    height, width = round(96 * factor), round(120 * factor)
    assert small.shape == (height, width, 3)
    expected = cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA)
    # Another kernel, so edges differ; without antialiasing the grain alone would make a difference of 8.
    assert np.abs(small.astype(int) - expected).mean() < 4


def test_downscaling_leaves_a_pixel() -> None:
    assert pixels_of(Corruption("downscale", 0.25), textured(1, 3)).shape == (1, 1, 3)


def test_noise_has_the_sigma_it_says_and_never_repeats() -> None:
    grey = Picture(np.full((300, 200, 3), 128, np.uint8), 1, "PNG", None, ())
    five, ten = (pixels_of(Corruption("noise", sigma), grey).astype(float) - 128 for sigma in (5, 10))
    # Rounding to grey levels adds 1/12.
    assert five.var() == pytest.approx(25 + 1 / 12, rel=0.02)
    assert ten.var() == pytest.approx(100 + 1 / 12, rel=0.02)
    assert abs(five.mean()) < 0.05
    assert np.abs(ten - 2 * five).max() <= 1.5
    correlation = np.corrcoef(five.reshape(-1, 3).T)
    assert np.abs(correlation - np.eye(3)).max() < 0.02
    for shift in (1, 32, 64, 128):
        assert abs(np.corrcoef(five[shift:].ravel(), five[:-shift].ravel())[0, 1]) < 0.02


def test_noise_stays_between_black_and_white() -> None:
    picture = Picture(np.array([[[0, 255, 0]] * 50] * 50, np.uint8), 1, "PNG", None, ())
    noisy = pixels_of(Corruption("noise", 10), picture)
    assert noisy[..., [0, 2]].max() < 80
    assert noisy[..., 1].min() > 175


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("factor", [0.5, 0.25, 0.33])
def test_eyes_move_with_the_picture(orientation: int, factor: float) -> None:
    upright = np.zeros((121, 161, 3), np.uint8)
    upright[37:44, 89:96] = 255
    # The orientation that undoes another one is itself, but for the two quarter turns.
    stored = np.ascontiguousarray(turn_upright(upright, {6: 8, 8: 6}.get(orientation, orientation)))
    picture, eyes = Picture(stored, orientation, "PNG", None, ()), Eyes(92.5, 40.5, 30.0)
    assert np.array_equal(turn_upright(stored, orientation), upright)
    small, moved = corrupt(Corruption("downscale", factor), picture, eyes, 0)
    assert moved is not None
    light = turn_upright(small.pixels, small.orientation)[..., 0].astype(float)
    rows, columns = np.indices(light.shape) + 0.5
    assert (columns * light).sum() / light.sum() == pytest.approx(moved.x, abs=0.3)
    assert (rows * light).sum() / light.sum() == pytest.approx(moved.y, abs=0.3)
    assert moved.distance == pytest.approx(30 * factor, rel=0.02)


def test_a_face_view_of_a_smaller_picture_shows_the_same() -> None:
    view = parse_view("upright|face(2.4)|resize(32)")
    picture, eyes = textured(200, 240), Eyes(110.0, 90.0, 40.0)
    before = apply_view(view, picture, eyes).astype(int)
    after = apply_view(view, *corrupt(Corruption("downscale", 0.5), picture, eyes, 0))
    elsewhere = np.abs(apply_view(view, picture, Eyes(90.0, 90.0, 40.0)) - before).mean()
    assert np.abs(after - before).mean() < elsewhere / 3


@pytest.mark.parametrize(
    ("kind", "strength", "word"),
    [
        ("jpeg", 0, "whole quality"),
        ("jpeg", 50.5, "whole quality"),
        ("jpeg", 101, "whole quality"),
        ("downscale", 0, "factor"),
        ("downscale", 1.1, "factor"),
        ("blur", -1, "sigma"),
        ("noise", float("nan"), "sigma"),
        ("none", 1, "must be 0"),
        ("sepia", 1, "choose one of none, jpeg"),
    ],
)
def test_strengths_that_there_are_not_are_refused(kind: str, strength: float, word: str) -> None:
    with pytest.raises(TrainError, match=word):
        Corruption(kind, strength)  # type: ignore[arg-type]


def test_names_are_apart() -> None:
    assert [one.text for one in STANDARD[:5]] == ["jpeg(95)", "jpeg(75)", "jpeg(50)", "jpeg(30)", "downscale(0.5)"]
    assert (
        len({one.text for one in (UNCORRUPTED, *STANDARD)})
        == len({one.words for one in (UNCORRUPTED, *STANDARD)})
        == 11
    )


def test_a_picture_too_long_for_a_jpeg_is_refused() -> None:
    with pytest.raises(DataError, match="side of 65501 pixels"):
        pixels_of(Corruption("jpeg", 75), Picture(np.zeros((1, 65_501, 3), np.uint8), 1, "PNG", None, ()))
    assert pixels_of(Corruption("jpeg", 75), Picture(np.zeros((1, 65_500, 3), np.uint8), 1, "PNG", None, ())).any() == 0
