"""Calibration keeps order and is calibrated; operating points hold what their names promise."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize

from train.common.errors import TrainError
from train.evaluate.calibration import (
    Calibration,
    choose_operating_points,
    equal_weights,
    fit_calibration,
    probabilities,
)
from train.evaluate.decision import POINTS, Decision

labels = st.lists(st.booleans(), min_size=2, max_size=300).filter(lambda found: any(found) and not all(found))


@st.composite
def scored_labels(draw: st.DrawFn, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    fake = np.array(draw(labels))
    # a coarse grid brings ties, which is where thresholds go wrong
    steps = draw(hnp.arrays(np.int64, fake.size, elements=st.integers(0, draw(st.sampled_from([3, 40, 10**6])))))
    return (low + (high - low) * steps / max(1, steps.max())).astype(np.float32), fake


def overlapping(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    fake = np.arange(count) < count // 4
    return random.normal(size=count) + 1.5 * fake, fake


def test_the_fit_is_the_minimum_of_platts_loss_with_equal_class_weight() -> None:
    logits, fake = overlapping(400)
    n_fake, n_real = fake.sum(), (~fake).sum()
    target = np.where(fake, (n_fake + 1) / (n_fake + 2), 1 / (n_real + 2))
    weight = np.where(fake, 0.5 / n_fake, 0.5 / n_real)

    def loss(parameters: np.ndarray) -> float:
        z = parameters[0] * logits + parameters[1]
        return float(np.sum(weight * (np.logaddexp(0, z) - target * z)))

    reference = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12}).x
    fitted = fit_calibration(logits, fake)
    np.testing.assert_allclose([fitted.scale, fitted.bias], reference, rtol=1e-3, atol=1e-3)


def test_the_mix_of_the_classes_does_not_move_the_calibration() -> None:
    logits, fake = overlapping(20_000)
    twice = np.concatenate([np.flatnonzero(~fake), np.flatnonzero(~fake), np.flatnonzero(fake)])
    one, two = fit_calibration(logits, fake), fit_calibration(logits[twice], fake[twice])
    assert one.scale == pytest.approx(two.scale, rel=5e-3)
    assert one.bias == pytest.approx(two.bias, abs=5e-3)


def test_units_of_the_logit_do_not_matter() -> None:
    logits, fake = overlapping()
    plain = probabilities(fit_calibration(logits, fake), logits)
    moved = 1e4 * logits + 3e5
    np.testing.assert_allclose(probabilities(fit_calibration(moved, fake), moved), plain, atol=1e-5)


@pytest.mark.parametrize("gap", [1e-3, 1.0, 1e6])
def test_separated_classes_get_a_finite_scale(gap: float) -> None:
    fake = np.arange(50) < 20
    logits = np.where(fake, gap, 0.0)
    calibration = fit_calibration(logits, fake)
    assert np.isfinite([calibration.scale, calibration.bias]).all()
    p = probabilities(calibration, logits)
    # Platt's targets are where the two groups end up
    np.testing.assert_allclose(p[fake], 21 / 22, atol=1e-3)
    np.testing.assert_allclose(p[~fake], 1 / 32, atol=1e-3)


@pytest.mark.parametrize("turn", [-1.0, 0.0])
def test_a_useless_detector_keeps_a_positive_scale_and_answers_one_half(turn: float) -> None:
    logits, fake = overlapping()
    calibration = fit_calibration(turn * logits, fake)
    assert calibration.scale > 0
    np.testing.assert_allclose(probabilities(calibration, turn * logits), 0.5, atol=0.01)


@given(scored_labels(-30, 30))
@settings(max_examples=60, deadline=None)
def test_probabilities_keep_the_order_of_logits(case: tuple[np.ndarray, np.ndarray]) -> None:
    logits, fake = case
    calibration = fit_calibration(logits, fake)
    assert calibration.scale > 0
    p = probabilities(calibration, np.sort(logits))
    assert p.dtype == np.float32
    assert (np.diff(p) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


def test_huge_logits_do_not_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert probabilities(Calibration(1.0, 0.0), [-1e6, 0.0, 1e6]).tolist() == [0.0, 0.5, 1.0]


@given(scored_labels(0, 1))
@settings(max_examples=200, deadline=None)
def test_operating_points_hold_their_promises(case: tuple[np.ndarray, np.ndarray]) -> None:
    p, fake = case
    assume(p[~fake].max() < 1)
    points = choose_operating_points(p, fake)
    real_scores, fake_scores = p[~fake], p[fake]
    thresholds = np.concatenate([np.unique(p), [np.nextafter(np.float32(p.max()), np.float32(2))]])
    tpr = np.array([(fake_scores >= t).mean() for t in thresholds])
    fpr = np.array([(real_scores >= t).mean() for t in thresholds])
    for threshold, limit in ((points.fpr_1, 0.01), (points.fpr_05, 0.005)):
        assert (real_scores >= threshold).mean() <= limit
        assert (fake_scores >= threshold).mean() == tpr[fpr <= limit].max()
    reached = (fake_scores >= points.balanced).mean() - (real_scores >= points.balanced).mean()
    if p.min() > 0 and points.balanced < points.fpr_1:
        assert reached == pytest.approx((tpr - fpr).max())
    assert points.balanced <= points.fpr_1 <= points.fpr_05
    unsure = (real_scores >= points.unsure_from) & (real_scores < points.fpr_05)
    assert unsure.mean() <= 0.2 + 1e-9
    every = np.array([points.balanced, points.fpr_1, points.fpr_05, points.unsure_from])
    assert ((every >= 0) & (every <= 1)).all()
    assert (every.astype(np.float32) == every).all(), "a phone compares in float32"


def test_separated_classes_meet_in_the_middle_and_nothing_is_unsure() -> None:
    p = np.array([0.01, 0.02, 0.1, 0.7, 0.9, 0.95])
    points = choose_operating_points(p, p > 0.5)
    every = [points.balanced, points.fpr_1, points.fpr_05, points.unsure_from]
    assert every == pytest.approx([0.4] * 4)


def test_thresholds_of_a_case_done_by_hand() -> None:
    real_scores = np.linspace(0.001, 0.4, 200)
    real_scores[-3:] = [0.5, 0.61, 0.8]
    fake_scores = np.array([0.05] + [0.55] * 4 + [0.7] * 15 + [0.9] * 20)
    p = np.concatenate([real_scores, fake_scores])
    points = choose_operating_points(p, np.arange(p.size) >= 200)
    # two reals in 200 may be called fake, then one
    assert points.fpr_1 == pytest.approx((0.5 + 0.55) / 2)
    assert points.fpr_05 == pytest.approx((0.61 + 0.7) / 2)
    # 0.985 + 0.975 above the reals' bulk beats every other cut
    assert points.balanced == pytest.approx((0.5 + 0.55) / 2)
    # two fakes in 40 may lie below: 0.05 and one of the ties at 0.55, so the cut is below the ties
    assert points.unsure_from == pytest.approx((0.5 + 0.55) / 2)
    assert points.decision("balanced") == Decision(points.balanced, points.balanced)


def test_a_weak_detector_is_unsure_of_a_fifth_of_the_reals_and_no_more() -> None:
    logits, fake = overlapping()
    p = probabilities(fit_calibration(logits, fake), logits)
    points = choose_operating_points(p, fake)
    for point in POINTS:
        decision = points.decision(point)
        assert np.mean([decision.label(one) == "unsure" for one in p[~fake]]) <= 0.2
    strictest = points.decision("fpr-0.5%")
    assert np.mean([strictest.label(one) == "unsure" for one in p[~fake]]) > 0.19


def test_weights_count_every_source_alike() -> None:
    random = np.random.default_rng(4)
    # 1,000 reals of one camera and 100 of another, whose pictures score higher.
    many, few, fakes = random.normal(0.2, 0.05, 1000), random.normal(0.5, 0.05, 100), random.normal(0.8, 0.05, 300)
    p = np.clip(np.concatenate([many, few, fakes]), 0, 1)
    source = ["many"] * 1000 + ["few"] * 100 + ["fake"] * 300
    fake = np.arange(p.size) >= 1100
    points = choose_operating_points(p, fake, equal_weights(source))
    of_few = p[1000:1100]
    assert (of_few >= points.fpr_1).mean() <= 0.02 < (of_few >= choose_operating_points(p, fake).fpr_1).mean()
    repeated = np.concatenate([many, np.repeat(few, 10), fakes]).clip(0, 1)
    assert points == choose_operating_points(repeated, np.arange(repeated.size) >= 2000)


def test_the_rate_of_false_alarms_holds_by_source_and_by_picture() -> None:
    random = np.random.default_rng(5)
    # The large source scores higher: evenly weighted sources alone would allow twice as many of all pictures.
    many, few, fakes = random.normal(0.5, 0.05, 1000), random.normal(0.2, 0.05, 100), random.normal(0.6, 0.1, 300)
    p = np.clip(np.concatenate([many, few, fakes]), 0, 1)
    fake = np.arange(p.size) >= 1100
    points = choose_operating_points(p, fake, equal_weights(["many"] * 1000 + ["few"] * 100 + ["fake"] * 300))
    for threshold, rate in ((points.fpr_1, 0.01), (points.fpr_05, 0.005)):
        by_source = ((p[:1000] >= threshold).mean() + (p[1000:1100] >= threshold).mean()) / 2
        by_picture = (p[:1100] >= threshold).mean()
        assert by_source <= by_picture <= rate < by_picture + 2 / 1100


@pytest.mark.parametrize("function", [fit_calibration, choose_operating_points])
@pytest.mark.parametrize(
    ("values", "fake", "word"),
    [
        ([0.1, 0.2], [True, True], "no real"),
        ([0.1, 0.2], [False, False], "no fake"),
        ([0.1, float("nan")], [True, False], "not finite"),
        ([0.1, 0.2, 0.3], [True, False], "3 .* 2 labels"),
        ([], [], "no real"),
    ],
)
def test_degenerate_input_is_refused_in_one_sentence(function, values, fake, word) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TrainError, match=word):
        function(values, fake)


def test_logits_are_no_probabilities() -> None:
    with pytest.raises(TrainError, match="calibrate"):
        choose_operating_points([-3.0, 4.0], [False, True])


def test_small_sources_count_by_their_pictures() -> None:
    names = ["a"] * 100 + ["b"] * 50 + ["c"] * 10
    weights = equal_weights(names, 50)
    total = {name: sum(w for w, n in zip(weights, names, strict=True) if n == name) for name in "abc"}
    assert total["a"] == pytest.approx(total["b"])
    assert total["c"] == pytest.approx(total["b"] / 5)
    assert weights.mean() == pytest.approx(1)
