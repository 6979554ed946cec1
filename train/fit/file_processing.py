"""What a picture meets before somebody has it evaluated, at its file's own size: the same chances for real and fake.

A detector learns whatever tells the classes of its training set apart, and size, sharpness and compression do so first
(Grommelt et al., "Fake or JPEG?", 2024; Rajan et al., ICLR 2025). Here both classes get every sharpness, every kernel
and every quality, and only then the view reduces them.
"""

import cv2
import numpy as np
from scipy import fft

from train.fit.picture_operations import (
    LUMA,
    add_noise,
    map_levels,
    resize_by_random_kernel,
    saturate,
    save_as_jpeg,
    sharpen,
)
from train.image.view import resize
from train.recipe_pictures import FileProcessing, MixBy

_SUBSAMPLINGS = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
)
_LEAST = 32
"""Pixels a side below which nothing is reduced."""


def process_square(
    square: np.ndarray, shown: float, size: int, settings: FileProcessing, random: np.random.Generator
) -> np.ndarray:
    """Take a square uint8 [Q, Q, 3] through chance and the view's resize: uint8 [size, size, 3].

    shown: the share of the square's side that the view sees; all chance comes from `random`. Squares of one size and
    the same state of `random` meet exactly the same.
    """
    picture = _window(square, shown, settings, random)
    if random.random() < settings.border:
        picture = _bordered(picture, random)
    if random.random() < settings.flip:
        picture = picture[:, ::-1]
    if random.random() < settings.rescale:
        picture = _rescaled(picture, settings, random)
    if random.random() < settings.sharpen:
        picture = sharpen(picture, random.uniform(0.2, settings.sharpen_amount), random.uniform(0.5, 1.5))
    if random.random() < settings.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.2, settings.blur_sigma))
    if random.random() < settings.colour:
        picture = _coloured(picture, random)
    if random.random() < settings.grey:
        picture = np.repeat((picture @ LUMA + 0.5).astype(np.uint8)[..., None], 3, axis=2)
    if random.random() < settings.noise:
        picture = add_noise(picture, random.uniform(0.5, settings.noise_sigma), random)
    if random.random() < settings.jpeg:
        picture = _saved(picture, settings, random)
        if random.random() < settings.jpeg_twice:
            top, left = random.integers(0, 8, 2)
            picture = _saved(picture[top:, left:], settings, random)
    # No chance is drawn where the key is 0, so that older recipes meet the same.
    if settings.native and min(picture.shape[:2]) > size and random.random() < settings.native:
        picture = _cut(picture, size, random)
    return np.ascontiguousarray(resize(np.ascontiguousarray(picture), size))


def mix_twins(real: np.ndarray, fake: np.ndarray, mix_by: MixBy, random: np.random.Generator) -> np.ndarray:
    """Mix a reconstruction with its original, uint8 [Q, Q, 3] each, as `sampling.mix_by` says."""
    if mix_by == "pixels" or (mix_by == "both" and random.random() < 0.5):
        return blend(real, fake, random)
    return blend_frequencies(real, fake, random)


def blend(real: np.ndarray, fake: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blend a reconstruction with its original, uint8 [H, W, 3] each; at least three tenths of the former stay."""
    share = random.uniform(0.3, 1.0)
    return cv2.addWeighted(fake, share, real, 1 - share, 0)


def blend_frequencies(real: np.ndarray, fake: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Keep a reconstruction's frequencies up to a random limit and take those above from its original, uint8 [Q, Q, 3].

    An autoencoder loses fine detail, and a detector that learns "no fine detail" misses generators that have it (Chen
    et al., "Dual Data Alignment", NeurIPS 2025, which mixes frequencies of the cosine transform, too). The limit is 0.3
    to 0.9 of the highest frequency along a side.
    """
    rows, columns = real.shape[:2]
    height, width = (fft.next_fast_len(side, real=True) for side in (rows, columns))
    squares = [np.square(np.arange(side, dtype=np.float32) / side) for side in (height, width)]
    kept = (np.add.outer(*squares) <= np.float32(random.uniform(0.3, 0.9) ** 2)).astype(np.float32)
    planes = []
    for one, other in zip(cv2.split(fake), cv2.split(real), strict=True):
        # One transform of the difference for two of the pictures; continued by reflection, as the transform does.
        apart = cv2.subtract(one, other, dtype=cv2.CV_32F)
        apart = cv2.copyMakeBorder(apart, 0, height - rows, 0, width - columns, cv2.BORDER_REFLECT)
        moved = fft.idctn(fft.dctn(apart, overwrite_x=True) * kept, overwrite_x=True)[:rows, :columns]
        planes.append(cv2.add(other, moved, dtype=cv2.CV_8U))
    return cv2.merge(planes)


def _window(square: np.ndarray, shown: float, settings: FileProcessing, random: np.random.Generator) -> np.ndarray:
    whole = len(square)
    side = min(whole, max(8, round(whole * shown * random.uniform(1 - settings.zoom, 1 + settings.zoom))))
    middle = (whole - side) / 2 + whole * shown * random.uniform(-settings.shift, settings.shift, 2)
    top, left = np.clip(np.round(middle), 0, whole - side).astype(int)
    return square[top : top + side, left : left + side]


def _cut(picture: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    top, left = (int(random.integers(side - size + 1)) for side in picture.shape[:2])
    return picture[top : top + size, left : left + size]


def _bordered(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    turns = int(random.integers(4))
    turned = np.rot90(picture, turns)
    kept = round(len(turned) * random.uniform(0.75, 1.0))
    rows = np.minimum(np.arange(len(turned)), kept - 1)
    return np.rot90(turned[rows], -turns)


def _rescaled(picture: np.ndarray, settings: FileProcessing, random: np.random.Generator) -> np.ndarray:
    before = len(picture)
    low, high = sorted(settings.rescale_to)
    after = max(min(_LEAST, before), round(before * float(np.exp(random.uniform(np.log(low), np.log(high))))))
    picture = resize_by_random_kernel(picture, after, random)
    return resize_by_random_kernel(picture, before, random) if random.random() < 0.5 else picture


def _coloured(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    gamma, contrast = np.exp(random.uniform(-0.25, 0.25, 2))
    shift, saturation = random.uniform(-20, 20), random.uniform(0.6, 1.4)
    balance = np.exp(random.uniform(-0.06, 0.06, 3))
    levels = 255 * (np.arange(256)[:, None] / 255) ** gamma
    picture = map_levels(picture, ((levels - 128) * contrast + 128 + shift) * balance)
    return saturate(picture, saturation)


def _saved(picture: np.ndarray, settings: FileProcessing, random: np.random.Generator) -> np.ndarray:
    low, high = sorted(settings.jpeg_quality)
    quality, sampling = int(random.integers(low, high + 1)), int(random.integers(len(_SUBSAMPLINGS)))
    return save_as_jpeg(picture, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SUBSAMPLINGS[sampling])
