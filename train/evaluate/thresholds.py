"""Operating points for a setting of one's own: at most so many false alarms, so many fakes caught, least cost, or a
conformal guarantee."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from train.common.errors import TrainError
from train.evaluate.calibration import FPR_05, FPR_1, OperatingPoints, two_classes
from train.evaluate.metrics import wilson
from train.evaluate.ranked import (
    Ranked,
    caught_at_least,
    false_alarms_at_most,
    few_fakes_below,
    few_reals_between,
    just_above,
    just_below,
    least_cost,
)

CHANCE = 0.5
"""The fraction of either class that a coin calls wrongly: no goal allows as much."""


@dataclass(frozen=True)
class FalseAlarms:
    """Catch the most fakes while at most this fraction of the reals, 0 < rate < 0.5, is called fake."""

    rate: float


@dataclass(frozen=True)
class Recall:
    """Call as few reals fake as possible while at least this fraction of the fakes, 0 < rate <= 1, is called fake."""

    rate: float


@dataclass(frozen=True)
class Cost:
    """The least mean cost a picture: of each false alarm and each missed fake, in any unit, where `prevalence` of the
    pictures, 0 < prevalence < 1, are fake."""

    false_alarm: float
    miss: float
    prevalence: float


@dataclass(frozen=True)
class Conformal:
    """Of new reals at most this fraction, 0 < rate < 0.5, is called fake, and of new fakes at most as many real, on
    average over all sets of pictures that the points might have been chosen on; what cannot be told so is unsure."""

    rate: float


Goal: TypeAlias = FalseAlarms | Recall | Cost | Conformal


def choose_for(
    goal: Goal, probability: npt.ArrayLike, is_fake: npt.ArrayLike, before: OperatingPoints
) -> OperatingPoints:
    """The operating points of a setting, from calibrated probabilities [N] of its pictures, each counting alike.

    The goal decides the balanced point, which is the one used where nobody asks for another. The 1 % and 0.5 % points
    are chosen on the same reals and are never below it; so few reals that the rate is under one picture only raise
    them from what they were `before`, and without reals they stay. Where there are no fakes, `unsure_from` stays,
    raised where more than a fifth of the reals would be unsure. Raises TrainError where a class is missing that the
    goal needs, a probability is not in 0..1, and for a conformal rate that so few pictures cannot guarantee.
    """
    scores, fake = _checked(probability, is_fake)
    _check_classes(goal, fake)
    reals, fakes = Ranked.of(scores[~fake]), Ranked.of(scores[fake])
    if isinstance(goal, Conformal):
        chosen, unsure_from = conformal_band(reals.scores, fakes.scores, goal.rate)
        fpr_1, fpr_05 = _stricter(reals, fakes, chosen, before)
        return OperatingPoints(chosen, fpr_1, fpr_05, unsure_from)
    if isinstance(goal, FalseAlarms):
        chosen = false_alarms_at_most(reals, fakes, goal.rate)
    elif isinstance(goal, Recall):
        chosen = caught_at_least(reals, fakes, goal.rate)
    else:
        per_real, per_fake = goal.false_alarm * (1 - goal.prevalence), goal.miss * goal.prevalence
        chosen = least_cost(reals, fakes, per_real, per_fake)
    fpr_1, fpr_05 = _stricter(reals, fakes, chosen, before)
    unsure_from = few_fakes_below(reals, fakes) if fakes.scores.size else before.unsure_from
    if reals.scores.size:
        unsure_from = max(unsure_from, few_reals_between(reals, fpr_05))
    return OperatingPoints(chosen, fpr_1, fpr_05, min(unsure_from, fpr_05))


def conformal_band(reals: npt.NDArray[np.float32], fakes: npt.NDArray[np.float32], rate: float) -> tuple[float, float]:
    """`fake_from` and `unsure_from` by split conformal prediction within each class, from its sorted scores.

    A picture is called fake where "real" is not in its prediction set, real where "fake" is not, else unsure. Of n
    reals the ceil((n+1)(1-rate))-th smallest score, and of n fakes the floor((n+1) rate)-th, bound the sets (Vovk,
    Gammerman and Shafer 2005, section 4.5, label-conditional; Angelopoulos and Bates 2023, section 4.2). Where the
    sets leave a gap in which neither class is likely, both thresholds lie in its middle.
    Raises TrainError where a class has too few pictures for the rate, or reals that score exactly 1.0 prevent it.
    """
    for name, scores in (("real", reals), ("fake", fakes)):
        needed = math.ceil(1 / rate - 1e-9) - 1
        if scores.size < needed:
            raise TrainError(
                f"A conformal guarantee at {100 * rate:g} % needs at least {needed} {name} pictures and there are "
                f"{scores.size}: add pictures, or ask for a larger rate."
            )
    last_real = reals[math.ceil((reals.size + 1) * (1 - rate) - 1e-9) - 1]
    first_fake = fakes[math.floor((fakes.size + 1) * rate + 1e-9) - 1]
    one, other = Ranked.of(reals), Ranked.of(fakes)
    fake_from = just_above(one, other, last_real)
    if fake_from is None:
        raise TrainError(
            f"More than {100 * rate:g} % of the reals score exactly 1.0, so no threshold guarantees it: ask for a "
            "larger rate."
        )
    unsure_from = just_below(one, other, first_fake)
    if unsure_from > fake_from:
        middle = float(np.float32((float(last_real) + float(first_fake)) / 2))
        fake_from = unsure_from = max(middle, fake_from)
    return fake_from, unsure_from


def parse_error_rate(text: str, option: str) -> float:
    """As `parse_rate`, of pictures that may be called wrongly: below a half, which a tossed coin reaches."""
    rate = parse_rate(text, option)
    if rate >= CHANCE:
        raise TrainError(
            f"{option} {text!r} allows as many errors as guessing: give a rate below {100 * CHANCE:g} %, such as 5%."
        )
    return rate


def parse_rate(text: str, option: str) -> float:
    """A fraction above 0 and below 1 from '1%', '0.5 %', '0.01' or '1/50'.

    Raises TrainError, which names the option, for other texts.
    """
    found = _RATE.fullmatch(text)
    number, percent, divided = found.groups() if found else ("", None, None)
    with suppress(ValueError, ZeroDivisionError):
        rate = float(number) / (100 if percent else float(divided) if divided else 1)
        if 0 < rate < 1:
            return rate
    raise TrainError(
        f"{option} {text!r} is not a rate between 0 and 100 %: write a percentage such as 1%, or a fraction such as "
        "1/100."
    )


def parse_costs(text: str, option: str) -> tuple[float, float]:
    """Two costs above 0 from 'FP:FN'. Raises TrainError, which names the option, for other texts."""
    first, colon, second = text.partition(":")
    with suppress(ValueError):
        costs = float(first), float(second)
        if colon and all(0 < cost < math.inf for cost in costs):
            return costs
    raise TrainError(
        f"{option} {text!r} is not a pair of costs: give the costs of a false alarm and of a missed fake, such as 1:5."
    )


_RATE = re.compile(r"\s*([0-9.]+)\s*(?:(%)|/\s*([0-9.]+))?\s*", re.ASCII)


def _checked(
    probability: npt.ArrayLike, is_fake: npt.ArrayLike
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    scores, fake = np.asarray(probability, np.float32).ravel(), np.asarray(is_fake, bool).ravel()
    if fake.any() and not fake.all():
        two_classes(scores, fake, "probabilities")
    if scores.size != fake.size or not scores.size:
        raise TrainError(f"There are {scores.size} probabilities for {fake.size} labels: give one for each picture.")
    if not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
        raise TrainError("Operating points need finite probabilities in 0..1: score the pictures again.")
    return scores, fake


def _check_classes(goal: Goal, fake: npt.NDArray[np.bool_]) -> None:
    needs_real, needs_fake = not isinstance(goal, Recall), not isinstance(goal, FalseAlarms)
    for needed, there, name in ((needs_real, (~fake).any(), "real"), (needs_fake, fake.any(), "fake")):
        if needed and not there:
            raise TrainError(
                f"There is no {name} picture to choose thresholds on: this goal needs pictures labelled {name}."
            )


def _stricter(reals: Ranked, fakes: Ranked, chosen: float, before: OperatingPoints) -> tuple[float, float]:
    if not reals.scores.size:
        fpr_1, fpr_05 = before.fpr_1, before.fpr_05
    else:
        fpr_1, fpr_05 = (false_alarms_at_most(reals, fakes, rate) for rate in (FPR_1, FPR_05))
        # Fewer pictures than one false alarm takes may raise a threshold; they prove nothing that would lower it.
        fpr_1 = fpr_1 if FPR_1 * reals.scores.size >= 1 else max(fpr_1, before.fpr_1)
        fpr_05 = fpr_05 if FPR_05 * reals.scores.size >= 1 else max(fpr_05, before.fpr_05)
    fpr_1 = max(chosen, fpr_1)
    return fpr_1, max(fpr_1, fpr_05)


def rates_too_small(n_real: int) -> str:
    """Say in a sentence which of the shipped rates are under one of `n_real` validation reals, or nothing.

    Such a threshold only lies above every one of those reals. What their rate may be then is the upper end of the
    95 % interval for none of them (Wilson 1927).
    """
    small = [f"{100 * rate:g} %" for rate in (FPR_1, FPR_05) if 0 < rate * n_real < 1]
    if not small:
        return ""
    subject = f"{' and '.join(small)} of {n_real:,} validation photographs {'is' if len(small) == 1 else 'are'}"
    threshold = "that threshold lies" if len(small) == 1 else "those thresholds lie"
    return (
        f"{subject} less than one photograph: {threshold} above all of them, and up to "
        f"{100 * wilson(0, n_real).high:.1f} % of other photographs may be called fake there."
    )
