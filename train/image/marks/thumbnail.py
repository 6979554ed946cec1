"""Does the thumbnail in a file's EXIF show the picture? Editors that forget it leave the picture as it was before."""

import io

import numpy as np
from PIL import Image

from train.image.marks.rows import EvidenceRow

MAX_SIDE = 1024
_SIDE = 16
# Grey levels; flatter pictures look alike whatever they show.
_FLATTEST = 8.0
# Correlation of the lumas of thumbnail and picture: of the same picture it is above 0.95 after any save and scaling;
# pictures of other things lie around 0, other framings of the same in between.
MIN_ALIKE = 0.6


def thumbnail_row(thumbnail: bytes, pixels: np.ndarray) -> EvidenceRow | None:
    """A row where the thumbnail, the bytes of a JPEG, shows something else than `pixels` uint8 [H, W, 3] as stored.

    None where it shows the same, cannot be read, or either is too flat to tell.
    """
    small = _read(thumbnail)
    if small is None:
        return None
    height, width = pixels.shape[:2]
    picture = Image.fromarray(pixels)
    whole = _luma(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0))
    # Some programs turn the picture and leave the thumbnail lying.
    turned = (small.rotate(90 * quarter, expand=True) for quarter in range(4))
    framed = (_framed(one, width / height).resize((_SIDE, _SIDE), Image.Resampling.BOX) for one in turned)
    alike = [_alike(_luma(one), whole) for one in framed]
    if whole.std() < _FLATTEST or np.asarray(small.convert("L")).std() < _FLATTEST or max(alike) >= MIN_ALIKE:
        return None
    text = "The thumbnail in the file shows something else than the picture: the picture was changed after it was made."
    return EvidenceRow("traces", "medium", "edited", text, "EXIF thumbnail")


def _read(thumbnail: bytes) -> Image.Image | None:
    # A few scans are normal; thousands of them are an attack on the reader's time.
    if thumbnail.count(b"\xff\xda") > 20:
        return None
    try:
        image = Image.open(io.BytesIO(thumbnail), formats=("JPEG",))
        if max(image.size) > MAX_SIDE:
            return None
        image.load()
        return image.convert("RGB")
    # Whatever a damaged thumbnail leads its reader to: it says nothing then.
    except Exception:  # noqa: BLE001
        return None


def _framed(small: Image.Image, aspect: float) -> Image.Image:
    """The middle of a thumbnail with the picture's ratio of sides: cameras lay bars around it to fill 160 x 120."""
    width, height = small.size
    wide, high = min(width, round(height * aspect)), min(height, round(width / aspect))
    left, top = (width - max(1, wide)) // 2, (height - max(1, high)) // 2
    return small.crop((left, top, left + max(1, wide), top + max(1, high)))


def _luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), np.float64)


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / max(1e-9, np.sqrt((one**2).sum() * (other**2).sum())))
