"""The residual front ends are what their papers say, by somebody else's arithmetic."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ela.front_ends import parse_front_end
from train.common.tf import load_tensorflow

views = st.integers(3, 12).flatmap(lambda half: arrays(np.uint8, (1, 2 * half, 2 * half, 3)))


@given(views, st.integers(1, 64))
def test_npr_is_the_view_less_its_nearest_neighbour_interpolation(view: np.ndarray, gain: int) -> None:
    size = view.shape[1]
    # What the paper does by interpolation: every second pixel, blown up again.
    small = Image.fromarray(np.ascontiguousarray(view[0, ::2, ::2]))
    blown = np.asarray(small.resize((size, size), Image.Resampling.NEAREST)).astype(float)
    expected = np.clip(128 + gain * (view[0] - blown), 0, 255)
    np.testing.assert_array_equal(parse_front_end(f"npr(x{gain})").planes(view)[0], expected)


@settings(deadline=None)
@given(views, st.integers(1, 64))
def test_srm_is_three_filters_over_grey(view: np.ndarray, gain: int) -> None:
    grey = view[0].astype(float) @ np.array([0.25, 0.5, 0.25])
    square_3 = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]) / 4
    square_5 = (
        np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]])
        / 12
    )
    row = np.array([[1.0, -2.0, 1.0]]) / 2
    planes = parse_front_end(f"srm(x{gain})").planes(view)[0]
    for plane, kernel in zip(np.moveaxis(planes, -1, 0), (square_3, square_5, row), strict=True):
        filtered = cv2.filter2D(grey, cv2.CV_64F, kernel)
        # Half a step of rounding, and a hair for OpenCV's own.
        expected = np.clip(128 + gain * filtered, 0, 255)[2:-2, 2:-2]
        assert np.abs(plane[2:-2, 2:-2] - expected).max() <= 0.5 + 1e-6
    edge = np.ones(planes.shape[:2], bool)
    edge[2:-2, 2:-2] = False
    assert (planes[edge] == 128).all()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["npr", "srm"]),
    st.integers(3, 20),
    st.booleans(),
    st.sampled_from([1, 2, 3, 7, 64]),
    st.sampled_from(["noise", "extremes", "checks"]),
    st.integers(0, 2**32 - 1),
)
def test_graphs_equal_the_planes(name: str, half: int, odd: bool, gain: int, kind: str, seed: int) -> None:
    tf = load_tensorflow()
    size = 2 * half + (odd and name == "srm")  # npr takes even sides only
    rng = np.random.default_rng(seed)
    checks = np.broadcast_to((np.indices((size, size)).sum(axis=0) % 2 * 255)[None, ..., None], (2, size, size, 3))
    pictures = {
        "noise": rng.integers(0, 256, (2, size, size, 3)),
        "extremes": rng.choice([0, 255], (2, size, size, 3)),
        "checks": checks,  # the largest sums there are
    }
    views = pictures[kind].astype(np.uint8)
    front = parse_front_end(f"{name}(x{gain})")
    np.testing.assert_array_equal(front.graph(tf, views.astype(np.float32)), front.planes(views))


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_a_flat_view_leaves_no_residual(red: int, green: int, blue: int) -> None:
    view = np.full((1, 8, 8, 3), (red, green, blue), np.uint8)
    for name in ("npr", "srm"):
        assert (parse_front_end(name).planes(view) == 128).all()
