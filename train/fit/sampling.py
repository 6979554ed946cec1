"""In what order an epoch shows its pictures, and which of them share their augmentation."""

from dataclasses import dataclass

import numpy as np

from train.recipe import Sampling


@dataclass(frozen=True)
class EpochPlan:
    """An epoch: positions int64 [N] in the rows of the split, and int64 [N] numbers of their augmentation streams.

    Two pictures of the same stream meet the same augmentation. mixed: bool [N], true for a reconstruction that is to be
    blended with the picture before it, which is its twin.
    """

    order: np.ndarray
    streams: np.ndarray
    mixed: np.ndarray


def plan_all(count: int, seed: tuple[int, ...]) -> EpochPlan:
    """Every picture once, in a random order, each with a stream of its own."""
    order = np.random.default_rng(seed).permutation(count)
    return EpochPlan(order, order, np.zeros(count, bool))


def plan_balanced(
    is_fake: np.ndarray, cells: np.ndarray, twins: np.ndarray, sampling: Sampling, seed: tuple[int, ...]
) -> EpochPlan:
    """Draw an epoch of pairs of one real and one fake picture, side by side, in a random order.

    is_fake: bool [N]; cells: int [N], the (generator, source) of each; twins: int [N], the position of a
    reconstruction's original, -1 for all others. Within a cell no picture comes again before all have come.
    With `sampling.twins` there have to be some (train.fit.twins.check_twins).
    """
    random = np.random.default_rng(seed)
    half = (sampling.pictures or len(is_fake)) // 2
    has_twin = twins >= 0
    count = round(sampling.twins * half)
    paired = _draw(np.flatnonzero(has_twin), cells, count, sampling.power, random)
    # Where twins are wanted, reconstructions come with them only.
    others = is_fake & ~has_twin if count else is_fake
    fakes = _draw(np.flatnonzero(others), cells, half - count, sampling.power, random)
    # The originals among the twins count towards what their sources give.
    given = np.bincount(cells[twins[paired]], minlength=cells.max() + 1)
    reals = _draw(np.flatnonzero(~is_fake), cells, half - count, sampling.power, random, given)
    pairs = np.concatenate([np.stack([twins[paired], paired], 1), np.stack([reals, fakes], 1)])
    are_twins = np.arange(len(pairs)) < count
    shuffled = random.permutation(len(pairs))
    pairs, are_twins = pairs[shuffled], are_twins[shuffled]
    streams = np.arange(2 * len(pairs)).reshape(-1, 2)
    streams[are_twins, 1] = streams[are_twins, 0]
    mixed = np.zeros(pairs.shape, bool)
    mixed[:, 1] = are_twins & (random.random(len(pairs)) < sampling.mix)
    return EpochPlan(pairs.ravel(), streams.ravel(), mixed.ravel())


def _draw(
    rows: np.ndarray,
    cells: np.ndarray,
    count: int,
    power: float,
    random: np.random.Generator,
    given: np.ndarray | None = None,
) -> np.ndarray:
    """Draw `count` of `rows`, every cell by its weight; what `given` says of a cell is taken off its share."""
    if count == 0:
        return np.zeros(0, np.int64)
    names, sizes = np.unique(cells[rows], return_counts=True)
    already = np.zeros(len(names)) if given is None else given[names].astype(float)
    weight = sizes.astype(float) ** power
    quotas = np.maximum(weight / weight.sum() * (count + already.sum()) - already, 0)
    quotas *= count / quotas.sum()
    whole = np.floor(quotas).astype(int)
    # The rest by chance, in proportion to what rounding took away.
    rest = count - whole.sum()
    if rest:
        part = quotas - whole
        whole += np.bincount(random.choice(len(names), rest, replace=False, p=part / part.sum()), minlength=len(names))
    drawn = [_in_turn(rows[cells[rows] == name], quota, random) for name, quota in zip(names, whole, strict=True)]
    return random.permutation(np.concatenate(drawn))


def _in_turn(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    rounds = -(-int(count) // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(rounds)] or [rows[:0]])[:count]
