"""The mean of a figure over several trainings, with an interval that knows two sources of chance: the trainings and
the pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from train.compare.contrast import LEVEL, BootstrapSample
from train.evaluate.metrics import score_interval


@dataclass(frozen=True)
class Level:
    """A figure's mean over seeds and its 95 % interval, all in 0..1; low <= value <= high.

    seeds_se, pictures_se: the parts of the standard error due to trainings and to pictures. With one seed nothing is
    known of the first, which is None then, and the interval speaks of the pictures alone.
    """

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    seeds_se: float | None
    pictures_se: float


def level_of(sample: BootstrapSample, units: int) -> Level:
    """The level of a figure of S trainings on the same pictures, of which there are `units` groups (at least 1).

    The variance is s^2/S + c as in `contrast.contrast`: s is the standard deviation over seeds, c the mean covariance
    over the resamples between two trainings, the type that the pictures do to all of them alike; of one training it is
    the variance over the resamples. The quantiles of t with S - 1 and units - 1 degrees of freedom are weighted by the
    two parts (Cochran, Biometrics 20:191, 1964). The interval holds at least what so many groups allow to say of a
    share (Wilson 1927), for where all resamples agree nothing varies, and ends at 0 and 1.
    """
    value, count = float(sample.by_seed.mean()), sample.by_seed.size
    seeds = float(sample.by_seed.var(ddof=1)) / count if count > 1 else 0.0
    pictures = _shared(sample)
    reach = 0.0
    if seeds + pictures > 0:
        quantiles = [-float(stdtrit(df, LEVEL / 2)) for df in (max(count - 1, 1), max(units - 1, 1))]
        reach = float((seeds * quantiles[0] + pictures * quantiles[1]) / (seeds + pictures) ** 0.5)
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    if _nothing_varies(sample):
        least, most = score_interval(value, max(units, 1))
        low, high = min(low, least), max(high, most)
    return Level(
        value, low, high, tuple(sample.by_seed.tolist()), seeds**0.5 if count > 1 else None, float(pictures**0.5)
    )


def _shared(sample: BootstrapSample) -> float:
    """What the pictures do to all trainings [S, B] alike: the mean covariance of two of them; at least 0."""
    drawn = sample.drawn[:, np.isfinite(sample.drawn).all(axis=0)]
    if drawn.shape[1] < 2:
        return 0.0
    covariance = np.atleast_2d(np.cov(drawn))
    count = len(covariance)
    if count == 1:
        return float(covariance[0, 0])
    return max(0.0, float((covariance.sum() - np.trace(covariance)) / (count * (count - 1))))


def _nothing_varies(sample: BootstrapSample) -> bool:
    """Whether most resamples only repeat what all pictures give."""
    same = np.isclose(sample.drawn, sample.by_seed[:, None], rtol=0, atol=1e-12)
    return bool(same.all(axis=0).mean() >= 0.5)
