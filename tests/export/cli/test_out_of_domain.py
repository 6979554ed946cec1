"""What is no face is told to hold none: drawn animals, houses, letters and patterns end with the status of no face."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from typer.testing import CliRunner

from fauxlens import app

SIDE = 320
NO_FACE = 1


def _cat(draw: ImageDraw.ImageDraw) -> None:
    # From behind: the head of one that looks at the camera is a face to the face finder (docs/face-finder.md).
    draw.rectangle((0, 0, SIDE, SIDE), fill="#8fa57c")
    draw.ellipse((60, 180, 260, 420), fill="#6b4f3a")
    draw.ellipse((90, 80, 230, 220), fill="#7a5a42")
    for left in (95, 175):
        draw.polygon([(left, 115), (left + 20, 45), (left + 50, 95)], fill="#7a5a42")


def _house(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, SIDE, SIDE), fill="#9ecae8")
    draw.rectangle((70, 140, 250, 300), fill="#b55a3c")
    draw.polygon([(50, 140), (160, 50), (270, 140)], fill="#5a3a2c")
    for left in (95, 185):
        draw.rectangle((left, 170, left + 40, 210), fill="#f2e8b0")
    draw.rectangle((140, 230, 180, 300), fill="#4a2f20")


def _letters(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, SIDE, SIDE), fill="white")
    for line in range(18):
        draw.text((12, 16 * line + 10), "The quick brown fox jumps over the lazy dog", fill="black")


def _tree(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, SIDE, 220), fill="#bcd8ee")
    draw.rectangle((0, 220, SIDE, SIDE), fill="#5e8f45")
    draw.rectangle((150, 150, 175, 270), fill="#5b4030")
    for x, y in ((110, 60), (150, 40), (130, 100), (170, 90)):
        draw.ellipse((x, y, x + 80, y + 80), fill="#3f7a36")


def _tiles(draw: ImageDraw.ImageDraw) -> None:
    for row in range(8):
        for column in range(8):
            fill = "#d8c3a5" if (row + column) % 2 else "#3a4a5a"
            draw.rectangle((40 * column, 40 * row, 40 * column + 39, 40 * row + 39), fill=fill)


@pytest.mark.parametrize("subject", [_cat, _house, _letters, _tree, _tiles], ids=lambda one: one.__name__[1:])
@pytest.mark.parametrize("soft", [0, 2])
def test_what_is_no_face_is_told_to_hold_none(
    subject: Callable[[ImageDraw.ImageDraw], None], soft: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where `detect` writes the heatmap.
    monkeypatch.chdir(tmp_path)
    picture = Image.new("RGB", (SIDE, SIDE))
    subject(ImageDraw.Draw(picture))
    grain = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 3))
    photo = np.clip(np.asarray(picture.filter(ImageFilter.GaussianBlur(soft))) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "it.jpg", quality=90)
    done = CliRunner().invoke(app, ["detect", str(tmp_path / "it.jpg"), "--json"])
    assert done.exit_code == NO_FACE, done.output
    (found,) = json.loads(done.stdout)["pictures"]
    assert found["face_found"] is False
    assert any(note.startswith("No face found") for note in found["notes"])
    shown = CliRunner().invoke(app, ["detect", str(tmp_path / "it.jpg")])
    assert shown.exit_code == NO_FACE
    assert "No face found" in shown.stdout
