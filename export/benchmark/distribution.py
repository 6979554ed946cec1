"""From the milliseconds of one run to what a table says of them: quantiles, spread over blocks, ratio to a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCKS = 5
"""Pieces that a run is cut into, one after the other in time, to see whether it repeats itself."""


@dataclass(frozen=True)
class Distribution:
    """Milliseconds of one invocation over a run.

    blocks: the median of each of the run's pieces.
    """

    least: float
    median: float
    p90: float
    p99: float
    blocks: tuple[float, ...]
    invocations: int

    @property
    def spread(self) -> float:
        """How far the blocks lie apart, as a fraction of the median."""
        return (max(self.blocks) - min(self.blocks)) / self.median


@dataclass(frozen=True)
class Ratio:
    """One median by another of the same run, and the smallest and largest such ratio of a block."""

    value: float
    low: float
    high: float


def summarise(milliseconds: Sequence[float]) -> Distribution:
    """Summarise the invocations of a run, in order of time; at least one."""
    median, p90, p99 = (float(value) for value in np.percentile(milliseconds, [50, 90, 99]))
    pieces = np.array_split(np.asarray(milliseconds), min(BLOCKS, len(milliseconds)))
    blocks = tuple(float(np.median(piece)) for piece in pieces)
    return Distribution(float(min(milliseconds)), median, p90, p99, blocks, len(milliseconds))


def ratio(one: Distribution, other: Distribution) -> Ratio:
    """`one` by `other`, of the same run."""
    pairs = [mine / theirs for mine, theirs in zip(one.blocks, other.blocks, strict=True)]
    return Ratio(one.median / other.median, min(pairs), max(pairs))
