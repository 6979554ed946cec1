"""An evaluation uses the rows it may use, group by group, and survives JSON; flips count what they say."""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.flips import count_flips
from train.evaluate.plain import from_plain, to_plain
from train.evaluate.selection import rows_to_report

Scored = tuple[pl.DataFrame, OperatingPoints]


def auc(rows: pl.DataFrame) -> float:
    return float(roc_auc_score((rows["label"] == "fake").to_numpy(), rows["probability"].to_numpy()))


def test_each_generator_is_held_against_the_test_reals_of_seen_sources(scored: Scored) -> None:
    table, points = scored
    evaluation = evaluate_scores(table, points, name="m", resamples=20)
    reals = (pl.col("label") == "real") & pl.col("seen") & (pl.col("split") == "test")
    assert [(group.name, group.seen) for group in evaluation.generators] == [
        ("diffusion-b", True),
        ("gan-a", True),
        ("diffusion-c", False),
    ]
    for group in evaluation.generators:
        fakes = pl.col("generator") == group.name
        if group.seen:
            fakes &= pl.col("split") == "test"
        rows = table.filter(reals | fakes)
        assert group.metrics.n_real + group.metrics.n_fake == rows.height
        assert group.metrics.auc.value == pytest.approx(auc(rows))
        caught = table.filter(fakes)["probability"].to_numpy() >= points.fpr_1
        assert group.called.fpr_1.value == pytest.approx(caught.mean())
    assert evaluation.unseen is not None
    assert evaluation.unseen.n_fake == 120


def test_reconstructions_have_rows_of_their_own_and_no_part_in_the_whole(scored: Scored) -> None:
    table, points = scored
    made = (pl.col("generator") == "gan-a") & pl.col("seen")
    marked = table.with_columns(family=pl.when(made).then(pl.lit("reconstruction")).otherwise("family"))
    evaluation = evaluate_scores(marked, points, name="m", resamples=5)
    alone = evaluate_scores(table.filter(~made), points, name="m", resamples=5)
    assert evaluation.overall == alone.overall
    assert evaluation.fakes == alone.fakes
    rows = {group.name: group.metrics.n_fake for group in evaluation.generators}
    assert rows["gan-a"] > 0
    assert f"; {rows['gan-a']} reconstructions count by themselves only." in evaluation.basis
    assert sum(rows.values()) == evaluation.overall.n_fake + evaluation.unseen.n_fake + rows["gan-a"]  # type: ignore[union-attr]


def test_training_rows_change_nothing(scored: Scored) -> None:
    table, points = scored
    trained = pl.col("seen") & (pl.col("split") != "test")
    upset = table.with_columns(probability=pl.when(trained).then(0.123).otherwise("probability"))
    assert evaluate_scores(upset, points, name="m", resamples=5) == evaluate_scores(
        table, points, name="m", resamples=5
    )
    assert rows_to_report(table).filter(trained).is_empty()


def test_false_alarms_are_told_by_source(scored: Scored) -> None:
    table, points = scored
    evaluation = evaluate_scores(table, points, name="m", resamples=5)
    found = {source.name: source for source in evaluation.real_sources}
    assert {name: source.seen for name, source in found.items()} == {
        "street": True,
        "studio": True,
        "web": False,
    }
    web = table.filter(pl.col("source") == "web")["probability"].to_numpy()
    assert found["web"].called.n == web.size
    for point in ("balanced", "fpr_1", "fpr_05"):
        expected = (web >= getattr(points, point)).mean()
        assert asdict(found["web"].called)[point]["value"] == pytest.approx(expected)
    for field, high in (("unsure", points.balanced), ("unsure_fpr_1", points.fpr_1), ("unsure_fpr_05", points.fpr_05)):
        expected = ((web >= min(points.unsure_from, high)) & (web < high)).mean()
        assert asdict(found["web"].called)[field]["value"] == pytest.approx(expected)


def test_the_worst_mistakes_are_wrong_and_in_order(scored: Scored) -> None:
    table, points = scored
    evaluation = evaluate_scores(table, points, name="m", resamples=5, worst=8)
    assert len(evaluation.mistakes) == 8
    alarms = [item.probability for item in evaluation.mistakes if item.label == "real"]
    misses = [item.probability for item in evaluation.mistakes if item.label == "fake"]
    assert alarms == sorted(alarms, reverse=True)
    assert misses == sorted(misses)
    assert min(alarms) >= points.balanced > max(misses)
    fakes = rows_to_report(table).filter(pl.col("label") == "fake")
    assert misses[0] == pytest.approx(fakes["probability"].min())


def test_a_foreign_set_with_nothing_seen_is_evaluated_as_a_whole(scored: Scored) -> None:
    table, points = scored
    foreign = table.with_columns(seen=pl.lit(False))
    evaluation = evaluate_scores(foreign, points, name="m", resamples=5)
    assert evaluation.overall.n_real + evaluation.overall.n_fake == table.height
    assert evaluation.unseen is None
    assert not evaluation.fakes_are_seen


def test_json_gives_the_same_evaluation_back(scored: Scored) -> None:
    evaluation = evaluate_scores(*scored, name="m", resamples=5)
    document = json.loads(json.dumps(to_plain(evaluation), allow_nan=False))
    assert from_plain(Evaluation, document) == evaluation
    del document["overall"]["auc"]["low"]
    with pytest.raises(TrainError, match=r"Evaluation\.overall\.auc\.low"):
        from_plain(Evaluation, document)


def test_what_cannot_be_evaluated_is_refused(scored: Scored) -> None:
    table, points = scored
    with pytest.raises(TrainError, match="no fake picture"):
        evaluate_scores(table.filter(pl.col("label") == "real"), points, name="m")
    with pytest.raises(TrainError, match="no real picture"):
        evaluate_scores(table.filter(pl.col("seen") & (pl.col("split") == "train")), points, name="m")
    with pytest.raises(TrainError, match="strict"):
        evaluate_scores(table, points, name="m", operating_point="strict")  # type: ignore[arg-type]


def test_a_model_does_not_flip_against_itself(scored: Scored) -> None:
    table, points = scored
    flips = count_flips(table, table.sample(fraction=1, shuffle=True, seed=1), points, names=("a", "b"))
    assert flips.n == rows_to_report(table).height
    assert (flips.balanced.value, flips.verdict.value, flips.auc_difference.value) == (0, 0, 0)
    assert (flips.mean_change, flips.p99_change) == (0, 0)


def test_flips_and_changes_are_counted(scored: Scored, make: Callable[..., Scored]) -> None:
    table, points = scored
    other, _ = make(noise=0.5)
    flips = count_flips(table, other, points, names=("a", "b"), resamples=100)
    one, two = rows_to_report(table), rows_to_report(other)
    assert one["path"].to_list() == two["path"].to_list()
    a, b = one["probability"].to_numpy(), two["probability"].to_numpy()
    expected = ((a >= points.fpr_1) != (b >= points.fpr_1)).mean()
    assert expected > 0
    assert flips.fpr_1.value == pytest.approx(expected)
    assert flips.p99_change == pytest.approx(np.percentile(np.abs(a.astype(float) - b), 99))
    assert flips.auc_difference.value == pytest.approx(auc(two) - auc(one))
    assert flips.auc_difference.low < flips.auc_difference.value < flips.auc_difference.high


def test_tables_of_different_pictures_are_refused(scored: Scored) -> None:
    table, points = scored
    fewer = table.filter(pl.col("path") != rows_to_report(table)["path"][3])
    for one, two in ((table, fewer), (fewer, table)):
        with pytest.raises(TrainError, match="1 are in one only"):
            count_flips(one, two, points, names=("a", "b"))
    swapped = table.with_columns(
        label=pl.when(pl.col("label") == "real").then(pl.lit("fake")).otherwise(pl.lit("real"))
    )
    with pytest.raises(TrainError, match="differ in labels"):
        count_flips(table, swapped, points, names=("a", "b"))
