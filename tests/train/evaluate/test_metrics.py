"""Metrics against scikit-learn, against cases done by hand, and their intervals."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from train.common.errors import TrainError
from train.evaluate import metrics
from train.evaluate.metrics import Confusion, Interval, Metrics, compute_metrics, score_interval, wilson


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float]:
    n_real, n_fake = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = draw(st.sampled_from([2, 10, 10**6]))
    fake = np.repeat([False, True], [n_real, n_fake])
    p = random.integers(0, steps + 1, fake.size) / steps
    shift = draw(st.sampled_from([0.0, 0.4]))
    # rounded, so that no monotone map makes a tie of two neighbouring floats
    return fake, np.clip(p + shift * fake, 0, 1).round(9), draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))


def intervals(found: Metrics) -> dict[str, Interval]:
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: value for name, value in values.items() if isinstance(value, Interval)}


@given(cases())
@settings(max_examples=150, deadline=None)
def test_values_agree_with_scikit_learn(case: tuple[np.ndarray, np.ndarray, float]) -> None:
    fake, p, threshold = case
    found = compute_metrics(fake, p, threshold, resamples=1)
    called = p >= threshold
    fpr, tpr, _ = reference.roc_curve(fake, p, drop_intermediate=False)
    expected = {
        "auc": reference.roc_auc_score(fake, p),
        "ap": reference.average_precision_score(fake, p),
        "accuracy": reference.accuracy_score(fake, called),
        "balanced_accuracy": reference.balanced_accuracy_score(fake, called),
        "precision": reference.precision_score(fake, called, zero_division=0),
        "recall": reference.recall_score(fake, called),
        "f1": reference.f1_score(fake, called, zero_division=0),
        "tpr_at_1": tpr[fpr <= 0.01].max(),
        "tpr_at_05": tpr[fpr <= 0.005].max(),
        "false_alarms": called[~fake].mean(),
    }
    for name, value in expected.items():
        assert intervals(found)[name].value == pytest.approx(value, abs=1e-12), name
    rows = reference.confusion_matrix(fake, called, labels=[False, True]).ravel().tolist()
    assert found.confusion == Confusion(*rows)
    # on the ROC curve with straight lines, false alarms equal misses at the EER
    eer = found.eer.value
    corner = np.flatnonzero(fpr <= eer + 1e-12)[-1]
    following = min(corner + 1, fpr.size - 1)
    low, high = tpr[fpr == fpr[corner]].min(), max(tpr[corner], tpr[following])
    assert low - 1e-9 <= 1 - eer <= high + 1e-9


@given(cases())
@settings(max_examples=40, deadline=None)
def test_intervals_hold_their_value_and_lie_in_range(case: tuple[np.ndarray, np.ndarray, float]) -> None:
    for name, interval in intervals(compute_metrics(*case, resamples=30)).items():
        assert 0 <= interval.low <= interval.value <= interval.high <= 1 + 1e-12, name


@given(cases(), st.sampled_from([lambda p: p**3, lambda p: 0.2 + p / 2, lambda p: np.sqrt(p)]))
@settings(max_examples=40, deadline=None)
def test_ranking_figures_do_not_change_under_monotone_maps(case, bend) -> None:  # type: ignore[no-untyped-def]
    fake, p, _ = case
    straight, bent = compute_metrics(fake, p, 0.5, resamples=1), compute_metrics(fake, bend(p), 0.5, resamples=1)
    for name in ("auc", "ap", "eer", "tpr_at_1", "tpr_at_05"):
        assert intervals(straight)[name].value == pytest.approx(intervals(bent)[name].value)


def test_a_case_done_by_hand() -> None:
    fake = np.array([False] * 4 + [True] * 4)
    p = np.array([0.1, 0.2, 0.3, 0.8, 0.25, 0.6, 0.7, 0.9])
    found = compute_metrics(fake, p, 0.5)
    assert found.auc.value == pytest.approx(12 / 16)
    assert found.eer.value == pytest.approx(0.25)
    assert found.confusion == Confusion(3, 1, 1, 3)
    assert found.tpr_at_1.value == pytest.approx(0.25)
    assert (found.n_real, found.n_fake) == (4, 4)


def test_calibration_error_of_cases_done_by_hand() -> None:
    # one bin, half and half: the mean p is 0.5, as is the fraction of fakes
    assert compute_metrics([False, True], [0.5, 0.5], 0.5).ece.value == pytest.approx(0)
    # each wrong by 0.9 in its own bin
    assert compute_metrics([False, True], [0.9, 0.1], 0.5).ece.value == pytest.approx(0.9)
    # three reals weigh as much as one fake: bin of 0.5 holds one half of each class
    fake = np.array([False, False, False, False, True, True])
    p = np.array([0.5, 0.5, 0.0, 0.0, 0.5, 1.0])
    assert compute_metrics(fake, p, 0.5).ece.value == pytest.approx(0)


def test_perfect_and_hopeless_detectors() -> None:
    fake = np.arange(20) < 10
    perfect, hopeless = compute_metrics(fake, fake * 1.0, 0.5), compute_metrics(fake, ~fake * 1.0, 0.5)
    assert (perfect.auc.value, perfect.eer.value, perfect.tpr_at_05.value) == (1, 0, 1)
    assert (hopeless.auc.value, hopeless.eer.value, hopeless.tpr_at_1.value) == (0, 1, 0)
    assert perfect.false_alarms.high > 0.2, "ten reals cannot show that there are no false alarms"


def test_the_bootstrap_interval_has_the_width_that_theory_gives() -> None:
    random = np.random.default_rng(11)
    fake = np.arange(800) < 300
    p = 1 / (1 + np.exp(-random.normal(size=800) - 1.2 * fake))
    auc = compute_metrics(fake, p, 0.5, resamples=2000).auc
    # Hanley and McNeil 1982, equation 2
    a = auc.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + 299 * (q1 - a * a) + 499 * (q2 - a * a)) / (300 * 500))
    assert (auc.high - auc.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.12)


def test_same_seed_same_intervals_and_memory_limit_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    fake = random.random(200) < 0.4
    p = random.random(200)
    first = compute_metrics(fake, p, 0.5, resamples=50, seed=4)
    assert first == compute_metrics(fake, p, 0.5, resamples=50, seed=4)
    assert first != compute_metrics(fake, p, 0.5, resamples=50, seed=5)
    monkeypatch.setattr(metrics, "CELLS_AT_ONCE", 1500)
    chunked = compute_metrics(fake, p, 0.5, resamples=50, seed=4)
    assert chunked.auc.value == first.auc.value
    assert chunked.auc.low == pytest.approx(first.auc.low, abs=0.03)


def test_wilson_of_a_textbook_case() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263
    found = wilson(81, 263)
    assert [found.low, found.high] == pytest.approx([0.2553, 0.3662], abs=1e-4)


@pytest.mark.parametrize(
    ("fake", "p", "resamples", "word"),
    [
        ([True], [0.5], 10, "no real"),
        ([True, False], [0.5, float("inf")], 10, "not finite"),
        ([True, False], [0.5, 1.5], 10, r"0\.\.1"),
        ([True, False], [0.5, 0.5], 0, "resamples"),
    ],
)
def test_degenerate_input_is_refused(fake, p, resamples, word) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TrainError, match=word):
        compute_metrics(fake, p, 0.5, resamples=resamples)


@pytest.mark.parametrize("count", [1, 3, 10, 1000])
def test_an_interval_knows_how_few_pictures_it_is_of(count: int) -> None:
    """Classes far apart: every resample agrees, and the bound is that of `count` of `count` (Wilson 1927)."""
    found = compute_metrics([False] * count + [True] * count, [0.1] * count + [0.9] * count, 0.5, resamples=50)
    bound = count / (count + 1.959964**2)
    for name in ("auc", "ap", "balanced_accuracy", "f1", "tpr_at_1", "tpr_at_05", "precision"):
        interval = getattr(found, name)
        assert interval.value == interval.high == 1
        assert interval.low == pytest.approx(bound, abs=1e-6)
    assert found.accuracy.low == pytest.approx(2 * count / (2 * count + 1.959964**2), abs=1e-6)
    assert found.eer.low == 0
    assert found.eer.high == pytest.approx(1 - bound, abs=1e-6)
    assert found.ece.low < found.ece.value < found.ece.high


def test_the_score_interval_is_that_of_scipy() -> None:
    for successes, trials in ((0, 4), (3, 7), (9, 9), (500, 1000)):
        expected = wilson(successes, trials)
        assert score_interval(successes / trials, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)


def many(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    fake = np.repeat([False, True], [count, count // 3])
    return fake, 1 / (1 + np.exp(-random.normal(1.6 * fake - 0.8, 1.0)))


def test_steps_of_many_scores_hardly_move_a_figure() -> None:
    fake, p = many(9_000)
    distinct, place = np.unique(-p, return_inverse=True)
    steps, step = metrics._steps(-distinct, place, fake, 0.5)
    assert steps.size <= metrics.MOST_STEPS < distinct.size and (np.diff(steps) < 0).all()
    exact = {name: interval.value for name, interval in intervals(compute_metrics(fake, p, 0.5, resamples=1)).items()}
    real, fakes = (metrics._counts(step[one], steps.size) for one in (~fake, fake))
    near = {name: float(values[0]) for name, values in metrics._figures(real, fakes, steps, 0.5).items()}
    assert abs(near["auc"] - exact["auc"]) < 1e-4
    # What the threshold decides, and the rates at few false alarms, are the same to the last digit.
    for name in ("accuracy", "balanced_accuracy", "precision", "f1", "tpr_at_1", "tpr_at_05"):
        assert near[name] == pytest.approx(exact[name], abs=1e-12), name
    for name in ("ap", "eer", "ece"):
        assert near[name] == pytest.approx(exact[name], abs=1e-3), name


def test_intervals_of_steps_are_those_of_all_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, p = many(3_000, seed=1)
    by_steps = intervals(compute_metrics(fake, p, 0.6))
    monkeypatch.setattr(metrics, "MOST_STEPS", 10**9)
    by_scores = intervals(compute_metrics(fake, p, 0.6))
    monkeypatch.setattr(metrics, "MANY", 100)
    by_counts = intervals(compute_metrics(fake, p, 0.6))
    for name, interval in by_scores.items():
        width = interval.high - interval.low
        for other in (by_steps[name], by_counts[name]):
            assert other.value == interval.value
            # Two bootstraps of 1,000 differ by a few percent of their width.
            assert (other.low, other.high) == pytest.approx((interval.low, interval.high), abs=0.25 * width), name
