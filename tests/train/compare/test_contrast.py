"""The interval of a difference knows both sources of chance, and many differences at once are corrected for."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, ttest_ind

from train.compare.contrast import LEVEL, BootstrapSample, contrast, holm

RATES = st.lists(st.floats(0, 1), min_size=2, max_size=6)


def sample(by_seed: list[float] | np.ndarray, wobble: np.ndarray) -> BootstrapSample:
    """A sample whose resamples all move by `wobble`, [B]."""
    values = np.asarray(by_seed, np.float64)
    return BootstrapSample(values, values[:, None] + wobble)


def test_chance_of_a_training_and_a_picture_together_is_not_counted_twice() -> None:
    random = np.random.default_rng(2)
    common, own = random.normal(size=4000), random.normal(size=(6, 4000))
    values = np.array([0.5, 0.5, 0.5])
    arm = BootstrapSample(values, 0.5 + 0.02 * common + 0.05 * own[:3])
    baseline = BootstrapSample(values, 0.5 + 0.05 * own[3:])
    found = contrast(arm, baseline, 10**6, rate=False)
    assert found.pictures_se == pytest.approx(0.02, rel=0.1)


def test_without_chance_in_the_pictures_it_is_welchs_t_test() -> None:
    arm, baseline = [0.91, 0.94, 0.97], [0.80, 0.81, 0.83]
    tiny = 1e-9 * np.random.default_rng(0).normal(size=200)
    found = contrast(sample(arm, tiny), sample(baseline, 0 * tiny), 300, rate=False)
    welch = ttest_ind(arm, baseline, equal_var=False)
    bounds = welch.confidence_interval(0.95)
    assert [found.p, found.seeds_df] == pytest.approx([welch.pvalue, welch.df])
    assert [found.low, found.high] == pytest.approx([bounds.low, bounds.high])


def test_without_chance_in_the_trainings_it_is_the_bootstrap_over_pictures() -> None:
    wobble = 0.02 * np.random.default_rng(0).normal(size=4000)
    found = contrast(sample([0.8, 0.8, 0.8], wobble), sample([0.7, 0.7, 0.7], 0 * wobble), 10**6, rate=False)
    assert found.high - found.value == pytest.approx(norm.isf(0.025) * wobble.std(ddof=1), rel=1e-4)
    assert found.seeds_se == pytest.approx(0, abs=1e-12)
    assert found.pictures_se == pytest.approx(found.se)


@settings(deadline=None)
@given(RATES, RATES, st.floats(1e-6, 0.3), st.integers(2, 5000), st.booleans())
def test_p_interval_and_direction_agree(
    arm: list[float], baseline: list[float], spread: float, units: int, rate: bool
) -> None:
    wobble = spread * np.array([-1.0, 0.0, 1.0])
    found = contrast(sample(arm, wobble), sample(baseline, 0 * wobble), units, rate=rate)
    assert -1 <= found.low <= found.value <= found.high <= 1
    if abs(found.p - LEVEL) > 1e-9:
        outside = abs(found.value) > found.half_width()
        assert outside == (found.p < LEVEL)
    turned = contrast(sample(baseline, 0 * wobble), sample(arm, wobble), units, rate=rate)
    assert (turned.value, turned.low, turned.high) == pytest.approx((-found.value, -found.high, -found.low))
    assert turned.p == pytest.approx(found.p)


@pytest.mark.parametrize("units", [30, 300, 3000])
@pytest.mark.parametrize("rate", [True, False])
def test_where_nothing_varies_the_interval_is_that_of_the_rule_of_three(units: int, rate: bool) -> None:
    nothing = sample([0.0, 0.0, 0.0], np.zeros(100))
    found = contrast(nothing, nothing, units, rate=rate)
    assert found.p == 1
    assert found.high == pytest.approx(3 / units, rel=0.1)


def test_a_rate_that_hardly_varies_is_no_surer_than_one_that_does_not() -> None:
    hardly = sample([0.0, 0.0, 0.0], np.r_[np.zeros(999), 1e-3])
    nothing = sample([0.0, 0.0, 0.0], np.zeros(1000))
    assert contrast(hardly, nothing, 300, rate=True).high >= 0.99 * contrast(nothing, nothing, 300, rate=True).high


def test_resamples_without_such_a_picture_are_left_out() -> None:
    wobble = np.array([-0.01, 0.01, np.nan, -0.01, 0.01])
    kept = wobble[[0, 1, 3, 4]]
    with_gap = contrast(sample([0.8, 0.81], wobble), sample([0.7, 0.71], 0 * wobble), 50, rate=True)
    without = contrast(sample([0.8, 0.81], kept), sample([0.7, 0.71], 0 * kept), 50, rate=True)
    assert with_gap == without


@pytest.mark.parametrize(
    ("seeds", "of_seeds", "of_pictures"),
    [(3, 0.0, 0.02), (3, 0.01, 0.02), (3, 0.02, 0.01), (3, 0.05, 0.01), (2, 0.03, 0.01), (5, 0.02, 0.01)],
)
def test_intervals_hold_the_truth_nineteen_times_in_twenty(seeds: int, of_seeds: float, of_pictures: float) -> None:
    random = np.random.default_rng(3)
    studies, held = 1000, 0
    for _ in range(studies):
        pictures = of_pictures * random.normal()
        wobble = of_pictures * np.sqrt(0.5) * random.normal(size=(2, 60))
        arm, baseline = 0.6 + of_seeds * random.normal(size=(2, seeds)) + np.array([[pictures], [0.0]])
        found = contrast(sample(arm, wobble[0]), sample(baseline, wobble[1]), 300, rate=False)
        held += found.low <= 0 <= found.high
    # Three standard errors of the share, and as much as t with so few degrees of freedom is known to be too wide.
    assert 0.93 <= held / studies <= 0.995


def test_ignoring_the_seeds_would_not_hold() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(500):
        arm, baseline = 0.6 + 0.03 * random.normal(size=(2, 3))
        wobble = 0.01 * random.normal(size=60)
        found = contrast(sample(arm, wobble), sample(baseline, 0 * wobble), 300, rate=False)
        held += abs(found.value) <= norm.isf(0.025) * found.pictures_se
    assert held / 500 < 0.7


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        # by hand: sorted, times 4, 3, 2, 1, then never smaller than the one before
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.9, 0.0001, 0.5], [1.0, 0.0003, 1.0]),
        ([0.04], [0.04]),
        ([], []),
    ],
)
def test_holm_by_hand(p: list[float], adjusted: list[float]) -> None:
    assert holm(p) == pytest.approx(adjusted)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_procedure_of_bonferroni(p: list[float]) -> None:
    """A difference is called exactly if every set of differences with it in is refused by Bonferroni."""
    for place, adjusted in enumerate(holm(p)):
        others = [one for one in range(len(p)) if one != place]
        sets = [(place, *rest) for size in range(len(p)) for rest in combinations(others, size)]
        assert adjusted == pytest.approx(min(1.0, max(len(one) * min(p[i] for i in one) for one in sets)))


def test_half_width_is_where_bonferroni_turns() -> None:
    wobble = 0.01 * np.array([-1.0, 1.0])
    found = contrast(sample([0.8, 0.82, 0.81], wobble), sample([0.8, 0.79, 0.81], 0 * wobble), 300, rate=True)
    assert found.high - found.value == pytest.approx(found.half_width())
    edge = found.half_width(20)
    assert edge > found.half_width()
    assert 20 * found.p_of(edge) == pytest.approx(LEVEL)
    assert found.p_of(found.value) == found.p


@pytest.mark.parametrize("uneven", [1.0, 6.0])
def test_many_differences_without_substance_are_seldom_called(uneven: float) -> None:
    """Families of 24: four arms against a baseline on six sets, three seeds, now and then three that agree by luck."""
    random = np.random.default_rng(5)
    families, called = 200, 0
    of_seeds = np.array([0.01, 0.05, 0.05, 0.015, 0.015, 0.02])
    for _ in range(families):
        steps = np.outer([1, uneven, 1, 1, 1], of_seeds)[:, :, None] * random.normal(size=(5, 6, 3))
        values = 0.6 + steps + 0.01 * random.normal(size=(5, 6, 1))
        wobble = 0.01 * np.sqrt(2) * np.array([-1.0, 0.0, 1.0])
        p = [
            contrast(sample(values[arm, one], wobble), sample(values[0, one], 0 * wobble), 300, rate=False).p
            for arm in range(1, 5)
            for one in range(6)
        ]
        called += min(holm(p)) < LEVEL
    # Two standard errors above 5 %.
    assert called / families <= 0.05 + 0.02
