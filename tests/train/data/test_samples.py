"""data show: samples per class and generator, balanced over sources, and the sheet that they are drawn on."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import DataError
from train.data.cards.reader import usual_layout
from train.data.manifest import write_manifest
from train.data.samples import MOST_BANDS, Band, choose_samples, draw_sample_sheet
from train.data.scan.scan import scan


@pytest.fixture
def manifest(tree: Path) -> Path:
    path = tree.parent / "m.csv"
    write_manifest(scan(tree, usual_layout("mini"), manifest_path=path, workers=1)[0], path)
    return path


def test_every_generator_is_drawn_and_sources_are_balanced() -> None:
    rows = [
        {"path": f"{generator}{number}", "label": label, "generator": generator, "source": source}
        for label, generator, sources in (("real", "camera", "aaaaaaaab"), ("fake", "sdxl", "c"), ("fake", "dit", "dd"))
        for number, source in enumerate(sources)
    ]
    samples = choose_samples(pl.DataFrame(rows), 2)
    assert [(one.label, one.generator, one.pictures) for one in samples] == [
        ("real", "camera", 9),
        ("fake", "dit", 2),
        ("fake", "sdxl", 1),
    ]
    assert {row["source"] for row in samples[0].rows} == {"a", "b"}
    assert samples == choose_samples(pl.DataFrame(rows).reverse(), 2)
    assert any(choose_samples(pl.DataFrame(rows), 2, seed=seed) != samples for seed in range(1, 6))


def test_too_many_kinds_are_told() -> None:
    rows = {"path": [str(n) for n in range(MOST_BANDS + 1)], "generator": [str(n) for n in range(MOST_BANDS + 1)]}
    frame = pl.DataFrame(rows).with_columns(label=pl.lit("fake"), source=pl.lit("s"))
    with pytest.raises(DataError, match="There are 201 generators"):
        choose_samples(frame, 1)


def test_pictures_stand_on_the_sheet_as_they_are() -> None:
    random = np.random.default_rng(5)
    pictures: list[np.ndarray | None] = [random.integers(0, 256, (40, 40, 3), np.uint8) for _ in range(5)]
    title = "a title much longer than the pictures below it, which is not cut " * 2
    sheet = np.asarray(draw_sample_sheet([Band(title, [[*pictures, None]])], 40, 4))
    for place, picture in enumerate([*pictures, np.full((40, 40, 3), 210, np.uint8)]):
        top, left = 30 + place // 4 * 46, 6 + place % 4 * 46
        np.testing.assert_array_equal(sheet[top : top + 40, left : left + 40], picture)
    assert np.flatnonzero((sheet[6:24] < 100).any(axis=(0, 2))).max() > 4 * 46
    assert (sheet[:, -1] == 255).all()


def test_the_verb_writes_a_png_of_pixels_that_the_recipe_makes(manifest: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mirrored.toml"
    recipe.write_text(
        'title = "Mirrored"\n[data]\nview = "upright|square|resize(64)"\ngenerators = ["*"]\n'
        '[model]\nweights = "none"\n'
        "[augment]\nflip = 1.0\ncrop = 1.0\nrescale = 0.0\nblur = 0.0\njpeg = 0.0\n"
        '[[stages]]\nname = "s"\nepochs = 1\nlearning_rate = 0.001\ntrain_from = "all"\n',
        encoding="utf-8",
    )
    out = tmp_path / "sheet.png"
    arguments = ["data", "show", str(manifest), "--augment", str(recipe), "--count", "1", "--versions", "2"]
    done = CliRunner().invoke(app, [*arguments, "--size", "64", "--out", str(out)])
    assert done.exit_code == 0, done.output
    sheet = np.asarray(Image.open(io.BytesIO(out.read_bytes())))
    for band in range(3):
        top = 30 + band * (24 + 70)
        view, first, second = (sheet[top : top + 64, left : left + 64] for left in (6, 76, 146))
        np.testing.assert_array_equal(first, view[:, ::-1])
        np.testing.assert_array_equal(second, view[:, ::-1])
        assert view.std() > 5


def test_the_verb_shows_whole_pictures_and_refuses_what_is_no_png(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(app, ["data", "show", str(manifest), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "36 pictures of 3 kinds" in done.output
    assert Image.open(out).size == (12 * 134 + 6, 3 * (24 + 134) + 6)
    done = CliRunner().invoke(app, ["data", "show", str(manifest), "--out", str(tmp_path / "sheet.jpg")])
    assert done.exit_code == 2
    assert "must end in .png" in done.output
