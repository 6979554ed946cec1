"""The difference of two arms with an interval that knows two sources of chance: the trainings and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]

LEVEL = 0.05
"""Two-sided level: intervals hold 95 %, a verdict needs an adjusted p below it."""


@dataclass(frozen=True)
class BootstrapSample:
    """One figure of one arm: of each training, and of each training on each resample of the pictures.

    by_seed: [S]. drawn: [S, B], the same resamples in every arm; not a number where a resample has no such picture.
    """

    by_seed: Floats
    drawn: Floats


@dataclass(frozen=True)
class Contrast:
    """Arm minus baseline, in -1..1: the difference of the means over seeds, with its 95 % interval.

    se: the standard error; seeds_se, pictures_se: its parts due to trainings and to pictures, each with its degrees of
    freedom. p: two-sided, before any adjustment; below 0.05 exactly where the interval leaves out 0.
    """

    value: float
    low: float
    high: float
    p: float
    se: float
    seeds_se: float
    seeds_df: float
    pictures_se: float
    pictures_df: float

    def half_width(self, comparisons: int = 1) -> float:
        """How far from 0 a difference had to be to be significant among so many comparisons (Bonferroni), up to 1."""
        return min(1.0, self._reach(LEVEL / comparisons))

    def p_of(self, difference: float) -> float:
        """The two-sided p that a difference of this size would have had."""
        # Far beyond any p that a verdict turns on.
        least = 1e-12
        if self._reach(least) <= abs(difference):
            return least
        return float(np.exp(brentq(lambda log: self._reach(np.exp(log)) - abs(difference), np.log(least), 0.0)))

    def _reach(self, level: float) -> float:
        """The half-width of the interval of two-sided `level`."""
        share = (self.seeds_se / self.se) ** 2
        seeds, pictures = (-float(stdtrit(df, level / 2)) for df in (self.seeds_df, self.pictures_df))
        return (share * seeds + (1 - share) * pictures) * self.se


def contrast(arm: BootstrapSample, baseline: BootstrapSample, units: int, *, rate: bool) -> Contrast:
    """The contrast of two arms trained apart and evaluated on the same pictures, of which there are `units` groups.

    A multi-reader multi-case analysis with trainings as readers, nested in the arms because training 1 of one arm and
    training 1 of another share a number and no more (Obuchowski and Rockette, Commun. Stat. Simul. 24:285, 1995;
    Hillis, Stat. Med. 33:330, 2014). The variance is s_a^2/S_a + s_b^2/S_b + v: s is the standard deviation over the
    seeds of an arm, v = c_a + c_b - 2 c_ab what the pictures do to all trainings alike: c is the mean covariance over
    the resamples between two trainings, of one arm or of both. What chance belongs to a training and a picture
    together is in s already.

    The seeds' part has Welch's degrees of freedom (Biometrika 34:28, 1947), the pictures' part units - 1; the two
    quantiles of t are weighted by the parts of the variance (Cochran, Biometrics 20:191, 1964). One number of degrees
    of freedom for the sum (Satterthwaite 1946) does for one interval of 95 %, but three seeds that happen to agree then
    look like certainty: with it one of 24 differences without substance was called in 8 to 13 families of 100, with
    the weighted quantiles in 2 to 4. Measured by tests/benchmarks/paired_coverage.py, as are the other choices.

    Of a rate (`rate`; where neither seeds nor resamples change anything, of any figure) v is at least 2/(units + 2)^2,
    which Bonett and Price give paired proportions that never differed (J. Educ. Behav. Stat. 37:479, 2012). It is
    nearly the rule of three: what was never met in n pictures may still have a rate of 3/n.

    What chance there is in which pictures were trained on is not in it: every run has the same manifest.
    """
    value = float(arm.by_seed.mean() - baseline.by_seed.mean())
    sizes = [one.by_seed.size for one in (arm, baseline)]
    parts = [float(one.by_seed.var(ddof=1)) / one.by_seed.size for one in (arm, baseline)]
    seeds = sum(parts)
    freedom = sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    pictures = _shared(arm.drawn, baseline.drawn)
    # Sums in floating point leave a trace where nothing varies.
    if rate or seeds + pictures < 1e-20:
        pictures = max(pictures, 2 / (units + 2) ** 2)
    found = Contrast(
        value=value,
        low=value,
        high=value,
        p=1.0,
        se=(seeds + pictures) ** 0.5,
        seeds_se=seeds**0.5,
        seeds_df=seeds**2 / freedom if freedom > 0 else float(sum(sizes) - 2),
        pictures_se=pictures**0.5,
        pictures_df=float(max(units - 1, 1)),
    )
    reach = found.half_width()
    return replace(found, low=max(-1.0, value - reach), high=min(1.0, value + reach), p=found.p_of(value))


def _shared(arm: Floats, baseline: Floats) -> float:
    """The variance c_a + c_b - 2 c_ab of `contrast`, of drawn figures [S_a, B] and [S_b, B]; at least 0."""
    drawn = np.concatenate([arm, baseline])
    covariance = np.cov(drawn[:, np.isfinite(drawn).all(axis=0)])
    size = len(arm)
    own = (covariance[:size, :size], covariance[size:, size:])
    within = sum((one.sum() - np.trace(one)) / (len(one) * (len(one) - 1)) for one in own)
    return max(0.0, float(within - 2 * covariance[:size, size:].mean()))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """The p values [M] adjusted for being M at once, in their order (Holm, Scand. J. Statist. 6:65, 1979).

    Below 0.05 a difference is one of a set of which, with 95 % confidence, none is due to chance, however the figures
    hang together.
    """
    adjusted = np.empty(len(p))
    highest = 0.0
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = highest
    return tuple(adjusted.tolist())
