"""Pictures for the tests of this room, made on the spot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def texture(seed: int, width: int = 96, height: int = 96) -> Image.Image:
    """A smooth random picture that differs from one seed to the next as much as photographs do."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3)).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def draw() -> Callable[..., Image.Image]:
    return texture


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A miniature dataset in the usual layout: 30 real, 15 of stylegan2, 15 of sdxl, each picture another one."""
    folder = tmp_path / "faces"
    for start, count, name in ((0, 30, "real"), (100, 15, "fake/stylegan2"), (200, 15, "fake/sdxl")):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            texture(start + index).save(folder / name / f"{index:02}.jpg", quality=90)
    return folder
