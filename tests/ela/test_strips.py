"""A large picture goes through JPEG in strips: the levels are those of the whole."""

import numpy as np
import pytest

from ela import reference
from ela.setting import Ela


@pytest.mark.parametrize("sampling", ["420", "444"])
@pytest.mark.parametrize("size", [(16, 40), (97, 40), (160, 33), (161, 64)])
def test_strips_give_the_levels_of_the_whole(
    sampling: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(size[0]).integers(0, 256, (*size, 3), np.uint8)
    front = Ela(quality=75, sampling=sampling)
    whole = reference.error_level_picture(pixels, front), reference.error_level_picture(pixels, front, gain=1)
    for strip in (1, 32 * size[1], 48 * size[1]):
        monkeypatch.setattr(reference, "_STRIP", strip)
        assert np.array_equal(reference.error_level_picture(pixels, front), whole[0])
        assert np.array_equal(reference.error_level_picture(pixels, front, gain=1), whole[1])
    assert whole[1].max() > 0
