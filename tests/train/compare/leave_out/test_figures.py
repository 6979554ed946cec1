"""Left-out figures are those that scikit-learn gives, on pictures that nothing in training resembles."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from train.compare.leave_out.figures import LeftOutRow, evaluate_scheme
from train.compare.leave_out.tables import leave_out_latex
from train.evaluate.scores import read_scores
from train.fit.run_folder import Run, read_state, scores_path


def table(run: Run) -> pl.DataFrame:
    return read_scores(scores_path(run, "float"))


def auc(rows: pl.DataFrame) -> float:
    return float(roc_auc_score((rows["label"] == "fake").to_numpy(), rows["probability"].to_numpy().astype(float)))


def by_name(rows: tuple[LeftOutRow, ...]) -> dict[tuple[str, str, str], LeftOutRow]:
    return {(row.plan, row.name, row.against): row for row in rows}


def test_a_left_out_generator_against_the_reals_in_training(schemes: Any) -> None:
    plans = schemes.plans("generator")
    runs = schemes.runs(plans)
    found = evaluate_scheme(plans, runs, schemes.manifest, resamples=200)
    assert [(row.plan, row.name) for row in found.rows] == [
        ("without-diffusion-b", "diffusion-b"),
        ("without-gan-a", "gan-a"),
        ("without-gan-c", "gan-c"),
    ]
    assert found.spared == ("camera",) and found.seeds == (1, 2, 3)
    for row in found.rows:
        tables = [table(run) for run in runs[row.plan]]
        assert not tables[0].filter(generator=row.name)["seen"].any()
        parts = [
            one.filter(((pl.col("label") == "real") & (pl.col("split") == "test")) | (pl.col("generator") == row.name))
            for one in tables
        ]
        assert row.pictures == parts[0].filter(label="fake").height
        expected = [auc(part) for part in parts]
        assert row.auc is not None and row.rate is not None
        assert row.auc.by_seed == pytest.approx(expected, abs=1e-12)
        assert row.auc.value == pytest.approx(np.mean(expected), abs=1e-12)
        assert row.auc.low < row.auc.value < row.auc.high
        assert row.metadata is not None and row.metadata.low <= 0.5 <= row.metadata.high
        others = [
            auc(
                one.filter(
                    (pl.col("split") == "test") & ((pl.col("label") == "real") | (pl.col("generator") == row.name))
                )
            )
            for name, several in runs.items()
            if name != row.plan
            for one in map(table, several)
        ]
        assert row.when_seen == pytest.approx(np.mean(others), abs=1e-12)


def test_the_latex_compiles(schemes: Any, latex: Callable[[str], None]) -> None:
    plans = schemes.plans("generator")
    latex(leave_out_latex([evaluate_scheme(plans, schemes.runs(plans), schemes.manifest, resamples=20)]))


def test_a_left_out_source_of_reals(schemes: Any) -> None:
    plans = schemes.plans("source", ["web", "c-one"])
    runs = schemes.runs(plans, seeds=(4, 5))
    rows = by_name(evaluate_scheme(plans, runs, schemes.manifest, resamples=100).rows)
    row = rows["without-source-web", "web", "fakes in training"]
    tables = [table(run) for run in runs["without-source-web"]]
    assert (row.label, row.pictures) == ("real", tables[0].filter(source="web").height)
    parts = [
        one.filter(((pl.col("label") == "fake") & (pl.col("split") == "test")) | (pl.col("source") == "web"))
        for one in tables
    ]
    assert row.auc is not None and row.auc.by_seed == pytest.approx([auc(one) for one in parts], abs=1e-12)
    points = [read_state(run, "float").points.fpr_1 for run in runs["without-source-web"]]
    alarms = [
        (one.filter(source="web")["probability"].to_numpy() >= point).mean()
        for one, point in zip(tables, points, strict=True)
    ]
    assert row.rate is not None and row.rate.by_seed == pytest.approx(alarms, abs=1e-12)
    # Of a generator with two sources only the one that was left out counts.
    other = rows["without-source-c-one", "c-one", "reals in training"]
    assert (other.label, other.pictures) == ("fake", schemes.manifest.frame.filter(source="c-one").height)


def test_folds_leave_out_both_sides(schemes: Any) -> None:
    plans = schemes.plans("folds:3")
    runs = schemes.runs(plans, seeds=(1,))
    found = evaluate_scheme(plans, runs, schemes.manifest, resamples=100)
    assert sorted(row.name for row in found.rows if row.against == "reals in training") == [
        "diffusion-b",
        "gan-a",
        "gan-c",
    ]
    assert sorted(row.name for row in found.rows if row.label == "real") == ["street", "studio", "web"]
    for row in found.rows:
        if row.against == "reals left out":
            (run,) = runs[row.plan]
            rows = table(run).filter(
                ~pl.col("seen") & ((pl.col("label") == "real") | (pl.col("generator") == row.name))
            )
            assert row.auc is not None and row.auc.value == pytest.approx(auc(rows), abs=1e-12)
            assert row.auc.seeds_se is None


def test_a_matrix_has_equal_pictures_in_a_column(schemes: Any) -> None:
    plans = schemes.plans("matrix")
    runs = schemes.runs(plans, seeds=(1, 2))
    rows = evaluate_scheme(plans, runs, schemes.manifest, resamples=100).rows
    assert len(rows) == 9 and sum(row.seen for row in rows) == 3
    for name in ("gan-a", "gan-c", "diffusion-b"):
        assert len({row.pictures for row in rows if row.name == name}) == 1
    for row in rows:
        parts = [
            one.filter((pl.col("split") == "test") & ((pl.col("label") == "real") | (pl.col("generator") == row.name)))
            for one in map(table, runs[row.plan])
        ]
        assert row.auc is not None and row.auc.by_seed == pytest.approx([auc(one) for one in parts], abs=1e-12)


def test_pictures_that_training_resembles_do_not_count(schemes: Any) -> None:
    def tie(frame: pl.DataFrame) -> pl.DataFrame:
        """Ten fakes of gan-c look like training pictures of gan-a, and one is alone of its kind."""
        hashes = frame.filter(generator="gan-a", split="train")["phash"].head(10)
        rows = frame.with_row_index("row").filter(generator="gan-c")["row"].head(10)
        phash = frame["phash"].to_list()
        for row, one in zip(rows, hashes, strict=True):
            phash[row] = one
        return frame.with_columns(phash=pl.Series(phash))

    # Hashes that are set in half of their bits: the study's own say nothing.
    random = np.random.default_rng(3)
    halves = [int("".join(map(str, random.permutation([0, 1] * 32))), 2) for _ in range(schemes.manifest.frame.height)]
    schemes.rewrite(lambda frame: tie(frame.with_columns(phash=pl.Series([f"{one:016x}" for one in halves]))))
    plans = schemes.plans("generator", ["gan-c"])
    (row,) = evaluate_scheme(plans, schemes.runs(plans, seeds=(1,)), schemes.manifest, resamples=100).rows
    total = schemes.manifest.frame.filter(generator="gan-c").height
    # With each goes its group.
    assert row.dropped >= 10 and row.pictures == total - row.dropped


def test_a_group_of_one_has_no_figure(schemes: Any) -> None:
    def lonely(frame: pl.DataFrame) -> pl.DataFrame:
        first = frame.filter(generator="gan-c")["path"][0]
        several = (pl.col("generator") == "gan-c") & (pl.col("path") != first)
        return frame.with_columns(
            generator=pl.when(several).then(pl.lit("gan-a")).otherwise("generator"),
        )

    schemes.rewrite(lonely)
    schemes.study.pictures = schemes.study.pictures.drop("generator").join(
        schemes.manifest.frame.select("path", "generator"), on="path", how="left", maintain_order="left"
    )
    plans = schemes.plans("generator", ["gan-c"])
    (row,) = evaluate_scheme(plans, schemes.runs(plans, seeds=(1,)), schemes.manifest, resamples=100).rows
    assert (row.pictures, row.groups, row.auc, row.rate, row.metadata) == (1, 1, None, None, None)
