"""Every batch holds as many reals as fakes, every source its share, and twins stand together."""

import numpy as np
import pytest

from train.fit.sampling import plan_all, plan_balanced
from train.recipe import Sampling

# Two real sources (0: 90 pictures, 1: 10), two fake ones (2: 60, 3: 20), and reconstructions (4) of reals 80 to 99.
CELLS = np.repeat([0, 1, 2, 3, 4], [90, 10, 60, 20, 20])
IS_FAKE = CELLS >= 2
TWINS = np.where(CELLS == 4, np.arange(200) - 100, -1)


def test_without_sampling_every_picture_is_shown_once() -> None:
    plan = plan_all(50, (1, 2))
    assert sorted(plan.order) == list(range(50))
    assert np.array_equal(plan.order, plan.streams)
    assert not plan.mixed.any()


@pytest.mark.parametrize(
    ("power", "shares"), [(1.0, {0: 0.9, 1: 0.1, 2: 0.75, 3: 0.25}), (0.0, {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5})]
)
def test_sources_are_drawn_by_the_power_of_their_size(power: float, shares: dict[int, float]) -> None:
    keep = CELLS < 4
    plan = plan_balanced(IS_FAKE[keep], CELLS[keep], TWINS[keep], Sampling(power=power, pictures=1000), (3,))
    drawn = np.bincount(CELLS[plan.order], minlength=4)
    assert {cell: drawn[cell] / 500 for cell in shares} == pytest.approx(shares, abs=0.01)
    # No picture of a source comes twice before all have come.
    for cell in range(4):
        counts = np.bincount(plan.order[CELLS[plan.order] == cell], minlength=200)[cell == CELLS]
        assert counts.max() - counts.min() <= 1


def test_pairs_stand_side_by_side_and_twins_share_their_stream() -> None:
    plan = plan_balanced(IS_FAKE, CELLS, TWINS, Sampling(power=0.5, pictures=400, twins=0.3, mix=0.5), (4,))
    pairs, streams, mixed = (part.reshape(-1, 2) for part in (plan.order, plan.streams, plan.mixed))
    assert not IS_FAKE[pairs[:, 0]].any()
    assert IS_FAKE[pairs[:, 1]].all()
    are_twins = TWINS[pairs[:, 1]] == pairs[:, 0]
    assert are_twins.sum() == 60
    assert np.array_equal(are_twins, CELLS[pairs[:, 1]] == 4)
    assert np.array_equal(are_twins, streams[:, 0] == streams[:, 1])
    assert len(np.unique(streams)) == 400 - 60
    assert not mixed[:, 0].any()
    assert not mixed[~are_twins, 1].any()
    assert 15 <= mixed.sum() <= 45


def test_the_originals_among_twins_count_towards_their_source() -> None:
    # The twins' originals are 10 of source 0 and 10 of source 1: alone they would make the sources uneven.
    plan = plan_balanced(IS_FAKE, CELLS, TWINS, Sampling(power=0.0, pictures=400, twins=0.2), (5,))
    drawn = np.bincount(CELLS[plan.order], minlength=5)
    assert drawn[0] == pytest.approx(drawn[1], abs=2)
    assert drawn[4] == 40


def test_the_seed_decides() -> None:
    sampling = Sampling(pictures=100, twins=0.2)
    one, again, other = (plan_balanced(IS_FAKE, CELLS, TWINS, sampling, seed) for seed in ((1,), (1,), (2,)))
    assert np.array_equal(one.order, again.order)
    assert not np.array_equal(one.order, other.order)
