"""An enlargement leaves a period that a picture as it was taken does not have."""

import io

import numpy as np
import pytest
from PIL import Image

from export.inference.traces import trace_rows
from train.data.audit.pixels.resampling import SURE, find_periodicity
from train.image.decode import decode_bytes


def taken(side: int, seed: int) -> Image.Image:
    """Texture as a camera gives it: noise of all sizes, reduced by a whole factor."""
    rng = np.random.default_rng(seed)
    grown = sum(
        np.asarray(Image.fromarray(rng.normal(0, 40, (cells, cells)).astype(np.float32)).resize((2 * side, 2 * side)))
        for cells in (8, 32, 128, 512, 2 * side)
    )
    return Image.fromarray(np.clip(grown + 128, 0, 255).astype(np.uint8)).reduce(2)


@pytest.mark.parametrize("seed", range(4))
def test_what_was_never_enlarged_has_no_period(seed: int) -> None:
    picture = taken(512, seed)
    assert find_periodicity(np.asarray(picture, np.float32)).strength < SURE
    saved = io.BytesIO()
    picture.save(saved, "JPEG", quality=75)
    with Image.open(saved) as again:
        # The JPEG grid is a period, too, and is not taken for one.
        assert find_periodicity(np.asarray(again, np.float32)).strength < SURE


@pytest.mark.parametrize("scale", [1.2, 1.5, 1.7, 2.2])
@pytest.mark.parametrize("kernel", [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR])
def test_an_enlargement_is_found_by_the_frequency_that_theory_gives(scale: float, kernel: Image.Resampling) -> None:
    picture = taken(400, 9)
    enlarged = picture.resize((round(400 * scale), round(400 * scale)), kernel)
    found = find_periodicity(np.asarray(enlarged, np.float32))
    assert found.found
    # Gallagher: the factor n gives a peak at 1/n, which shows itself at its distance from a whole number.
    wanted = 1 / scale if scale > 2 else 1 - 1 / scale
    harmonics = [abs((k * wanted + 0.5) % 1 - 0.5) for k in (1, 2, 3)]
    assert min(abs(found.frequency - one) for one in harmonics) < 0.01


@pytest.mark.parametrize("shape", [(300, 300), (100, 900), (900, 100), (1, 1)])
def test_flat_and_small_pictures_have_none(shape: tuple[int, int]) -> None:
    assert not find_periodicity(np.full(shape, 77, np.float32)).found


def test_detect_says_it_in_a_row_that_speaks_for_nobody() -> None:
    saved = io.BytesIO()
    taken(400, 3).resize((600, 600), Image.Resampling.BICUBIC).convert("RGB").save(saved, "PNG")
    (row,) = trace_rows(decode_bytes(saved.getvalue(), "a.png"))
    assert (row.kind, row.says, row.strength) == ("traces", "nothing", "none")
    assert "was enlarged or turned before it was saved" in row.text
