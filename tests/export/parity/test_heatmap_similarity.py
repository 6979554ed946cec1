from __future__ import annotations

import numpy as np
import pytest

from export.parity.heatmap_similarity import compare_maps, cosine, overlap

EMPTY = np.zeros((2, 2), np.float32)
CORNER = np.array([[1, 0], [0, 0]], np.float32)


def test_equal_and_scaled_maps_agree() -> None:
    maps = np.random.default_rng(0).uniform(0, 1, (5, 4, 4)).astype(np.float32)
    agreement = compare_maps(maps, 0.5 * maps)
    assert agreement is not None
    assert (agreement.pictures, agreement.overlap_mean, agreement.overlap_p5) == (5, 1.0, 1.0)
    assert agreement.cosine_p5 == pytest.approx(1)
    assert agreement.cosine_mean == pytest.approx(1)


def test_overlap_is_that_of_the_places_at_half_the_maximum() -> None:
    one = np.array([[1.0, 0.6], [0.4, 0.0]])
    other = np.array([[1.0, 0.4], [0.5, 0.0]])
    # {00, 01} against {00, 10}.
    assert overlap(one, other) == pytest.approx(1 / 3)


@pytest.mark.parametrize("measure", [cosine, overlap])
def test_an_empty_map_agrees_with_an_empty_one_only(measure: object) -> None:
    assert callable(measure)
    assert measure(EMPTY, EMPTY) == 1.0
    assert measure(EMPTY, CORNER) == 0.0
    assert measure(CORNER, EMPTY) == 0.0
    assert measure(CORNER, CORNER[::-1]) == 0.0


def test_without_pairs_there_is_nothing_to_say() -> None:
    assert compare_maps(EMPTY[:0], EMPTY[:0]) is None
