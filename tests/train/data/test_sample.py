"""What the built-in sample promises: the same bytes from the same seed, no class in the metadata, one in the pixels."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.cards.reader import read_card
from train.data.sample.imaging import BLOCK, GRID_PHASE, camera, diffusion_like, gan_like
from train.data.sample.make import draw_sample_picture, make_sample

COUNT = 60
REAL, GAN, DIFFUSION = "real", "fake/gan-like", "fake/diffusion-like"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "sample"
    make_sample(folder, count=COUNT, seed=5)
    return folder


def pictures(folder: Path, kind: str) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path).convert("L"), float) for path in sorted((folder / kind).iterdir())])


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.jpg")
    }


def residuals(grey: np.ndarray) -> np.ndarray:
    """Second differences along both axes: what is left is mostly fine structure. [N, H, W] -> [N, H-2, W-2]."""
    across = 2 * grey[:, 1:-1, 1:-1] - grey[:, 1:-1, :-2] - grey[:, 1:-1, 2:]
    down = 2 * grey[:, 1:-1, 1:-1] - grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1]
    return across + down


def test_shares_and_layout(sample: Path) -> None:
    assert [len(list((sample / kind).iterdir())) for kind in (REAL, GAN, DIFFUSION)] == [24, 18, 18]
    assert (sample / REAL / "0000.jpg").is_file()


def test_same_seed_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    for name, seed, workers in (("one", 3, 1), ("two", 3, 3), ("other", 4, 2)):
        make_sample(tmp_path / name, count=6, size=64, seed=seed, workers=workers)
    one, two, other = (fingerprints(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())


def test_every_picture_is_another_portrait(sample: Path) -> None:
    assert len(set(fingerprints(sample).values())) == COUNT
    small = np.concatenate([pictures(sample, kind)[:, ::8, ::8] for kind in (REAL, GAN, DIFFUSION)]).reshape(COUNT, -1)
    apart = np.abs(small[:, None] - small[None]).mean(axis=2)[~np.eye(COUNT, dtype=bool)]
    assert apart.min() > 5.0


def test_metadata_is_the_same_for_every_class(sample: Path) -> None:
    seen = set()
    for path in sample.rglob("*.jpg"):
        with Image.open(path) as picture:
            assert isinstance(picture, Image.Image)
            tables = tuple(tuple(table) for _, table in sorted(picture.quantization.items()))  # type: ignore[attr-defined]
            seen.add(
                (
                    picture.format,
                    picture.mode,
                    picture.size,
                    tables,
                    len(picture.getexif()),
                    tuple(sorted(picture.info)),
                )
            )
    assert len(seen) == 1
    assert next(iter(seen))[:3] == ("JPEG", "RGB", (128, 128))


def test_bytes_do_not_tell_real_from_fake(sample: Path) -> None:
    real = np.array([path.stat().st_size for path in (sample / REAL).iterdir()])
    fake = np.array([path.stat().st_size for path in (sample / "fake").rglob("*.jpg")])
    wins = (fake[:, None] > real[None]).mean() + 0.5 * (fake[:, None] == real[None]).mean()
    # AUC of 24 against 36 at chance has a standard deviation of 0.076.
    assert 0.3 < wins < 0.7


def checkerboard(grey: np.ndarray) -> np.ndarray:
    """Strength of the replica of the picture's mean at half the sampling rate, along each axis. [N, H, W] -> [N].

    Noise spreads over all frequencies, so the peaks are measured in units of their neighbourhood.
    """
    spectrum = np.abs(np.fft.fft2(residuals(grey)[:, :126, :126]))
    rows, columns = spectrum[:, 63, 0], spectrum[:, 0, 63]
    floor = np.median(spectrum[:, 58:63, 1:6].reshape(len(grey), -1), axis=1)
    return np.minimum(rows, columns) / floor


def test_gan_like_has_replicas_at_half_the_sampling_rate_and_camera_has_not(sample: Path) -> None:
    gan, real = (checkerboard(pictures(sample, kind)) for kind in (GAN, REAL))
    assert np.median(gan) > 5 * np.median(real)
    assert np.mean(gan > np.max(real)) > 0.8


def grid(grey: np.ndarray) -> np.ndarray:
    """Correlate the mean 8x8 cell of the fine structure, taken from the grid's phase, with even halves. [N] -> [N].

    The average cell of the even cells and that of the odd ones agree where there is a pattern of period 8, and not
    where there is only content. JPEG's own grid, which every picture has, starts elsewhere.
    """
    start = GRID_PHASE - 1  # residuals lose one pixel at each side
    fine = np.clip(residuals(grey), -12, 12)[:, start : start + 112, start : start + 112]
    cells = fine.reshape(len(grey), 14, BLOCK, 14, BLOCK).transpose(0, 1, 3, 2, 4).reshape(len(grey), 196, 64)
    even, odd = cells[:, ::2].mean(axis=1), cells[:, 1::2].mean(axis=1)
    even, odd = even - even.mean(axis=1, keepdims=True), odd - odd.mean(axis=1, keepdims=True)
    return (even * odd).sum(axis=1) / np.sqrt((even**2).sum(axis=1) * (odd**2).sum(axis=1))


def test_diffusion_like_has_a_grid_of_eight_pixels_and_camera_has_not(sample: Path) -> None:
    diffusion, real = (grid(pictures(sample, kind)) for kind in (DIFFUSION, REAL))
    assert np.median(diffusion) > 0.8
    assert np.median(real) < 0.4
    assert np.mean(diffusion > np.quantile(real, 0.95)) > 0.8


@pytest.mark.parametrize("model", [camera, gan_like, diffusion_like])
def test_imaging_keeps_the_portrait(model: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> None:
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)
    portrait = np.repeat(np.add.outer(ramp, ramp)[..., None] / 2, 3, axis=2)
    picture = model(portrait, np.random.default_rng(0))
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    # Over 8x8 means: the fine structure is where the models are meant to differ from what was drawn.
    before, after = (image.reshape(8, 8, 8, 8, 3).mean(axis=(1, 3)).ravel() for image in (portrait, picture))
    assert np.corrcoef(before, after)[0, 1] > 0.995


def test_pixels_do_not_depend_on_what_was_drawn_before() -> None:
    alone = draw_sample_picture(camera, index=4, size=64, seed=1)
    draw_sample_picture(gan_like, index=5, size=64, seed=1)
    np.testing.assert_array_equal(alone, draw_sample_picture(camera, index=4, size=64, seed=1))


def test_nothing_is_left_when_interrupted(tmp_path: Path) -> None:
    def stop(done: int, count: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "sample", count=8, size=64, on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_picture(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    make_sample(tmp_path / "sample", count=5, size=64, on_progress=lambda done, count: calls.append((done, count)))
    assert calls == [(done, 5) for done in range(1, 6)]


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not an empty folder"):
        make_sample(tmp_path, count=3)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("count", "size"), [(2, 128), (10, 60), (10, 100)])
def test_impossible_wishes_are_refused(tmp_path: Path, count: int, size: int) -> None:
    with pytest.raises(DataError, match=str(count if count < 3 else size)):
        make_sample(tmp_path / "sample", count=count, size=size)
    assert list(tmp_path.iterdir()) == []


def test_the_card_names_every_file(sample: Path) -> None:
    card = read_card(Path(__file__).parents[3] / "datasets" / "drawn-sample.toml")
    for path in fingerprints(sample):
        facts = card.facts(path)
        assert facts is not None
        kind = path.rpartition("/")[0]
        expected = {REAL: ("real", "camera"), GAN: ("fake", "gan"), DIFFUSION: ("fake", "diffusion")}[kind]
        assert (facts.label, facts.family) == expected
