"""The share of false alarms is that of a crowd counted one by one, and its words round it and say so."""

import numpy as np
import pytest

from train.evaluate.metrics import Interval, wilson
from train.evaluate.prior_shift import false_share, of_alarms, of_pictures, prevalence_sentence


@pytest.mark.parametrize("prevalence", [0.5, 0.02, 0.3])
def test_the_share_is_that_of_a_crowd(prevalence: float) -> None:
    random = np.random.default_rng(3)
    fake = random.random(400_000) < prevalence
    alarm = random.random(fake.size) < np.where(fake, 0.8, 0.06)
    counted = (alarm & ~fake).sum() / alarm.sum()
    assert false_share(0.06, 0.8, prevalence) == pytest.approx(counted, abs=0.01)


def test_the_sentence_of_the_issue() -> None:
    assert (
        prevalence_sentence(0.02, wilson(64, 1000), wilson(800, 1000))
        == "If 1 in 50 pictures is fake, 4 of 5 alarms are false."
    )


def test_without_a_false_alarm_the_interval_speaks() -> None:
    found = prevalence_sentence(0.02, wilson(0, 80), wilson(90, 100))
    share = false_share(wilson(0, 80).high, 0.9, 0.02)
    assert share is not None
    assert of_alarms(share) in found
    assert "may be false" in found


def test_without_fakes_it_is_the_best_case() -> None:
    share = false_share(0.06, 1.0, 0.02)
    assert share is not None
    assert prevalence_sentence(0.02, wilson(60, 1000), None).endswith(
        f"at least {of_alarms(share)} are false, even if every fake is caught."
    )


def test_where_nothing_is_called_fake_there_are_no_alarms() -> None:
    assert prevalence_sentence(0.5, Interval(0.0, 0.0, 0.0), Interval(0.0, 0.0, 0.1)).endswith("there are no alarms.")


@pytest.mark.parametrize("share", np.linspace(0.001, 0.999, 200))
def test_words_are_near_the_share(share: float) -> None:
    said = of_alarms(share)
    numbers = [int(word) for word in said.split() if word.isdigit()]
    assert abs(numbers[0] / numbers[1] - share) <= 0.0201
    assert said.startswith("fewer than") == (share < 0.01)


def test_prevalence_in_words() -> None:
    assert [of_pictures(one) for one in (0.5, 0.02, 0.3)] == [
        "1 in 2 pictures is", "1 in 50 pictures is", "30 % of the pictures are"]  # fmt: skip
