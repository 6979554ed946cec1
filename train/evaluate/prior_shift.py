"""How many alarms are false where few pictures are fake, in words: the share of fakes in a test set says nothing of it.

By Bayes' rule: of the alarms, FPR (1 - prevalence) / (FPR (1 - prevalence) + TPR prevalence) are false.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from train.evaluate.metrics import Interval

if TYPE_CHECKING:
    from train.evaluate.evaluation import Evaluation

SETTINGS = (0.5, 0.1, 0.02, 0.001)
"""Fractions of fakes that reports and cards speak of: every second picture, 1 in 10, 1 in 50, 1 in 1000."""
CLOSE = 0.02
"""A share is told by the smallest number of alarms that comes so close to it."""


def alarm_sentences(evaluation: Evaluation) -> tuple[str, ...]:
    """How many alarms are false in each of SETTINGS, at the balanced and the strict shipped point of a model."""
    reals, fakes = evaluation.reals, evaluation.fakes
    return tuple(
        f"At the {name} point: {listed([prevalence_sentence(one, real, fake) for one in SETTINGS])}"
        for name, real, fake in (
            ("balanced", reals.balanced, fakes.balanced),
            ("1 %", reals.fpr_1, fakes.fpr_1),
        )
    )


def listed(sentences: Sequence[str]) -> str:
    """Several of these sentences as one."""
    bare = [one[0].lower() + one[1:].rstrip(".") for one in sentences]
    return "; ".join(bare) + "."


def false_share(false_alarms: float, caught: float, prevalence: float) -> float | None:
    """The fraction 0..1 of the alarms that are false, where `prevalence` of the pictures are fake; None without alarms.

    false_alarms, caught: the fractions of reals and of fakes that are called fake (FPR, TPR).
    """
    false, right = false_alarms * (1 - prevalence), caught * prevalence
    return false / (false + right) if false + right else None


def prevalence_sentence(prevalence: float, false_alarms: Interval, caught: Interval | None) -> str:
    """For instance 'If 1 in 50 pictures is fake, 4 of 5 alarms are false.'

    caught: None where no fake was there to measure it; then all are taken as caught, which is the best case. Where no
    real was called fake, the upper end of the interval speaks.
    """
    start = f"If {of_pictures(prevalence)} fake, "
    rate = false_alarms.value or false_alarms.high
    share = false_share(rate, 1.0 if caught is None else caught.value, prevalence)
    if share is None:
        return f"{start}there are no alarms."
    if not false_alarms.value:
        return f"{start}up to {of_alarms(share)} may be false, as no real was called fake among too few to say 0 %."
    if caught is None:
        return f"{start}at least {of_alarms(share)} are false, even if every fake is caught."
    return f"{start}{of_alarms(share)} are false."


def of_pictures(prevalence: float) -> str:
    """For instance '1 in 50 pictures is', or '30 % of the pictures are' where that is no such fraction."""
    times = round(1 / prevalence)
    if times > 1 and abs(1 / times - prevalence) < 1e-6:
        return f"1 in {times:,} pictures is"
    return f"{100 * prevalence:g} % of the pictures are"


def of_alarms(share: float) -> str:
    """A fraction 0..1 of the alarms in small whole numbers, such as '4 of 5 alarms'."""
    if share < 0.01:
        return "fewer than 1 of 100 alarms" if share else "none of the alarms"
    if share > 0.99:
        return "more than 99 of 100 alarms" if share < 1 else "all alarms"
    for alarms in (2, 3, 4, 5, 10, 20):
        false = round(share * alarms)
        if 0 < false < alarms and abs(false / alarms - share) <= CLOSE:
            return f"{false} of {alarms} alarms"
    return f"{round(100 * share)} of 100 alarms"
