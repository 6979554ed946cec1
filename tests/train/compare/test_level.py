"""A mean over trainings has an interval that holds the truth as often as it says."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t

from train.compare.bootstrap import ScoreMatrix, figures_of
from train.compare.contrast import BootstrapSample
from train.compare.level import Level, level_of

SIMULATIONS = 400


def holds(level: Level, truth: float) -> bool:
    return level.low <= truth <= level.high


def test_of_trainings_alone_it_is_students_interval() -> None:
    by_seed = np.array([0.70, 0.74, 0.75, 0.71])
    # Every resample is the pictures themselves: they add nothing, and a share of a million says no more.
    found = level_of(BootstrapSample(by_seed, np.repeat(by_seed[:, None], 50, axis=1)), units=10**6)
    low, high = t.interval(0.95, 3, by_seed.mean(), by_seed.std(ddof=1) / 2)
    assert (found.value, found.low, found.high) == pytest.approx((by_seed.mean(), low, high), abs=1e-12)
    assert found.seeds_se == pytest.approx(by_seed.std(ddof=1) / 2) and found.pictures_se == 0


def test_of_one_training_it_speaks_of_the_pictures_alone() -> None:
    drawn = np.random.default_rng(0).normal(0.8, 0.02, (1, 4000))
    found = level_of(BootstrapSample(np.array([0.8]), drawn), units=101)
    reach = t.ppf(0.975, 100) * drawn.std(ddof=1)
    assert found.seeds_se is None
    assert (found.low, found.high) == pytest.approx((0.8 - reach, 0.8 + reach), abs=1e-12)


def test_where_nothing_varies_it_says_what_so_few_pictures_allow() -> None:
    one = level_of(BootstrapSample(np.ones(3), np.ones((3, 100))), units=20)
    assert (one.value, one.high) == (1, 1)
    # Wilson's bound of 20 of 20.
    assert one.low == pytest.approx(1 / (1 + norm.ppf(0.975) ** 2 / 20))
    assert level_of(BootstrapSample(np.zeros(3), np.zeros((3, 100))), units=1).high > 0.75


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.0), (3, 0.3), (5, 0.3), (1, 0.0)])
def test_it_holds_the_truth_as_often_as_it_says(seeds: int, spread: float) -> None:
    """Scores with a difficulty of the picture, shared by all trainings, one of training and picture, and a gain of the
    training; the truth is the AUC over all trainings and pictures."""
    random = np.random.default_rng(seeds)
    rows = {("real", "test"): 60, ("fake", "test"): 50, ("real", "val"): 20, ("fake", "val"): 20}
    pictures = pl.DataFrame(
        [(label, split) for (label, split), count in rows.items() for _ in range(count)],
        schema=["label", "split"],
        orient="row",
    ).with_columns(generator="label", source="label", seen=pl.lit(True), group=pl.int_range(pl.len()).cast(pl.String))
    fake = (pictures["label"] == "fake").to_numpy()
    gains = random.normal(0, 1, 4_000) * spread
    truth = float(norm.cdf((1.2 + gains) / np.sqrt(2 * (1 + 0.5**2))).mean())
    held = 0
    for number in range(SIMULATIONS):
        shared = random.normal(size=pictures.height)
        own = 0.5 * random.normal(size=(seeds, pictures.height))
        gain = 1.2 + spread * random.normal(size=(seeds, 1))
        probability = norm.cdf(shared + own + gain * fake)
        found = figures_of(ScoreMatrix(pictures, probability, np.full(seeds, 0.9)), resamples=100, seed=number)
        auc = next(one for one in found if one.metric == "auc")
        held += holds(level_of(BootstrapSample(auc.values, auc.drawn), auc.units), truth)
    # Of 400 simulations, three standard errors below 95 %.
    assert held / SIMULATIONS >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / SIMULATIONS)
