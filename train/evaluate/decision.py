"""How a probability becomes a decision, and the words for it: the one table that people, reports and cards go by."""

from dataclasses import dataclass
from typing import Literal, get_args

Label = Literal["real", "unsure", "fake"]
LABELS: tuple[Label, ...] = get_args(Label)
"""From mild to severe."""

Point = Literal["balanced", "fpr-1%", "fpr-0.5%"]
POINTS: tuple[Point, ...] = get_args(Point)
"""The operating points that ship with a detector, from the one that calls most pictures fake to the strictest."""

WORDS: dict[str, str] = {"real": "looks real", "unsure": "cannot tell", "fake": "looks AI-generated"}
"""What a person reads: terminal, overlay, report, app and web page."""


@dataclass(frozen=True)
class Decision:
    """One operating point: fake iff p >= fake_from, else unsure iff p >= unsure_from, else real.

    Both are calibrated probabilities of "fake", 0 <= unsure_from <= fake_from <= 1. Nothing else decides, so
    `fake_from` is the threshold that is printed.
    """

    fake_from: float
    unsure_from: float

    def label(self, probability: float) -> Label:
        """The decision for a calibrated probability in 0..1; a higher one never sounds milder."""
        if probability >= self.fake_from:
            return "fake"
        return "unsure" if probability >= self.unsure_from else "real"


def decision_of_format_1(threshold: float, unsure: tuple[float, float], *, balanced: bool) -> Decision:
    """The same decisions as a detector file of format 1, which had one band [low, high) for all of its thresholds.

    There the balanced point called fake what reached both the threshold and `high`, a stricter point what reached the
    threshold alone.
    """
    low, high = unsure
    return Decision(max(threshold, high) if balanced else threshold, min(threshold, low))
