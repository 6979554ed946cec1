from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from export.inference.detector import LoadedDetector, Verdict, detector_from
from export.inference.overlay import colours, draw_overlay, expand, source_square
from train.image.decode import Picture
from train.image.view import Eyes, apply_view, parse_view

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def a_picture(height: int, width: int, orientation: int = 1) -> Picture:
    rng = np.random.default_rng(height * width)
    image = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize((width, height))
    return Picture(np.asarray(image), orientation, "PNG", None, ())


def a_verdict(heatmap: np.ndarray, label: str = "fake") -> Verdict:
    return Verdict(label, 0.9, "balanced", 0.5, heatmap.astype(np.float32), np.zeros((32, 32, 3), np.uint8), ())


@pytest.fixture(scope="module")
def detector(tiny: Tiny) -> LoadedDetector:
    return detector_from(tiny.sealed["float32"], "tiny")


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), side=st.integers(16, 90), seed=st.integers(0, 99))
def test_expansion_equals_the_one_tf_keras_vis_uses(rows: int, columns: int, side: int, seed: int) -> None:
    from scipy.ndimage import zoom

    heatmap = np.random.default_rng(seed).random((rows, columns), np.float32)
    # tf_keras_vis.gradcam: zoom(cam, factor, order=1, mode="nearest")
    expected = zoom(heatmap, (side / rows, side / columns), order=1, mode="nearest")
    np.testing.assert_allclose(expand(heatmap, side), expected, atol=1e-6)


def test_colours_are_matplotlibs_inferno() -> None:
    import matplotlib

    values = np.linspace(0, 1, 256)
    expected = matplotlib.colormaps["inferno"](values)[:, :3]
    np.testing.assert_allclose(colours(values), expected, atol=0.021)


def test_an_empty_heatmap_leaves_the_picture_as_it_is(detector: LoadedDetector) -> None:
    picture = a_picture(90, 120)
    image = draw_overlay(detector, picture, a_verdict(np.zeros((8, 8))), side=90)
    assert image.size == (90, 101)
    np.testing.assert_array_equal(np.asarray(image)[:90], picture.pixels[:, 15:105])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_square_is_what_the_view_sees(detector: LoadedDetector, orientation: int) -> None:
    picture = a_picture(300, 200, orientation)
    square = source_square(detector.view, picture, None, 256)
    small = np.asarray(Image.fromarray(square).resize((32, 32), Image.Resampling.BILINEAR))
    difference = np.abs(small.astype(int) - apply_view(detector.view, picture).astype(int))
    assert difference.mean() < 2


def test_a_face_view_is_drawn_over_the_face(detector: LoadedDetector) -> None:
    view = parse_view("upright|face(2.4)|resize(32)")
    picture, eyes = a_picture(400, 400), Eyes(200, 180, 60)
    image = draw_overlay(replace(detector, view=view), picture, a_verdict(np.zeros((8, 8))), eyes=eyes, side=144)
    top = 137  # floor(180 + 0.2 * 144 - 72 + 0.5), see train.image.view
    np.testing.assert_array_equal(np.asarray(image)[:144], picture.pixels[top : top + 144, 128:272])


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 7), (7, 0), (3, 5)])
def test_heat_lands_where_it_came_from(detector: LoadedDetector, row: int, column: int) -> None:
    heatmap = np.zeros((8, 8))
    heatmap[row, column] = 1
    picture = Picture(np.full((160, 160, 3), 128, np.uint8), 1, "PNG", None, ())
    drawn = np.asarray(draw_overlay(detector, picture, a_verdict(heatmap), side=160)).astype(int)[:160]
    changed = np.argwhere(np.abs(drawn - 128).sum(-1) > 30)
    expected = np.array([row, column]) * 159 / 7
    assert len(changed)
    assert np.abs(changed.mean(0) - np.clip(expected, 8, 151)).max() < 12


@pytest.mark.parametrize("side", [64, 640])
def test_the_strip_says_each_verdict_in_its_own_way(detector: LoadedDetector, side: int) -> None:
    strips = [
        np.asarray(draw_overlay(detector, a_picture(50, 50), a_verdict(np.zeros((8, 8)), label), side=side))[side:]
        for label in ("real", "unsure", "fake")
    ]
    for strip in strips:
        assert (strip.astype(int) - strip[0, 0]).max() > 60  # there is writing
        assert (strip[:, -1] == strip[0, 0]).all()  # that stays inside
    assert len({strip.tobytes() for strip in strips}) == 3
