"""Skin tone estimated from a picture: the individual typology angle (ITA) of the cheeks, as an attribute.

An estimate and no label: it measures the light, the camera and make-up along with the skin. It sorts pictures into
groups where nobody has labelled them; what it says of one picture is not to be believed.
"""

import math
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl

from train.common.errors import DataError
from train.common.process_pool import parallel_map
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, in_order
from train.data.rows import decode_unchanged
from train.image.face import Face
from train.image.face_finder.finder import find_in_pixels
from train.image.view import turn_upright

ATTRIBUTE = "skin_tone_estimated"
CLASSES = (
    (55.0, "1 very light"),
    (41.0, "2 light"),
    (28.0, "3 intermediate"),
    (10.0, "4 tan"),
    (-30.0, "5 brown"),
    (-90.0, "6 dark"),
)
"""Lowest ITA in degrees (exclusive) of each class, from Chardon et al. (Int. J. Cosmet. Sci. 13:191, 1991) and Del Bino
et al. (Pigment Cell Res. 19:606, 2006). The number keeps the groups in order."""
NOTE = (
    "skin_tone_estimated is estimated from the colour of the cheeks (ITA), which light and camera move: a way to sort "
    "many pictures, not a label of one."
)
_DOWN, _SIDE = 0.6, 0.24
"""How far below an eye the middle of a cheek is, and the side of the square that is looked at, in eye distances."""
_FEWEST_PIXELS = 32
_GREY = 2.0
"""Below this median b* (yellow) a picture is grey or bluish, and the angle means nothing."""
_FEW = 32


def estimate_skin_tones(
    manifest: Manifest, *, workers: int | None = None, on_progress: ProgressCallback | None = None
) -> Manifest:
    """Return the manifest with the attribute ATTRIBUTE: one of CLASSES, or nothing.

    Nothing where a picture does not show exactly one face, is grey, or shows the cheeks on too few pixels. `workers`:
    processes, one a core where None. Raises DataError where faces have not been looked for, and as `decode_unchanged`.
    """
    frame = manifest.frame
    if unknown := frame["faces"].null_count():
        raise DataError(
            f"Faces have not been detected in {unknown} of {frame.height} pictures: run `data faces` first."
        )
    rows = frame.filter(pl.col("faces") == 1)
    items = [(manifest.picture_path(path), sha256) for path, sha256 in rows.select("path", "sha256").iter_rows()]
    found: list[str | None] = []
    with closing(parallel_map(_estimate, items, workers or os.cpu_count() or 1, few=_FEW)) as results:
        for one in results:
            found.append(one)
            if on_progress is not None:
                on_progress(len(found), len(items))
    tones = rows.select("path").with_columns(pl.Series(ATTRIBUTE, found, pl.String))
    joined = frame.drop(ATTRIBUTE, strict=False).join(tones, on="path", how="left", maintain_order="left")
    return Manifest(in_order(joined), manifest.folder)


def cheek_angle(pixels: np.ndarray, face: Face) -> float | None:
    """The ITA in degrees, -90 to 90, of both cheeks of a face in an upright picture uint8 [H, W, 3].

    ITA = arctan((L* - 50) / b*), of the medians of CIE L*a*b* (D65) over two squares below the eyes. None for a grey
    picture, and where fewer than 32 pixels are inside it.
    """
    import cv2

    (x1, y1), (x2, y2) = face.left_eye, face.right_eye
    # To the right along the eyes, turned by a quarter: down the face.
    right, down = (x2 - x1, y2 - y1), (y1 - y2, x2 - x1)
    half = _SIDE / 2 * math.hypot(*right)
    patches = []
    for x, y in (face.left_eye, face.right_eye):
        middle = x + _DOWN * down[0], y + _DOWN * down[1]
        left, top, end, bottom = (
            round(middle[0] - half), round(middle[1] - half), round(middle[0] + half), round(middle[1] + half)
        )  # fmt: skip
        patches.append(pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, end)].reshape(-1, 3))
    skin = np.concatenate(patches)
    if len(skin) < _FEWEST_PIXELS:
        return None
    lab = cv2.cvtColor((skin / 255).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    light, _, yellow = np.median(lab, axis=0)
    if yellow < _GREY:
        return None
    return math.degrees(math.atan((float(light) - 50) / float(yellow)))


def tone_of(angle: float) -> str:
    """The class of an ITA in degrees."""
    return next((name for lowest, name in CLASSES if angle > lowest), CLASSES[-1][1])


def _estimate(item: tuple[Path, str]) -> str | None:
    picture = decode_unchanged(*item)
    upright = turn_upright(picture.pixels, picture.orientation)
    faces = find_in_pixels(upright)
    angle = cheek_angle(upright, faces[0]) if faces else None
    return None if angle is None else tone_of(angle)
