from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from export.explain.explain_picture import cosine_if_any, explain_picture, open_subject, parts_to_show, spread_of
from export.explain.panels import draw_panel, panel_side
from export.explain.sheet import PAPER, PanelBand, Tile, draw_panel_sheet, enlarged, heat_tile, signed_tile, tile_side
from export.inference.planes import draw_planes
from train.image.decode import decode

if TYPE_CHECKING:
    from tests.export.explain.conftest import Drawn, MakeRun

maps = arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32))


def stands_in(sheet: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether `pixels` stand somewhere in the sheet as they are, found by their corner."""
    height, width = pixels.shape[:2]
    corners = np.argwhere((sheet == pixels[0, 0]).all(-1))
    return any(np.array_equal(sheet[row : row + height, left : left + width], pixels) for row, left in corners)


@given(size=st.integers(8, 1000))
def test_a_tile_repeats_whole_pixels(size: int) -> None:
    side = tile_side(size)
    assert side % size == 0
    assert side >= 320
    assert side - size < 320  # and is no larger than it must be


@settings(max_examples=20)
@given(size=st.integers(1, 9), times=st.integers(1, 5), seed=st.integers(0, 9))
def test_enlarging_makes_nothing_up(size: int, times: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(enlarged(pixels, size * times), pixels.repeat(times, 0).repeat(times, 1))


def test_signed_values_are_red_and_blue_about_white() -> None:
    pixels = signed_tile(np.array([[1.0, 0.5], [0.0, -1.0]]), 4).astype(int)
    strong, weak, nothing, against = pixels[0, 0], pixels[0, 3], pixels[3, 0], pixels[3, 3]
    assert strong[0] > strong[2] + 50
    assert weak[0] > weak[2] + 50
    assert against[2] > against[0] + 50
    assert strong.sum() < weak.sum() < nothing.sum() == 3 * 255
    assert (signed_tile(np.zeros((3, 3)), 6) == 255).all()


def test_cells_have_their_values_written_where_there_is_room() -> None:
    values = np.array([[0.0, 1.0], [0.25, 0.75]], np.float32)
    plain, written = (heat_tile(values, 96, numbers=numbers) for numbers in (False, True))
    assert (plain != written).any()
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 4
    crowded = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    np.testing.assert_array_equal(heat_tile(crowded, 80), heat_tile(crowded, 80, numbers=False))


@pytest.mark.parametrize("text", ["a word " * 30, "oneverylongword" * 20, "Ünïcödé 日本 " * 10, ""])
def test_text_keeps_to_its_tile(text: str) -> None:
    tile = Tile(text, np.zeros((90, 90, 3), np.uint8), text)
    sheet = np.asarray(draw_panel_sheet([text], (1, 2, 3), [PanelBand((tile,) * 3, columns=2, heading=text)], [text]))
    assert (sheet[:, -20:] == [1, 2, 3]).all(-1).any()
    margin = sheet[:, -20:].reshape(-1, 3)
    assert ((margin == [1, 2, 3]).all(-1) | (margin == PAPER).all(-1)).all()
    assert (sheet[-20:] == PAPER).all()
    tiles = np.argwhere((sheet == 0).all(-1))
    assert len(tiles) == 3 * 90 * 90  # no text over a tile


@given(heatmap=maps)
def test_a_heatmap_in_numbers(heatmap: np.ndarray) -> None:
    spread = spread_of(heatmap)
    assert spread.mean == pytest.approx(heatmap.mean(), abs=1e-6)
    assert spread.above_half == sum(value > 0.5 for value in heatmap.ravel()) / heatmap.size
    if spread.strongest is None:
        assert not heatmap.any()
    else:
        assert heatmap[spread.strongest] == heatmap.max()


@given(one=maps, other=maps)
def test_cosines_compare_only_what_speaks(one: np.ndarray, other: np.ndarray) -> None:
    found = cosine_if_any(one, other)
    if one.any() and other.any():
        assert found is not None
        assert 0 <= found <= 1
    else:
        assert found is None
    assert cosine_if_any(one, one) in (None, pytest.approx(1))


@pytest.mark.parametrize("front_end", ["rgb", "ela", "rgb+ela"])
def test_a_panel_shows_the_planes_as_the_backbone_sees_them(front_end: str, make_run: MakeRun, drawn: Drawn) -> None:
    subject = open_subject(make_run(front_end).folder)
    side, what = panel_side(subject), ("heatmap", "planes")
    picture = decode(drawn.pictures[3])
    found = explain_picture(subject, picture, what, operating_point="balanced", side=side)
    sheet = np.asarray(draw_panel(subject, found, what, "x.png"))
    seen = draw_planes(subject.preprocessing, picture)
    parts = front_end.split("+")
    assert [text.partition("(")[0] for text, _ in found.planes] == parts
    for place, (_, plane) in enumerate(found.planes):
        np.testing.assert_array_equal(plane, seen[:, 64 * place : 64 * (place + 1)])
        assert stands_in(sheet, plane.repeat(side // 64, 0).repeat(side // 64, 1))
    assert stands_in(sheet, found.verdict.view.repeat(side // 64, 0).repeat(side // 64, 1))
    if "ela" in parts:
        assert not np.array_equal(found.planes[-1][1], found.verdict.view)


def test_planes_are_shown_where_they_are_not_the_view(make_run: MakeRun, tmp_path: Path) -> None:
    plain, level = (open_subject(make_run(front_end).folder) for front_end in ("rgb", "ela"))
    assert "planes" not in parts_to_show(plain, None)
    assert "planes" in parts_to_show(level, None)
    assert parts_to_show(plain, " planes, heatmap ") == ("heatmap", "planes")


def test_a_run_explains_itself_like_its_graph(make_run: MakeRun, drawn: Drawn) -> None:
    subject = open_subject(make_run("rgb").folder)
    spoken = 0
    for file in drawn.pictures:
        found = explain_picture(subject, decode(file), ("gradcam",), operating_point="balanced")
        assert found.evidence is not None
        cells = np.maximum(found.evidence.cells, 0)
        np.testing.assert_allclose(found.maps["gradcam"], cells / cells.size, atol=1e-5)
        np.testing.assert_allclose(found.verdict.heatmap, cells / max(cells.max(), 1e-5), atol=1e-4)
        probability = 1 / (1 + np.exp(-(0.9 * found.evidence.logit + 0.05)))
        assert found.verdict.probability == pytest.approx(probability, abs=1e-5)
        spoken += int(cells.any() and not cells.all())
    assert spoken  # maps that are neither empty nor full
