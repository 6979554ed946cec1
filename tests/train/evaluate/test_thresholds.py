"""Operating points for a goal: the best of all thresholds by brute force; the conformal guarantee by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import beta
from sklearn.metrics import roc_curve

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.thresholds import (
    Conformal,
    Cost,
    FalseAlarms,
    Goal,
    Recall,
    choose_for,
    conformal_band,
    parse_costs,
    parse_error_rate,
    parse_rate,
    rates_too_small,
)

BEFORE = OperatingPoints(0.5, 0.75, 0.875, 0.375)


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    fake = np.array(draw(st.lists(st.booleans(), min_size=2, max_size=200).filter(lambda one: 0 < sum(one) < len(one))))
    steps = draw(st.sampled_from([4, 60, 10**6]))
    return draw(hnp.arrays(np.int64, fake.size, elements=st.integers(0, steps))).astype(np.float32) / steps, fake


def rates(scores: np.ndarray, fake: np.ndarray, threshold: float) -> tuple[float, float]:
    called = scores >= np.float32(threshold)
    return float(called[~fake].mean()), float(called[fake].mean())


@settings(max_examples=60)
@given(scored(), st.sampled_from([0.01, 0.05, 0.3]))
def test_false_alarms_are_kept_and_no_threshold_catches_more(case: tuple[np.ndarray, np.ndarray], rate: float) -> None:
    scores, fake = case
    points = choose_for(FalseAlarms(rate), scores, fake, BEFORE)
    alarms, caught = rates(scores, fake, points.balanced)
    if (scores[~fake] == 1).mean() <= rate:  # else no threshold in 0..1 keeps it
        assert alarms <= rate + 1e-9
        fpr, tpr, _ = roc_curve(fake, scores, drop_intermediate=False)
        assert caught == pytest.approx(tpr[fpr <= rate + 1e-12].max(), abs=1e-12)
    assert points.balanced <= points.fpr_1 <= points.fpr_05
    assert points.unsure_from <= points.fpr_05


@settings(max_examples=60)
@given(scored(), st.sampled_from([0.5, 0.9, 0.99]))
def test_recall_is_reached_with_the_fewest_false_alarms(case: tuple[np.ndarray, np.ndarray], rate: float) -> None:
    scores, fake = case
    alarms, caught = rates(scores, fake, choose_for(Recall(rate), scores, fake, BEFORE).balanced)
    fpr, tpr, _ = roc_curve(fake, scores, drop_intermediate=False)
    assert caught >= rate - 1e-9
    assert alarms == pytest.approx(fpr[tpr >= rate - 1e-9].min(), abs=1e-12)


@settings(max_examples=60)
@given(scored(), st.sampled_from([(1, 1, 0.5), (1, 20, 0.02), (50, 1, 0.1)]))
def test_no_threshold_costs_less(case: tuple[np.ndarray, np.ndarray], costs: tuple[float, float, float]) -> None:
    scores, fake = case
    goal = Cost(*costs)

    def cost(alarms: np.ndarray, caught: np.ndarray) -> np.ndarray:
        return goal.false_alarm * (1 - goal.prevalence) * alarms + goal.miss * goal.prevalence * (1 - caught)

    found = cost(*map(np.asarray, rates(scores, fake, choose_for(goal, scores, fake, BEFORE).balanced)))
    # Every threshold above 0: at 0 all pictures are fake, whatever their scores.
    edges = np.unique(np.append(scores[scores > 0], 1.0))
    least = min(float(cost(*map(np.asarray, rates(scores, fake, edge)))) for edge in edges)
    assert float(found) == pytest.approx(least, abs=1e-12)


def test_few_reals_raise_the_strict_points_and_never_lower_them() -> None:
    low = np.linspace(0, 0.4, 80, dtype=np.float32)
    points = choose_for(FalseAlarms(0.05), low, np.zeros(80, bool), BEFORE)
    assert (points.fpr_1, points.fpr_05) == (BEFORE.fpr_1, BEFORE.fpr_05)
    assert points.balanced < 0.4
    many = choose_for(FalseAlarms(0.05), np.linspace(0, 0.4, 800, dtype=np.float32), np.zeros(800, bool), BEFORE)
    assert many.fpr_1 < 0.4 < BEFORE.fpr_1
    assert many.unsure_from <= BEFORE.unsure_from


def test_without_reals_the_strict_points_stay() -> None:
    points = choose_for(Recall(0.9), np.linspace(0.2, 0.7, 50), np.ones(50, bool), BEFORE)
    assert (points.fpr_1, points.fpr_05) == (BEFORE.fpr_1, BEFORE.fpr_05)
    assert points.balanced < 0.26


@pytest.mark.parametrize("rate", [0.05, 0.2])
@pytest.mark.parametrize("apart", [0.5, 4.0])
def test_the_conformal_guarantee_holds_on_average_and_is_tight(rate: float, apart: float) -> None:
    """The mean error over calibration sets is at most the rate: by exchangeability it is floor((n+1) rate)/(n+1)."""
    random = np.random.default_rng(7)
    n = 60
    wrong = []
    for _ in range(1500):
        reals, fakes, new_reals, new_fakes = (
            (1 / (1 + np.exp(-random.normal(centre, 1, size)))).astype(np.float32)
            for centre, size in ((0, n), (apart, n), (0, 40), (apart, 40))
        )
        fake_from, unsure_from = conformal_band(np.sort(reals), np.sort(fakes), rate)
        assert 0 <= unsure_from <= max(unsure_from, fake_from) <= 1
        decided_real = new_fakes < min(fake_from, unsure_from)
        wrong.append(((new_reals >= np.float32(fake_from)).mean(), decided_real.mean()))
    mean, error = np.mean(wrong, axis=0), np.std(wrong, axis=0) / np.sqrt(len(wrong))
    assert (mean <= rate + 4 * error).all()
    # Half of a gap between two scores is given away, and all of the room where the classes hardly overlap.
    if apart < 1:
        assert (mean >= np.floor((n + 1) * rate) / (n + 1) - 1 / (n + 1) - 4 * error).all()


def test_a_single_calibration_set_errs_as_the_beta_distribution_says() -> None:
    """The error given the set is Beta distributed (Vovk 2012, proposition 2): uniform scores need no simulation."""
    random, n, rate = np.random.default_rng(1), 99, 0.1
    found = []
    for _ in range(800):
        reals = np.sort(random.random(n).astype(np.float32))
        fakes = np.sort(random.random(n).astype(np.float32))
        fake_from, _ = conformal_band(reals, fakes, rate)
        found.append(1 - fake_from)
    allowed = beta(10, 90)
    assert np.mean(found) == pytest.approx(allowed.mean(), abs=0.01)
    assert np.quantile(found, 0.9) == pytest.approx(allowed.ppf(0.9), abs=0.015)


def test_a_conformal_point_is_one_of_the_decision_table() -> None:
    random = np.random.default_rng(2)
    scores = np.concatenate([random.beta(2, 5, 300), random.beta(5, 2, 300)])
    points = choose_for(Conformal(0.1), scores, np.arange(600) >= 300, BEFORE)
    one = points.decision("balanced")
    assert one.unsure_from < one.fake_from
    labels = [one.label(score) for score in scores]
    assert np.mean([label == "fake" for label in labels[:300]]) <= 0.1
    assert np.mean([label == "real" for label in labels[300:]]) <= 0.1


@pytest.mark.parametrize(
    ("goal", "fakes", "sentence"),
    [
        (FalseAlarms(0.01), [1, 1], "no real picture"),
        (Recall(0.9), [0, 0], "no fake picture"),
        (Cost(1, 1, 0.5), [0, 0], "no fake picture"),
        (Conformal(0.1), [0, 1], "needs at least 9 real pictures and there are 1"),
    ],
)
def test_what_is_missing_is_named(goal: Goal, fakes: list[int], sentence: str) -> None:
    with pytest.raises(TrainError, match=sentence):
        choose_for(goal, [0.2, 0.8], fakes, BEFORE)


@pytest.mark.parametrize("bad", [float("nan"), 1.5, -0.1])
def test_scores_that_are_no_probabilities_are_refused(bad: float) -> None:
    with pytest.raises(TrainError, match="finite"):
        choose_for(FalseAlarms(0.1), [0.2, bad, 0.8], [0, 0, 1], BEFORE)


def test_rates_and_costs_as_people_write_them() -> None:
    assert [parse_rate(text, "--x") for text in ("1%", "0.5 %", "0.02", "1/50")] == [0.01, 0.005, 0.02, 0.02]
    assert parse_costs("1:20", "--x") == (1, 20)
    for text in ("", "1", "0%", "100%", "1/0", "1..2%", "nan", "-1%", "१%"):
        with pytest.raises(TrainError, match="--x"):
            parse_rate(text, "--x")
    for text in ("", "1", "1:0", "a:b", "1:nan", "1:inf", "1:-2"):
        with pytest.raises(TrainError, match="--x"):
            parse_costs(text, "--x")


def test_no_goal_allows_as_many_errors_as_a_coin() -> None:
    assert parse_error_rate("49.9%", "--x") == pytest.approx(0.499)
    for text in ("50%", "0.6", "99 %"):
        with pytest.raises(TrainError, match=r"--x .* allows as many errors as guessing"):
            parse_error_rate(text, "--x")


def test_rates_of_less_than_one_validation_photograph_are_told_with_what_they_may_be() -> None:
    assert rates_too_small(80) == (
        "1 % and 0.5 % of 80 validation photographs are less than one photograph: those thresholds lie above all of "
        "them, and up to 4.6 % of other photographs may be called fake there."
    )
    assert rates_too_small(199).startswith("0.5 % of 199 validation photographs is less than one photograph: that")
    assert rates_too_small(200) == ""
