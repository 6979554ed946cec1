"""Where thresholds may lie between ranked scores: the searches that operating points are chosen by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MISSED_BELOW_BAND = 0.05
"""The unsure band begins where this fraction of the fakes lies below it, unless that is too wide a band."""
UNSURE_REALS = 0.2
"""At most this fraction of the reals is answered with "unsure", at every operating point."""


@dataclass(frozen=True)
class Ranked:
    """Scores of one class in ascending order; `share[i]` is the weighted fraction of them from index i on.

    share[-1] = 0. A class without pictures has no scores, and a share of 0 everywhere.
    """

    scores: npt.NDArray[np.float32]
    share: npt.NDArray[np.float64]

    @classmethod
    def of(cls, scores: npt.NDArray[np.float32], weights: npt.NDArray[np.float64] | None = None) -> Ranked:
        """Rank scores [N]; weights [N], >= 0: what each counts, else all count the same."""
        counts = np.ones(scores.size) if weights is None else weights
        kept = counts > 0
        order = np.argsort(scores[kept], kind="stable")
        from_top = np.cumsum(counts[kept][order][::-1])[::-1]
        return cls(scores[kept][order], np.append(from_top / from_top[:1], 0.0))

    def at_least(self, thresholds: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The weighted fraction that is >= each threshold."""
        return self.share[np.searchsorted(self.scores, np.asarray(thresholds, np.float32), side="left")]


def threshold_between(low: np.float32 | float, high: np.float32 | float) -> float:
    """A float32 threshold t with low < t <= high, in the middle where float32 has a number there."""
    middle = np.float32((float(low) + float(high)) / 2)
    return float(middle) if middle > low else float(high)


def best_balanced(reals: Ranked, fakes: Ranked) -> float:
    """The threshold of the best balanced accuracy; of several equally good gaps, the middle of the widest."""
    return least_cost(reals, fakes, 1.0, 1.0)


def least_cost(reals: Ranked, fakes: Ranked, false_alarm: float, miss: float) -> float:
    """The threshold that minimises false_alarm * (reals called fake) + miss * (fakes not called fake), as fractions.

    Of several equally good gaps between scores, the middle of the widest. Both classes are needed.
    """
    edges = np.unique(np.concatenate([reals.scores, fakes.scores, np.array([0, 1], np.float32)]))
    # A threshold in (edges[i-1], edges[i]] calls fake what is >= edges[i].
    quality = (miss * fakes.at_least(edges) - false_alarm * reals.at_least(edges))[1:]
    best = np.flatnonzero(quality >= quality.max() - 1e-12 * max(false_alarm, miss))
    widest = best[np.argmax(np.diff(edges)[best])]
    return threshold_between(edges[widest], edges[widest + 1])


def false_alarms_at_most(reals: Ranked, fakes: Ranked, false_alarms: float) -> float:
    """The threshold that catches most fakes while at most this fraction of the reals is called fake.

    Of the thresholds that catch the same fakes it is the one with the fewest false alarms. Without fakes it is the
    lowest that keeps the fraction. A real that scores exactly 1.0 cannot be excluded: the threshold is then 1.0.
    """
    # The highest real that may not be called fake: from it on there are more false alarms than allowed.
    kept_real = reals.scores[np.flatnonzero(reals.share[:-1] > false_alarms + 1e-9)[-1]]
    above = (fakes if fakes.scores.size else reals).scores
    above = above[above > kept_real]
    first_caught = above[0] if above.size else np.float32(1)
    below = reals.scores[reals.scores < first_caught]
    return threshold_between(below[-1], first_caught) if below.size else float(first_caught)


def caught_at_least(reals: Ranked, fakes: Ranked, recall: float) -> float:
    """The highest threshold at which at least this fraction of the fakes is called fake; needs a fake."""
    kept = fakes.scores[np.flatnonzero(fakes.share[:-1] >= recall - 1e-9)[-1]]
    return just_below(reals, fakes, kept)


def few_fakes_below(reals: Ranked, fakes: Ranked) -> float:
    """The highest value below which at most 5 % of the fakes lie."""
    return just_below(reals, fakes, fakes.scores[np.flatnonzero(1 - fakes.share[1:] > MISSED_BELOW_BAND + 1e-9)[0]])


def few_reals_between(reals: Ranked, high: float) -> float:
    """The lowest value from which to `high` at most a fifth of the reals lie."""
    edges = np.unique(np.concatenate([np.zeros(1, np.float32), reals.scores, np.array([high], np.float32)]))
    edges = edges[edges <= np.float32(high)]
    kept = reals.at_least(edges) - reals.at_least(high)
    first = np.flatnonzero(kept <= UNSURE_REALS + 1e-9)[0]
    return threshold_between(edges[first - 1], edges[first]) if first else 0.0


def just_below(reals: Ranked, fakes: Ranked, kept: np.float32 | float) -> float:
    """A threshold that still calls the score `kept` fake and none below it, in the middle of the gap; 0 if none is."""
    scores = np.concatenate([reals.scores, fakes.scores, np.zeros(1, np.float32)])
    below = scores[scores < kept]
    return threshold_between(below.max(), kept) if below.size else 0.0


def just_above(reals: Ranked, fakes: Ranked, kept: np.float32 | float) -> float | None:
    """A threshold that does not call the score `kept` fake but all above it; None where no threshold in 0..1 does."""
    if kept >= 1:
        return None
    scores = np.concatenate([reals.scores, fakes.scores, np.ones(1, np.float32)])
    return threshold_between(kept, scores[scores > kept].min())
