"""Local fakes: a region of the original is replaced by its reconstruction, through a soft mask that is kept.

Regions are ellipses placed by the midpoint of the eyes and their distance d, as views place faces. The proportions are
our choice, after portraits: the chin lies about 1.8 d below the eyes, the mouth 1.1 d, the hair line 0.9 d above.
"""

from typing import Literal, get_args

import numpy as np

from train.common.errors import DataError
from train.image.view import Eyes, turn_upright

Region = Literal["face", "eyes", "mouth", "random"]
REGIONS: tuple[Region, ...] = get_args(Region)
# Centre below the midpoint of the eyes, half width and half height, in distances of the eyes.
_ELLIPSES = {"face": (0.45, 1.05, 1.35), "eyes": (0.0, 0.95, 0.35), "mouth": (1.12, 0.6, 0.38)}
# The mask falls from 1 to 0 between these fractions of the ellipse's radius.
_INNER, _OUTER = 0.85, 1.15
# Half axes of a random region, as fractions of the shorter side.
_RANDOM = (0.1, 0.3)


def parse_region(text: str) -> Region:
    """Return one of REGIONS by its name; DataError for any other."""
    for region in REGIONS:
        if text == region:
            return region
    raise DataError(f"Unknown region {text!r}: choose one of {', '.join(REGIONS)}.")


def region_mask(region: Region, width: int, height: int, eyes: Eyes | None, seed: str) -> np.ndarray:
    """Return what of an upright picture is replaced, uint8 [H, W], 255 where wholly.

    `eyes` are needed but for `random`, whose ellipse lies wholly in the picture and is drawn by `seed` (hexadecimal
    digits).
    """
    if region == "random":
        rng = np.random.default_rng(int(seed[:16], 16))
        across, down = rng.uniform(*_RANDOM, 2) * min(width, height)
        x, y = rng.uniform(across, width - across), rng.uniform(down, height - down)
    else:
        if eyes is None:
            raise ValueError(f"the region {region} needs eyes")
        below, half_width, half_height = _ELLIPSES[region]
        x, y = eyes.x, eyes.y + below * eyes.distance
        across, down = half_width * eyes.distance, half_height * eyes.distance
    columns = (np.arange(width) + 0.5 - x) / across
    rows = (np.arange(height) + 0.5 - y) / down
    radius = np.hypot(columns[None, :], rows[:, None])
    return np.rint(np.clip((_OUTER - radius) / (_OUTER - _INNER), 0, 1) * 255).astype(np.uint8)


def paste(original: np.ndarray, replacement: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blend two pictures, uint8 [H, W, 3], by a mask, uint8 [H, W]; where it is 0 the original stays as it is."""
    share = mask.astype(np.uint32)[..., None]
    return ((original * (255 - share) + replacement * share + 127) // 255).astype(np.uint8)


def turned_back(mask: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an upright mask as a picture of an EXIF orientation 1..8 is stored: the inverse of `turn_upright`."""
    # A quarter turn is undone by the other one; all others undo themselves.
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return turn_upright(mask[..., None], inverse)[..., 0]


def upright_size(orientation: int, size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of a stored picture once it is turned upright."""
    return size if orientation < 5 else (size[1], size[0])
