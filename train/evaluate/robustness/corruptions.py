"""What happens to pictures in the world, one thing at a time: compressed, made smaller, blurred, noisy.

For evaluating a trained detector, on whole pictures before the view. What training does to views is in `augment.py`.
"""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from train.common.errors import DataError, TrainError
from train.image.decode import Picture
from train.image.view import Eyes, turn_upright

Kind = Literal["none", "jpeg", "downscale", "blur", "noise"]

# One picture at a time a thread: our own thread pool already keeps the cores busy.
cv2.setNumThreads(1)

_RANGES: Mapping[Kind, tuple[float, float, str]] = {
    "none": (0, 0, "0"),
    "jpeg": (1, 100, "a whole quality from 1 to 100"),
    "downscale": (0.01, 1, "a factor from 0.01 to 1"),
    "blur": (0, 100, "a sigma from 0 to 100 pixels"),
    "noise": (0, 128, "a sigma from 0 to 128 grey levels"),
}
_BAND_ROWS = 64
_LONGEST_JPEG = 65_500
"""libjpeg's JPEG_MAX_DIMENSION (jmorecfg.h)."""


@dataclass(frozen=True)
class Corruption:
    """One kind of corruption at one strength; `blur(0)`, `noise(0)`, `downscale(1)` and `none` change nothing.

    jpeg: the quality on libjpeg's scale, chroma 4:2:0. downscale: the factor of both sides, by Pillow's antialiased
    BICUBIC. blur: sigma of a Gaussian, in pixels of the file. noise: sigma of Gaussian noise added to each channel of
    each pixel, in grey levels of 0..255. Raises TrainError for a strength that there is not.
    """

    kind: Kind
    strength: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in _RANGES:
            raise TrainError(f"Unknown corruption {self.kind!r}: choose one of {', '.join(_RANGES)}.")
        low, high, demand = _RANGES[self.kind]
        whole = self.kind != "jpeg" or float(self.strength).is_integer()
        if not (low <= self.strength <= high and whole):
            raise TrainError(f"The strength of {self.kind} is {self.strength:g} and must be {demand}.")

    @property
    def text(self) -> str:
        """Kind and strength as a table names them, for instance `jpeg(50)`."""
        return "none" if self.kind == "none" else f"{self.kind}({self.strength:g})"

    @property
    def words(self) -> str:
        """The same for people."""
        return {
            "none": "as it is",
            "jpeg": f"JPEG quality {self.strength:g}",
            "downscale": f"downscaled to {100 * self.strength:g}\N{NO-BREAK SPACE}%",
            "blur": f"blurred, sigma {self.strength:g}\N{NO-BREAK SPACE}px",
            "noise": f"noise, sigma {self.strength:g}",
        }[self.kind]


UNCORRUPTED = Corruption("none")

STANDARD = (
    *(Corruption("jpeg", quality) for quality in (95, 75, 50, 30)),
    *(Corruption("downscale", factor) for factor in (0.5, 0.25)),
    *(Corruption("blur", sigma) for sigma in (1, 2)),
    *(Corruption("noise", sigma) for sigma in (5, 10)),
)
"""Mild to strong within a kind: what messengers, thumbnails, soft focus and dim light do."""

SETS: Mapping[str, tuple[Corruption, ...]] = {"none": (), "standard": STANDARD}
"""What `fauxlens evaluate --robustness` knows by name."""


def corrupt(corruption: Corruption, picture: Picture, eyes: Eyes | None, seed: int) -> tuple[Picture, Eyes | None]:
    """Corrupt a decoded picture; eyes, in its upright pixels, move with it.

    `seed` alone decides the noise, and noise of twice the strength is twice the same noise. Nothing else is by chance.
    """
    strength, pixels = corruption.strength, picture.pixels
    match corruption.kind:
        case "jpeg":
            return replace(picture, pixels=_compress(pixels, int(strength))), eyes
        case "downscale" if strength < 1:
            return _shrink(picture, eyes, strength)
        case "blur" if strength > 0:
            return replace(picture, pixels=cv2.GaussianBlur(pixels, (0, 0), strength)), eyes
        case "noise" if strength > 0:
            return replace(picture, pixels=_add_noise(pixels, strength, seed)), eyes
    return picture, eyes


def _compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    if max(pixels.shape[:2]) > _LONGEST_JPEG:
        raise DataError(f"JPEG cannot have a side of {max(pixels.shape[:2])} pixels: leave this picture out.")
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(data).convert("RGB"))


def _shrink(picture: Picture, eyes: Eyes | None, factor: float) -> tuple[Picture, Eyes | None]:
    height, width = picture.pixels.shape[:2]
    size = tuple(max(1, math.floor(side * factor + 0.5)) for side in (width, height))
    image = Image.fromarray(picture.pixels).resize(size, Image.Resampling.BICUBIC, reducing_gap=None)
    smaller = replace(picture, pixels=np.asarray(image))
    if eyes is None:
        return smaller, None
    old, new = (turn_upright(one.pixels, one.orientation).shape for one in (picture, smaller))
    across, down = new[1] / old[1], new[0] / old[0]
    # Sides are rounded to pixels, so the two factors differ a little; nobody knows how the line of the eyes lies.
    return smaller, Eyes(eyes.x * across, eyes.y * down, eyes.distance * math.sqrt(across * down))


def _add_noise(pixels: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    noisy = np.empty_like(pixels)
    # Band by band: a large picture in floating point would take a gigabyte.
    for top in range(0, len(pixels), _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS]
        noise = random.standard_normal(band.shape, np.float32)
        noisy[top : top + _BAND_ROWS] = np.clip(np.rint(band + np.float32(sigma) * noise), 0, 255)
    return noisy
