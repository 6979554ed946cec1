"""measure: what a scan reads from a file."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.scan.measure import Measured, Refused, measure_file
from train.image.decode import decode

Draw = Callable[..., Image.Image]


@pytest.fixture
def pictures(tmp_path: Path, draw: Draw) -> list[Path]:
    """Pictures of all formats and sizes, and a few files that are none."""
    paths = []
    for seed, suffix in enumerate(["jpg", "png", "webp", "bmp", "gif", "tiff"] * 8):
        paths.append(tmp_path / f"{seed:02}.{suffix}")
        draw(seed, 40 + 9 * seed, 70).save(paths[-1])
    (tmp_path / "cut.jpg").write_bytes(paths[0].read_bytes()[:700])
    (tmp_path / "empty.png").write_bytes(b"")
    return [*paths, tmp_path / "cut.jpg", tmp_path / "empty.png", tmp_path / "missing.jpg"]


def test_it_says_what_decode_says(pictures: list[Path]) -> None:
    for path in pictures:
        found = measure_file(path)
        try:
            picture = decode(path)
        except DataError as error:
            assert isinstance(found, Refused)
            assert f"{path}{found.reason}" == str(error)
            assert found.lasting == path.exists()
            continue
        data = path.read_bytes()
        assert isinstance(found, Measured)
        assert (found.height, found.width) == picture.pixels.shape[:2]
        assert (found.format, found.jpeg_quality) == (picture.format, picture.jpeg_quality)
        assert (found.sha256, found.bytes) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_may_become_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    found = measure_file(tmp_path / "pipe.jpg")
    assert isinstance(found, Refused)
    assert not found.lasting


def test_a_machine_short_of_memory_is_not_the_file_s_damage(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    found = measure_file(pictures[0])
    assert isinstance(found, Refused)
    assert not found.lasting
