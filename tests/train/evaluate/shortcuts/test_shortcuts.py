"""Shortcuts: each baseline finds its own and nothing else, and the sentence names the one that explains a figure."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from train.common.errors import TrainError
from train.data.manifest import COLUMNS, SCHEMA, Manifest
from train.evaluate.metrics import Interval
from train.evaluate.shortcuts.bias_score import BiasScore, find_bias_score, saved_as
from train.evaluate.shortcuts.explain import ShortcutBaseline, explain_auc, low_frequency_baseline, thumbnail
from train.image.decode import Picture
from train.image.view import Eyes, parse_view

SIDE = 64


def frame(count: int) -> pl.DataFrame:
    fake = np.arange(count) % 2 == 1
    return pl.DataFrame({"label": np.where(fake, "fake", "real"), "group": [str(index) for index in range(count)]})


def drawn(count: int, *, brighter: float = 0.0, finer: float = 0.0, seed: int = 0) -> np.ndarray:
    """Noise; the fakes are brighter in one corner, or have a checkered pattern of single pixels."""
    random = np.random.default_rng(seed)
    pixels = random.normal(128, 20, (count, SIDE, SIDE, 3))
    fake = np.arange(count) % 2 == 1
    pixels[fake, : SIDE // 2, : SIDE // 2] += brighter
    checks = ((np.indices((SIDE, SIDE)).sum(0) % 2) * 2 - 1)[None, :, :, None]
    pixels[fake] += finer * checks
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_a_thumbnail_is_the_mean_of_its_fields() -> None:
    view = drawn(1)[0]
    fields = view.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(thumbnail(view).reshape(16, 16, 3), fields, atol=1.01)  # each pass rounds


def test_low_frequencies_are_found_and_fine_patterns_are_not() -> None:
    light = low_frequency_baseline(frame(300), drawn(300, brighter=12))
    fine = low_frequency_baseline(frame(300), drawn(300, finer=60))
    assert light is not None and fine is not None
    assert light.low > 0.9
    assert fine.low < 0.5 < fine.high


def test_too_few_groups_say_nothing() -> None:
    assert low_frequency_baseline(frame(8), drawn(8)) is None


def baseline(kind: str, auc: float) -> ShortcutBaseline:
    return ShortcutBaseline(kind, auc, auc - 0.02, auc + 0.02)  # type: ignore[arg-type]


def swapped(before: float, after: float) -> BiasScore:
    return BiasScore(50, 50, 0.2, 0.3, 0.8, 0.7, 0.1, Interval(before, before, before), Interval(after, after, after))


@pytest.mark.parametrize(
    ("auc", "baselines", "bias", "aligned", "words"),
    [
        (
            0.9,
            [("metadata", 0.88), ("framing", 0.6)],
            None,
            False,
            "size, format and JPEG quality alone reach AUC 0.88",
        ),
        (0.9, [("metadata", 0.6), ("framing", 0.89)], None, False, "distance of the eyes alone reach AUC 0.89"),
        (0.9, [("metadata", 0.6), ("framing", 0.89)], None, True, "No shortcut that was tried explains AUC 0.90"),
        (0.9, [("low-frequency", 0.75)], None, False, "A thumbnail of 16 pixels alone reaches AUC 0.75"),
        (0.9, [("metadata", 0.89)], (0.9, 0.88), False, "instead of 0.90."),
        (0.9, [("metadata", 0.6)], (0.9, 0.52), False, "give AUC 0.52 instead of 0.90: that explains the figure"),
        (0.52, [("metadata", 0.9)], None, False, "nothing to explain"),
        (0.9, [], None, False, "No shortcut was tried"),
    ],
)
def test_the_sentence_names_what_explains_the_figure(
    auc: float, baselines: list[tuple[str, float]], bias: tuple[float, float] | None, aligned: bool, words: str
) -> None:
    found = explain_auc(
        auc, [baseline(*one) for one in baselines], None if bias is None else swapped(*bias), aligned=aligned
    )
    assert words in found.sentence
    assert found.sentence.count(". ") == 0


def test_saving_as_another_file_reduces_compresses_and_moves_the_eyes() -> None:
    picture = Picture(drawn(1, seed=3)[0], 1, "PNG", None, ())
    row = {"width": 32, "height": 20, "jpeg_quality": 40}
    again, eyes = saved_as(picture, Eyes(10.0, 20.0, 8.0), row)
    assert again.pixels.shape == (32, 32, 3)
    assert eyes == Eyes(5.0, 10.0, 4.0)
    kept, _ = saved_as(picture, None, {"width": 500, "height": 400, "jpeg_quality": None})
    np.testing.assert_array_equal(kept.pixels, picture.pixels)


@pytest.fixture
def saved(tmp_path: Path) -> Manifest:
    """Smooth pictures of 64 px; fakes are saved as JPEG of quality 20, reals as PNG, and nothing else differs."""
    import hashlib

    rows = []
    random = np.random.default_rng(9)
    for index in range(40):
        small = Image.fromarray(random.integers(40, 215, (9, 9, 3), dtype=np.uint8))
        image, fake = small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), index % 2 == 1
        path = tmp_path / (f"{index}.jpg" if fake else f"{index}.png")
        image.save(path, quality=20)  # which PNG ignores
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "phash": f"{index:016x}",
                "width": SIDE, "height": SIDE, "bytes": path.stat().st_size, "format": path.suffix[1:].upper(),
                "jpeg_quality": 20 if fake else None, "label": "fake" if fake else "real", "group": str(index),
                "generator": "gan" if fake else "camera", "family": "gan" if fake else "camera",
                "source": "f" if fake else "r", "split": "test",
            }
        )  # fmt: skip
    return Manifest(pl.DataFrame(rows, schema={name: kind() for name, kind in SCHEMA.items()}), tmp_path)


def blocky(views: np.ndarray) -> np.ndarray:
    """A model that goes by JPEG alone: how much more pixels differ across the borders of 8 x 8 blocks than inside."""
    steps = np.abs(np.diff(views.astype(np.float64), axis=2)).mean(axis=(1, 3))
    border = np.arange(SIDE - 1) % 8 == 7
    return np.asarray(1 / (1 + np.exp(-4 * (steps[:, border].mean(1) - steps[:, ~border].mean(1)))), np.float32)


def test_a_model_of_compression_is_found_out_and_a_model_of_content_is_not(saved: Manifest) -> None:
    view = parse_view(f"upright|square|resize({SIDE})")
    found = find_bias_score(blocky, saved.frame, saved, view, pictures=40)
    assert found.auc_before.value > 0.9
    # All of them are compressed now.
    assert found.auc_after.value < 0.65
    assert (found.n_real, found.n_fake) == (20, 20)
    redness = find_bias_score(lambda views: views[..., 0].mean((1, 2)) / 255, saved.frame, saved, view, pictures=40)
    assert redness.score < 0.02
    assert redness.auc_after.value == pytest.approx(redness.auc_before.value, abs=0.05)


def test_the_bias_score_is_the_larger_mean_move(saved: Manifest) -> None:
    view = parse_view(f"upright|square|resize({SIDE})")
    seen: list[np.ndarray] = []

    def model(views: np.ndarray) -> np.ndarray:
        seen.append(blocky(views))
        return seen[-1]

    found = find_bias_score(model, saved.frame, saved, view, pictures=40)
    before, after = np.concatenate(seen).astype(np.float64).reshape(-1, 2).T
    # The sample comes class by class.
    moves = [abs(after[half].mean() - before[half].mean()) for half in (slice(0, 20), slice(20, 40))]
    assert found.score == pytest.approx(max(moves), abs=1e-12)
    fake = np.isin(np.arange(40), np.arange(20)) == (found.fake_before == pytest.approx(before[:20].mean(), abs=1e-12))
    assert found.auc_before.value == pytest.approx(roc_auc_score(fake, before), abs=1e-12)


def test_one_class_has_no_bias_score(saved: Manifest) -> None:
    view = parse_view(f"upright|square|resize({SIDE})")
    with pytest.raises(TrainError, match="both classes"):
        find_bias_score(blocky, saved.frame.filter(label="real"), saved, view, pictures=40)
