"""Augmentations of training pictures: what a photo meets on its way through phones, chats and web sites."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from train.fit.picture_operations import (
    add_noise,
    map_levels,
    resize_by_random_kernel,
    saturate,
    save_as_jpeg,
    sharpen,
)
from train.recipe_pictures import Augment

_LEAST = 8
"""Pixels a side below which nothing is cut or reduced."""
_LEVELS = np.arange(256, dtype=np.float64)[:, None]


def augment(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    """Augment one view: uint8 [S, S, 3] RGB in, the same shape and type out; all chance comes from `random`.

    The order is that of life: the frame is turned and cut, mirrored, edited, resized by sites, sharpened or softened,
    and compressed last. A kind that is switched off draws no chance, so that it does not change what others draw;
    those of the first recipes (flip, rescale, blur, jpeg, erase) draw theirs always, as runs remember it.
    """
    if settings.rotate or settings.stretch or settings.zoom:
        picture = _warped(picture, settings, random)
    if settings.crop < 1 and _happens(settings.crop_probability, random):
        picture = _crop(picture, random.uniform(settings.crop, 1.0), random)
    if random.random() < settings.flip:
        picture = picture[:, ::-1]
    for probability, edit in _edits(settings):
        if probability and random.random() < probability:
            picture = edit(picture, random)
    if random.random() < settings.rescale:
        picture = _rescaled(picture, settings, random)
    if settings.sharpen and random.random() < settings.sharpen:
        picture = sharpen(picture, random.uniform(0.0, settings.sharpen_amount), random.uniform(0.5, 1.5))
    if random.random() < settings.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(min(0.2, settings.blur_sigma), settings.blur_sigma))
    if settings.noise and random.random() < settings.noise:
        picture = add_noise(picture, random.uniform(0.0, settings.noise_sigma), random)
    if random.random() < settings.jpeg:
        low, high = sorted(settings.jpeg_quality)
        picture = save_as_jpeg(picture, int(random.integers(low, high + 1)))
    if random.random() < settings.erase:
        picture = _erase(picture, settings, random)
    return np.ascontiguousarray(picture)


def mix_up(
    views: np.ndarray, is_fake: np.ndarray, weights: np.ndarray, settings: Augment, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blend each picture of a batch with another one of it, and labels and weights with them, or leave all as they are.

    views: uint8 [B, S, S, 3]; is_fake, weights: float32 [B]. One share a batch, as in Zhang et al. (ICLR 2018). With
    the labels and weights that come out, binary cross-entropy is the blend of the losses of the two pictures.
    """
    if not settings.mixup or random.random() >= settings.mixup:
        return views, is_fake, weights
    share = np.float32(random.beta(settings.mixup_alpha, settings.mixup_alpha))
    partner = random.permutation(len(views))
    blended = share * views + (1 - share) * views[partner]
    mixed_weights = share * weights + (1 - share) * weights[partner]
    fake_weights = share * weights * is_fake + (1 - share) * weights[partner] * is_fake[partner]
    return (blended + 0.5).astype(np.uint8), fake_weights / mixed_weights, mixed_weights


def _happens(probability: float, random: np.random.Generator) -> bool:
    return probability == 1 or random.random() < probability


def _factor(by: float, random: np.random.Generator) -> float:
    """A factor between 1 / (1 + by) and 1 + by, as often above 1 as below."""
    return float(np.exp(random.uniform(-1, 1) * np.log1p(by)))


def _warped(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    """Rotate, stretch and zoom around the middle by one interpolation, so that the picture is softened once only."""
    angle, across, down = 0.0, 1.0, 1.0
    if settings.rotate and random.random() < settings.rotate:
        angle = random.uniform(-settings.rotate_degrees, settings.rotate_degrees)
    if settings.stretch and random.random() < settings.stretch:
        side = np.sqrt(_factor(settings.stretch_by, random))
        across, down = side, 1 / side
    if settings.zoom and random.random() < settings.zoom:
        zoom = _factor(settings.zoom_by, random)
        across, down = across * zoom, down * zoom
    if (angle, across, down) == (0.0, 1.0, 1.0):
        return picture
    size = len(picture)
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([across, down])
    middle = np.full(2, (size - 1) / 2)
    matrix = np.column_stack([linear, middle - linear @ middle])
    return cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def _crop(picture: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    size = picture.shape[0]
    side = max(_LEAST, round(size * share))
    top, left = random.integers(0, size - side + 1, 2)
    cut = picture[top : top + side, left : left + side]
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_LINEAR)


_Edit = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _edits(settings: Augment) -> tuple[tuple[float, _Edit], ...]:
    return (
        (settings.brightness, partial(_brightened, settings.brightness_by)),
        (settings.contrast, partial(_contrasted, settings.contrast_by)),
        (settings.saturation, partial(_saturated, settings.saturation_by)),
        (settings.channel_shift, partial(_shifted, settings.channel_shift_by)),
    )


def _brightened(by: float, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return map_levels(picture, np.repeat(np.rint(_LEVELS * _factor(by, random)), 3, axis=1))


def _contrasted(by: float, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    # Around the picture's own mean, so that its brightness stays.
    mean = float(picture.mean())
    return map_levels(picture, np.repeat(np.rint((_LEVELS - mean) * _factor(by, random) + mean), 3, axis=1))


def _saturated(by: float, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return saturate(np.ascontiguousarray(picture), _factor(by, random))


def _shifted(by: float, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return map_levels(picture, np.rint(_LEVELS + random.uniform(-by, by, 3)))


def _rescaled(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    size = len(picture)
    if settings.rescale_times == 1:
        small = max(_LEAST, round(size * random.uniform(settings.rescale_to, 1.0)))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(random.integers(1, settings.rescale_times + 1))):
        side = max(_LEAST, round(size * random.uniform(settings.rescale_to, 1.0)))
        picture = resize_by_random_kernel(picture, side, random)
    return resize_by_random_kernel(picture, size, random)


def _erase(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    size = picture.shape[0]
    low, high = sorted(settings.erase_area)
    area, shape = random.uniform(low, high), np.exp(random.uniform(np.log(0.3), np.log(3.3)))
    height, width = (min(size, max(1, round(size * float(np.sqrt(area * one))))) for one in (shape, 1 / shape))
    top, left = random.integers(0, size - height + 1), random.integers(0, size - width + 1)
    picture = picture.copy()
    picture[top : top + height, left : left + width] = random.integers(0, 256, (height, width, 3), np.uint8)
    return picture
