"""Risk and coverage against a definition by hand, and against scikit-learn where all pictures are covered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from train.evaluate.curves import MOST_POINTS
from train.evaluate.decision import Decision
from train.evaluate.risk_coverage import risk_coverage


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Decision]:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    fake = np.repeat([False, True], [draw(st.integers(1, 40)), draw(st.integers(1, 40))])
    steps = draw(st.sampled_from([2, 8, 10**6]))
    p = random.integers(0, steps + 1, fake.size) / steps
    high = draw(st.sampled_from([0.25, 0.5, 0.75]))
    return fake, p, Decision(high, high * draw(st.sampled_from([0.5, 1.0])))


@given(cases())
def test_points_are_those_of_the_definition(case: tuple[np.ndarray, np.ndarray, Decision]) -> None:
    fake, p, decision = case
    found = risk_coverage(fake, p, decision)
    weight = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    wrong = (p >= decision.fake_from) != fake
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    sureness = np.abs(np.log(inside / (1 - inside)) - np.log(decision.fake_from / (1 - decision.fake_from)))
    levels = sorted({round(float(one), 9) for one in sureness}, reverse=True)
    expected = [
        (weight[kept].sum(), (weight * wrong)[kept].sum() / weight[kept].sum())
        for kept in (sureness >= level - 1e-8 for level in levels)
    ]
    assert pytest.approx(np.array(expected), abs=1e-9) == np.array([found.coverage, found.risk]).T
    steps = np.diff([0.0, *(one for one, _ in expected)])
    assert found.aurc == pytest.approx(
        sum(step * risk for step, (_, risk) in zip(steps, expected, strict=True)), abs=1e-9
    )
    # All are covered at the end: what is wrong is what scikit-learn's balanced accuracy lacks.
    assert found.coverage[-1] == pytest.approx(1, abs=1e-12)
    accuracy = balanced_accuracy_score(fake, p >= decision.fake_from)
    assert found.risk[-1] == pytest.approx(1 - accuracy, abs=1e-12)


def test_the_shipped_silence_is_a_point_of_its_own() -> None:
    fake = np.array([False, False, True, True])
    p = np.array([0.1, 0.4, 0.45, 0.9])
    found = risk_coverage(fake, p, Decision(0.5, 0.3))
    assert (found.shipped_coverage, found.shipped_risk) == (0.5, 0)
    silent = risk_coverage(fake, np.full(4, 0.4), Decision(0.5, 0.3))
    assert (silent.shipped_coverage, silent.shipped_risk) == (0, 0)


def test_a_long_curve_is_thinned_out_and_keeps_its_area() -> None:
    random = np.random.default_rng(4)
    fake = np.repeat([False, True], 5_000)
    p = random.beta(2, 3, fake.size) * (1 + 0.3 * fake) / 1.3
    found = risk_coverage(fake, p, Decision(0.4, 0.4))
    assert len(found.coverage) == MOST_POINTS
    assert found.aurc == pytest.approx(float(np.trapezoid(found.risk, found.coverage)), abs=2e-3)
