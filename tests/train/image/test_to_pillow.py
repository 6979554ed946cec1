"""Pixels to Pillow strip by strip, as the whole at once would be."""

import numpy as np
import pytest
from PIL import Image

from train.image import to_pillow
from train.image.to_pillow import luma_of, picture_image
from train.image.view import turn_upright


@pytest.mark.parametrize("strip", [1, 100, 1 << 22])
@pytest.mark.parametrize("orientation", [1, 2, 6, 7])
def test_strips_are_the_whole(strip: int, orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_pillow, "_STRIP", strip)
    pixels = turn_upright(np.random.default_rng(1).integers(0, 256, (37, 53, 3), np.uint8), orientation)
    whole = Image.fromarray(np.ascontiguousarray(pixels))
    assert np.array_equal(np.asarray(picture_image(pixels)), pixels)
    assert np.array_equal(luma_of(pixels), np.asarray(whole.convert("L")))
