"""Error level pictures: Pillow's own levels, upright, whole files or none, however many processes draw them."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from ela.reference import error_level_picture, picture_gain
from ela.setting import Ela
from export.inference.ela_pictures import LevelDrawn, NotDrawn, PlanesDrawn, draw_files, level_drawer, planes_drawer
from export.inference.picture_result import NO_FACE
from export.inference.planes import draw_planes, preprocessing_of
from train.image.decode import decode
from train.image.files import PictureFile
from train.image.view import without_face

if TYPE_CHECKING:
    from tests.export.conftest import Describe

AUTO = level_drawer(Ela(), to_white=True)
has_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are listed by Linux only")


def noisy(seed: int, width: int = 64, height: int = 64, channels: int = 3) -> np.ndarray:
    """A smooth picture with noise: levels of many sizes."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 5, channels), dtype=np.uint8)
    smooth = [np.asarray(Image.fromarray(small[..., c]).resize((width, height))) for c in range(channels)]
    return np.clip(np.stack(smooth, -1) + rng.normal(0, 4, (height, width, channels)), 0, 255).astype(np.uint8)


def levels(pixels: np.ndarray, quality: int = 90, subsampling: int = 2) -> np.ndarray:
    """|x - JPEG(x)|, by hand."""
    coded = io.BytesIO()
    Image.fromarray(pixels).save(coded, "JPEG", quality=quality, subsampling=subsampling)
    return np.abs(pixels.astype(int) - np.asarray(Image.open(coded)).astype(int))


def to_white(difference: np.ndarray) -> np.ndarray:
    return np.minimum(np.rint(difference * (255 / difference.max())), 255)


def targeted(*sources: Path) -> list[PictureFile]:
    return [PictureFile(source, source.with_name(f"{source.name}.ela.png")) for source in sources]


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def many(folder: Path, count: int, side: int) -> list[PictureFile]:
    for seed in range(count):
        Image.fromarray(noisy(seed, side, side)).save(folder / f"{seed:02}.jpg")
    return targeted(*sorted(folder.glob("*.jpg")))


@pytest.mark.parametrize("size", [(64, 64), (61, 47), (1, 1), (3, 200)])
def test_the_largest_level_is_white(size: tuple[int, int], tmp_path: Path) -> None:
    pixels = noisy(1, *size)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (answer,) = draw_files(targeted(tmp_path / "a.png"), AUTO, workers=1)
    difference = levels(pixels)
    shown = drawn(tmp_path / "a.png.ela.png")
    np.testing.assert_array_equal(shown, to_white(difference) if difference.any() else difference)
    np.testing.assert_array_equal(shown, error_level_picture(pixels, Ela()))
    assert isinstance(answer, LevelDrawn)
    assert (answer.width, answer.height, answer.largest) == (*size, difference.max())
    assert answer.gain == picture_gain(pixels, Ela())
    assert answer.mean == pytest.approx(difference.mean())


@pytest.mark.parametrize("setting, subsampling", [(Ela(75, "444", 20), 0), (Ela(75, "420", 255), 2), (Ela(1), 2)])
def test_a_gain_that_is_given_makes_pictures_comparable(setting: Ela, subsampling: int, tmp_path: Path) -> None:
    pixels = noisy(2)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (answer,) = draw_files(targeted(tmp_path / "a.png"), level_drawer(setting, to_white=False), workers=1)
    expected = np.minimum(setting.gain * levels(pixels, setting.quality, subsampling), 255)
    np.testing.assert_array_equal(drawn(tmp_path / "a.png.ela.png"), expected)
    assert isinstance(answer, LevelDrawn)
    assert answer.gain == setting.gain


def test_where_jpeg_changes_nothing_all_is_black(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), (128, 128, 128)).save(tmp_path / "a.png")
    (answer,) = draw_files(targeted(tmp_path / "a.png"), AUTO, workers=1)
    assert not drawn(tmp_path / "a.png.ela.png").any()
    assert isinstance(answer, LevelDrawn)
    assert (answer.gain, answer.largest, answer.mean) == (1, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_drawn_upright(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noisy(3, 70, 50)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    draw_files(targeted(tmp_path / "a.jpg"), AUTO, workers=1)
    np.testing.assert_array_equal(drawn(tmp_path / "a.jpg.ela.png"), to_white(levels(upright)))


def _rgba(path: Path) -> None:
    Image.fromarray(noisy(5, channels=4)).save(path)


@pytest.mark.parametrize(
    "name, save",
    [
        ("grey.jpg", lambda path: Image.fromarray(noisy(5)[..., 0]).save(path)),
        ("cmyk.jpg", lambda path: Image.fromarray(noisy(5, channels=4), "CMYK").save(path)),
        ("rgba.png", _rgba),
        ("palette.gif", lambda path: Image.fromarray(noisy(5)).quantize(64).save(path)),
        ("deep.png", lambda path: Image.fromarray(noisy(5)[..., 0].astype(np.uint16) * 257).save(path)),
    ],
)
def test_every_kind_of_file_is_decoded_as_everywhere(name: str, save: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path / name)
    (answer,) = draw_files(targeted(tmp_path / name), AUTO, workers=1)
    picture = decode(tmp_path / name)
    np.testing.assert_array_equal(drawn(tmp_path / f"{name}.ela.png"), to_white(levels(picture.pixels)))
    assert isinstance(answer, LevelDrawn)
    assert answer.notes == picture.notes
    assert picture.notes


def test_bad_files_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    files = many(tmp_path, 4, 48)
    whole = files[0].source.read_bytes()
    bad = {"cut.jpg": whole[:600], "empty.png": b"", "text.jpg": b"a letter"}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    Image.new("L", (1, 65_501)).save(tmp_path / "long.png")
    Image.fromarray(noisy(1)[..., 0].astype(np.float32)).save(tmp_path / "float.tif")
    names = [*bad, "long.png", "float.tif", "gone.jpg"]
    mixed = [*targeted(*(tmp_path / name for name in names[:3])), *files, *targeted(*(tmp_path / n for n in names[3:]))]
    heard: list[tuple[int, int]] = []
    answers = draw_files(mixed, AUTO, workers=2, on_progress=lambda *moved: heard.append(moved))
    assert [one.file for one in answers] == mixed
    assert heard == [(done, len(mixed)) for done in range(1, len(mixed) + 1)]
    refused = [one for one in answers if isinstance(one, NotDrawn)]
    assert [one.file.source.name for one in refused] == names
    for one in refused:
        assert one.error.startswith(str(one.file.source))
        assert one.error.count("\n") == 0
        assert not one.file.target.exists()
    assert all(file.target.exists() for file in files)


@pytest.mark.slow
def test_two_processes_write_the_bytes_that_one_writes(tmp_path: Path) -> None:
    # Large enough for the other process to take part.
    files = many(tmp_path, 12, 1200)
    once = draw_files(files, AUTO, workers=1)
    written = [file.target.read_bytes() for file in files]
    for file in files:
        file.target.unlink()
    assert draw_files(files, AUTO, workers=2) == once
    assert [file.target.read_bytes() for file in files] == written


@pytest.mark.slow
@has_proc
def test_the_pictures_of_a_process_that_dies_are_drawn_all_the_same(tmp_path: Path) -> None:
    files, before = many(tmp_path, 12, 1200), children()

    def kill(done: int, _total: int) -> None:
        if done == 5:
            (mate,) = set(children()) - before
            os.kill(mate, signal.SIGKILL)

    answers = draw_files(files, AUTO, workers=2, on_progress=kill)
    assert [type(one) for one in answers] == [LevelDrawn] * 12
    for file in files:
        np.testing.assert_array_equal(drawn(file.target), error_level_picture(decode(file.source).pixels, Ela()))


@pytest.mark.slow
@has_proc
def test_an_interruption_leaves_nothing_half_written(tmp_path: Path) -> None:
    files, before = many(tmp_path, 12, 1200), children()

    def interrupt(done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_files(files, AUTO, workers=2, on_progress=interrupt)
    assert children() == before
    left = set(tmp_path.iterdir()) - {file.source for file in files}
    assert 4 <= len(left) < 12
    assert left <= {file.target for file in files}
    assert all(drawn(path).shape == (1200, 1200, 3) for path in left)


def children() -> set[int]:
    """The processes that the threads of this one have started."""
    return {
        int(child) for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()
    }


def test_what_cannot_be_written_stops_all_with_the_disk_s_own_error(tmp_path: Path) -> None:
    files = many(tmp_path, 8, 48)
    files[5].target.mkdir()
    for workers in (1, 2):
        with pytest.raises(OSError, match=files[5].target.name):
            draw_files(files, AUTO, workers=workers)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_planes_of_a_detector_are_drawn(workers: int, describe: Describe, tmp_path: Path) -> None:
    files = many(tmp_path, 6, 48)
    preprocessing = preprocessing_of(describe(front_end="rgb+ela"), "d.tflite")
    answers = draw_files(files, planes_drawer(preprocessing), workers=workers)
    for file, answer in zip(files, answers, strict=True):
        assert answer == PlanesDrawn(file, 64, 32, ())
        np.testing.assert_array_equal(drawn(file.target), draw_planes(preprocessing, decode(file.source)))


def test_a_detector_that_wants_a_face_says_where_there_is_none(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.image.face import Face

    found: list[Face] = []
    monkeypatch.setattr("export.inference.face_alignment.find_in_pixels", lambda _: tuple(found))

    (file,) = many(tmp_path, 1, 96)
    preprocessing = preprocessing_of(describe(front_end="ela", view="upright|face(2.4)|resize(32)"), "d.tflite")
    (answer,) = draw_files([file], planes_drawer(preprocessing), workers=1)
    assert isinstance(answer, PlanesDrawn)
    assert answer.notes == (NO_FACE,)
    centre = replace(preprocessing, view=without_face(preprocessing.view))
    np.testing.assert_array_equal(drawn(file.target), draw_planes(centre, decode(file.source)))
    found += [
        Face((28, 20, 68, 60), (38, 40), (58, 40)),
        Face((1, 50, 27, 76), (7, 60), (19, 60)),
    ]
    (answer,) = draw_files([file], planes_drawer(preprocessing), workers=1)
    assert isinstance(answer, PlanesDrawn)
    assert answer.notes == ("2 faces were found: the largest one is shown.",)
    np.testing.assert_array_equal(drawn(file.target), draw_planes(preprocessing, decode(file.source), found[0].eyes))
