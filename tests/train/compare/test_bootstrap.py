"""Figures of many runs on resampled groups of pictures are those of the report on the same pictures."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from train.common.errors import TrainError
from train.compare import bootstrap
from train.compare.bootstrap import ScoreMatrix, figures_of
from train.compare.contrast import BootstrapSample, contrast
from train.evaluate.calibration import OperatingPoints, choose_operating_points
from train.evaluate.evaluation import evaluate_scores

Scored = tuple[pl.DataFrame, OperatingPoints]


def table(counts: dict[tuple[str, str, str], int], group: Callable[[int], str] | None = None) -> pl.DataFrame:
    """Pictures of (label, source, split), all seen; by default each is a group of its own."""
    rows = [
        {"label": label, "generator": "camera" if label == "real" else "gan", "source": source, "split": split}
        for (label, source, split), count in counts.items()
        for _ in range(count)
    ]
    groups = [str(i) if group is None else group(i) for i in range(len(rows))]
    return pl.DataFrame(rows).with_columns(seen=pl.lit(True), group=pl.Series(groups))


SMALL = {("real", "a", "test"): 30, ("fake", "b", "test"): 20, ("real", "a", "val"): 25, ("fake", "b", "val"): 25}


def test_values_are_those_of_the_report(scored: Scored) -> None:
    scores, points = scored
    pictures = scores.with_columns(group=pl.col("path")).filter(~pl.col("seen") | (pl.col("split") != "train"))
    matrix = ScoreMatrix(
        pictures, pictures["probability"].to_numpy()[None].astype(np.float64), np.array([points.fpr_1])
    )
    evaluated = evaluate_scores(scores, points, name="run", resamples=1)
    found = {(one.metric, one.set.name): one for one in figures_of(matrix, resamples=1)}
    for group in evaluated.generators:
        assert found["auc", group.name].values[0] == pytest.approx(group.metrics.auc.value)
        assert found["tpr_at_1", group.name].values[0] == pytest.approx(group.metrics.tpr_at_1.value)
        about = found["auc", group.name].set
        assert (about.seen, about.pictures) == (group.seen, group.called.n)
    for source in evaluated.real_sources:
        assert found["false_alarms", source.name].values[0] == pytest.approx(source.called.fpr_1.value)
    assert len(found) == 2 * len(evaluated.generators) + len(evaluated.real_sources)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_weights_are_pictures_that_come_so_often(seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    pictures = table(SMALL)
    # Few levels make ties.
    probability = random.integers(0, levels, pictures.height) / levels
    weights = random.integers(0, 4, pictures.height)
    kind = (pictures["label"] + pictures["split"]).to_numpy()
    for one in np.unique(kind):
        weights[np.flatnonzero(kind == one)[0]] += 1
    rows = {name: np.flatnonzero(kind == name) for name in np.unique(kind)}
    matrix = ScoreMatrix(pictures, probability[None], np.array([0.5]))
    about = bootstrap._Table(matrix, *(rows[one] for one in ("realtest", "faketest", "realval", "fakeval")))
    repeated = {name: np.repeat(probability[places], weights[places]) for name, places in rows.items()}

    beaten, caught = bootstrap._against_reference(about, probability, weights[None].astype(float))
    reals, fakes = repeated["realtest"], repeated["faketest"]
    fake_weights = weights[rows["faketest"]]
    auc = roc_auc_score(np.repeat([0, 1], [reals.size, fakes.size]), np.concatenate([reals, fakes]))
    assert np.average(beaten[0], weights=fake_weights) == pytest.approx(auc)
    thresholds = [*np.unique(fakes), 2.0]
    best = max((fakes >= one).mean() for one in thresholds if (reals >= one).mean() <= 0.01)
    assert np.average(caught[0], weights=fake_weights) == pytest.approx(best)

    validation = np.concatenate([repeated["realval"], repeated["fakeval"]])
    chosen = choose_operating_points(
        validation, np.repeat([False, True], [repeated["realval"].size, repeated["fakeval"].size])
    )
    threshold = bootstrap._threshold(about, probability, weights[None].astype(float))
    assert threshold[0] == pytest.approx(chosen.fpr_1, abs=1e-6)


def delong(reals: np.ndarray, fakes: np.ndarray) -> np.ndarray:
    """Covariance of the AUCs of several scores, rows of `reals` and `fakes` (DeLong and others, Biometrics 44:837)."""
    wins = (fakes[:, :, None] > reals[:, None, :]) + 0.5 * (fakes[:, :, None] == reals[:, None, :])
    return np.asarray(np.cov(wins.mean(axis=2)) / fakes.shape[1] + np.cov(wins.mean(axis=1)) / reals.shape[1])


def two_runs(pictures: pl.DataFrame, seed: int = 0) -> ScoreMatrix:
    """Two runs that agree in part about which pictures are hard."""
    random = np.random.default_rng(seed)
    common, own = random.normal(size=pictures.height), random.normal(size=(2, pictures.height))
    logit = common + 0.7 * own + 1.5 * (pictures["label"] == "fake").to_numpy()
    return ScoreMatrix(pictures, 1 / (1 + np.exp(-logit)), np.array([0.9, 0.9]))


def test_resampled_auc_has_delongs_covariance() -> None:
    pictures = table({**SMALL, ("real", "a", "test"): 150, ("fake", "b", "test"): 120})
    matrix = two_runs(pictures)
    test = (pictures["split"] == "test").to_numpy()
    real = (pictures["label"] == "real").to_numpy()
    expected = delong(matrix.probability[:, test & real], matrix.probability[:, test & ~real])
    found = np.cov(next(one for one in figures_of(matrix, resamples=4000) if one.metric == "auc").drawn)
    assert found == pytest.approx(expected, rel=0.1)
    # Paired: the pictures that are hard for one are hard for the other.
    difference = found[0, 0] + found[1, 1] - 2 * found[0, 1]
    assert difference < 0.6 * (found[0, 0] + found[1, 1])


def test_near_duplicates_are_drawn_together() -> None:
    once = table(dict.fromkeys(SMALL, 80))
    pairs = table(dict.fromkeys(SMALL, 160), group=lambda place: str(place // 2))
    matrix = two_runs(once)
    twice = ScoreMatrix(pairs, np.repeat(matrix.probability, 2, axis=1), matrix.thresholds)
    torn = ScoreMatrix(
        pairs.with_columns(group=pl.int_range(pl.len()).cast(pl.String)), twice.probability, matrix.thresholds
    )
    spread = [
        [one.drawn.std() for one in figures_of(each, resamples=2000) if one.metric == "auc"]
        for each in (matrix, twice, torn)
    ]
    assert spread[1] == pytest.approx(spread[0], rel=0.1)
    assert spread[2] == pytest.approx(np.array(spread[0]) / np.sqrt(2), rel=0.1)


def test_every_resample_has_as_many_groups_of_each_kind() -> None:
    pictures = table(SMALL)
    (weights,) = bootstrap._weights(pictures, 40, seed=1)
    kind = (pictures["label"] + pictures["split"]).to_numpy()
    for one in np.unique(kind):
        assert (weights[:, kind == one].sum(axis=1) == (kind == one).sum()).all()
    assert len(np.unique(weights, axis=0)) == 40


def test_the_luck_of_the_threshold_is_part_of_false_alarms() -> None:
    pictures = table({**SMALL, ("real", "a", "test"): 400, ("real", "a", "val"): 200})
    matrix = two_runs(pictures)
    validation = (pictures["split"] == "val").to_numpy()
    fake = (pictures["label"] == "fake").to_numpy()
    chosen = [choose_operating_points(one[validation], fake[validation]).fpr_1 for one in matrix.probability]
    (alarms,) = (
        one
        for one in figures_of(ScoreMatrix(pictures, matrix.probability, np.array(chosen)), resamples=500)
        if one.metric == "false_alarms"
    )
    rate = alarms.values.mean()
    assert 0 < rate < 0.05
    assert alarms.drawn.std(axis=1).mean() > 1.3 * np.sqrt(rate * (1 - rate) / 400)


def test_units_count_groups_of_the_smaller_side() -> None:
    pictures = table(dict.fromkeys(SMALL, 40), group=lambda place: str(place // 4 if place < 40 else place))
    units = {one.metric: one.units for one in figures_of(two_runs(pictures), resamples=2)}
    assert units == {"auc": 10, "tpr_at_1": 10, "false_alarms": 10}


def test_sources_stand_apart_where_a_generator_has_several() -> None:
    pictures = table({**SMALL, ("fake", "c", "test"): 10, ("fake", "d", "test"): 10})
    pictures = pictures.with_columns(seen=pl.col("source") != "d")
    sets = [one.set for one in figures_of(two_runs(pictures), resamples=2) if one.metric == "auc"]
    assert [(one.name, one.seen, one.pictures) for one in sets] == [
        ("gan", True, 30),
        ("gan: b", True, 20),
        ("gan: c", True, 10),
        ("gan", False, 10),
    ]


def test_same_seed_same_resamples_whatever_the_runs() -> None:
    matrix = two_runs(table(SMALL))
    both = figures_of(matrix, resamples=50, seed=4)
    alone = figures_of(
        ScoreMatrix(matrix.pictures, matrix.probability[1:], matrix.thresholds[1:]), resamples=50, seed=4
    )
    for one, other in zip(both, alone, strict=True):
        assert (one.drawn[1:] == other.drawn).all()
    assert (figures_of(matrix, resamples=50, seed=5)[0].drawn != both[0].drawn).any()


def test_progress_ends_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CELLS_AT_ONCE", 1000)
    told: list[tuple[int, int]] = []
    figures_of(two_runs(table(SMALL)), resamples=25, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(10, 25), (20, 25), (25, 25)]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (("real", "a", "test"), "no real picture that may be evaluated"),
        (("fake", "b", "test"), "no fake picture that may be evaluated"),
        (("real", "a", "val"), "no real validation picture"),
        (("fake", "b", "val"), "no fake validation picture"),
    ],
)
def test_a_missing_class_is_refused(gone: tuple[str, str, str], words: str) -> None:
    with pytest.raises(TrainError, match=words):
        figures_of(two_runs(table({kind: count for kind, count in SMALL.items() if kind != gone})), resamples=2)


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The simulation of tests/benchmarks/paired_coverage.py."""
    path = Path(__file__).parents[2] / "benchmarks" / "paired_coverage.py"
    spec = importlib.util.spec_from_file_location("paired_coverage", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "paired_coverage", module)
        spec.loader.exec_module(module)
    return module


def test_whole_studies_without_a_difference_seldom_find_one(benchmark: Any) -> None:
    """A modest run of the benchmark: two arms alike, three seeds that differ, near-duplicates, 1 % thresholds."""
    scene = benchmark.Scene("test", reals=120, fakes=80, steps=(0.3, 0.3))
    held: dict[str, list[bool]] = {}
    pictures_alone = []
    for number in range(100):
        matrix = benchmark.study(np.random.default_rng([1, number]), scene)
        for one in figures_of(matrix, resamples=100, seed=number):
            arm, baseline = map(BootstrapSample, np.split(one.values, 2), np.split(one.drawn, 2))
            found = contrast(arm, baseline, one.units, rate=one.metric != "auc")
            held.setdefault(one.metric, []).append(found.low <= 0 <= found.high)
            if one.metric == "auc":
                pictures_alone.append(abs(found.value) <= 1.96 * found.pictures_se)
    assert {metric: np.mean(shares) >= 0.9 for metric, shares in held.items()} == dict.fromkeys(held, True)
    assert np.mean(pictures_alone) < 0.85, "what ignores the seeds must fail here, or the check could not"
