"""The angle of the cheeks is that of the CIE's formulas; a picture that cannot say gets nothing."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.faces.skin_tone import ATTRIBUTE, CLASSES, cheek_angle, estimate_skin_tones, tone_of
from train.data.manifest import Manifest, rows_frame
from train.image.face import Face

FACE = Face((20, 20, 140, 140), left_eye=(55, 60), right_eye=(105, 60))
SKINS = [(244, 220, 200), (224, 172, 125), (198, 134, 90), (141, 85, 50), (70, 45, 30)]


def lab_by_hand(rgb: tuple[int, int, int]) -> tuple[float, float]:
    """L* and b* of sRGB (IEC 61966-2-1) under D65 (CIE 15)."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (part / 255 for part in rgb)]
    matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (sum(map(math.prod, zip(row, linear, strict=True))) / one for row, one in zip(matrix, white, strict=True))
    f = [one ** (1 / 3) if one > (6 / 29) ** 3 else one / (3 * (6 / 29) ** 2) + 4 / 29 for one in (x, y, z)]
    return 116 * f[1] - 16, 200 * (f[1] - f[2])


def portrait(rgb: tuple[int, int, int]) -> np.ndarray:
    """A face of one colour with cheeks of another; hair and background are neither."""
    pixels = np.full((160, 160, 3), (20, 90, 200), np.uint8)
    for x in (55, 105):
        pixels[90 - 7 : 90 + 7, x - 7 : x + 7] = rgb
    return pixels


@pytest.mark.parametrize("rgb", SKINS)
def test_the_angle_is_that_of_the_formulas(rgb: tuple[int, int, int]) -> None:
    # OpenCV interpolates its gamma curve.
    light, yellow = lab_by_hand(rgb)
    angle = cheek_angle(portrait(rgb), FACE)
    assert angle == pytest.approx(math.degrees(math.atan((light - 50) / yellow)), abs=0.5)


def test_darker_skins_have_later_classes() -> None:
    tones = [tone_of(cheek_angle(portrait(rgb), FACE) or 0) for rgb in SKINS]
    assert tones == sorted(tones) and len(set(tones)) == 5
    assert [tone_of(angle) for angle in (90, 55.1, 55, 41, 28, 10, -30, -90)] == [
        CLASSES[place][1] for place in (0, 0, 1, 2, 3, 4, 5, 5)
    ]


def test_a_head_on_its_side_has_the_same_cheeks() -> None:
    upright = portrait(SKINS[1])
    expected = cheek_angle(upright, FACE)
    # A quarter turn clockwise takes (x, y) to (160 - y, x); the person's eyes turn with the head.
    turned = Face((20, 20, 140, 140), left_eye=(100, 55), right_eye=(100, 105))
    assert cheek_angle(np.rot90(upright, -1), turned) == pytest.approx(expected, abs=1e-6)


def test_what_cannot_be_said_is_nothing() -> None:
    grey = np.full((160, 160, 3), 120, np.uint8)
    assert cheek_angle(grey, FACE) is None
    small = Face((0, 0, 9, 9), left_eye=(3, 3), right_eye=(7, 3))
    assert cheek_angle(portrait(SKINS[0]), small) is None
    outside = Face((0, 100, 160, 200), left_eye=(50, 150), right_eye=(110, 150))
    assert cheek_angle(portrait(SKINS[0]), outside) is None


def row(path: Path, faces: int | None) -> dict[str, object]:
    import hashlib

    return {
        "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "phash": "0" * 16, "width": 160,
        "height": 160, "format": "PNG", "bytes": 9, "label": "real", "generator": "camera", "family": "camera",
        "source": "s", "group": "g", "split": "test", "faces": faces,
        **({"eye_x": 80.0, "eye_y": 60.0, "eye_distance": 50.0} if faces else {}),
    }  # fmt: skip


def test_a_manifest_gets_the_attribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A drawn patch is no face for the finder; where the eyes are is given here.
    monkeypatch.setattr("train.data.faces.skin_tone.find_in_pixels", lambda pixels: (FACE,))
    paths = []
    for number, rgb in enumerate(SKINS):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(portrait(rgb)).save(paths[-1])
    rows = [row(path, 0 if number == 4 else 1) for number, path in enumerate(paths)]
    manifest = Manifest(rows_frame(rows), tmp_path)
    found = estimate_skin_tones(manifest, workers=1)
    expected = [tone_of(cheek_angle(portrait(rgb), FACE) or 0) for rgb in SKINS[:4]]
    assert found.frame[ATTRIBUTE].to_list() == [*expected, None]
    assert found.frame.drop(ATTRIBUTE).equals(manifest.frame)
    # Asked for again, it is estimated again.
    assert estimate_skin_tones(found, workers=1).frame.equals(found.frame)
    unknown = Manifest(manifest.frame.with_columns(faces=pl.lit(None, pl.Int64)), tmp_path)
    with pytest.raises(DataError, match="have not been detected in 5 of 5 pictures"):
        estimate_skin_tones(unknown)
