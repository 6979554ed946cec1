"""The train-on x test-on matrix puts each run's figures where they belong."""

import json
from collections.abc import Callable

import polars as pl
import pytest

from train.common.errors import TrainError
from train.compare.matrix import Matrix, matrix_markdown, matrix_table, train_on_test_on
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.plain import from_plain, to_plain

Scored = tuple[pl.DataFrame, OperatingPoints]


@pytest.fixture(scope="module")
def runs(scored: Scored, make: Callable[..., Scored], parts: tuple) -> tuple[Evaluation, Evaluation]:
    first = evaluate_scores(*scored, name="run_a", resamples=20)
    turned = tuple((*part[:4], part[1] in ("camera", "diffusion-c"), *part[5:]) for part in parts if part[1] != "gan-a")
    second = evaluate_scores(*make(parts=turned), name="run|b", resamples=20)
    return first, second


def test_cells_are_the_runs_own_figures(runs: tuple[Evaluation, Evaluation]) -> None:
    matrix = train_on_test_on(runs)
    assert matrix.generators == ("diffusion-b", "diffusion-c", "gan-a")
    assert [row.trained_on for row in matrix.rows] == [("diffusion-b", "gan-a"), ("diffusion-c",)]
    assert matrix.rows[1].cells[2] is None
    for run, row in zip(runs, matrix.rows, strict=True):
        for group in run.generators:
            cell = row.cells[matrix.generators.index(group.name)]
            assert cell is not None
            assert (cell.auc, cell.caught, cell.seen) == (group.metrics.auc, group.called.fpr_1, group.seen)


def test_false_alarms_of_sources_are_pooled(runs: tuple[Evaluation, Evaluation], scored: Scored) -> None:
    table, points = scored
    row, other = train_on_test_on(runs).rows
    reals = table.filter(pl.col("label") == "real")
    unseen = reals.filter(~pl.col("seen"))["probability"]
    seen = reals.filter(pl.col("seen") & (pl.col("split") == "test"))["probability"]
    assert row.unseen_false_alarms is not None and row.false_alarms is not None
    assert row.unseen_false_alarms.value == pytest.approx((unseen >= points.fpr_1).mean())
    assert row.false_alarms.value == pytest.approx((seen >= points.fpr_1).mean())
    assert other.unseen_false_alarms is None


def test_text_tables_line_up(runs: tuple[Evaluation, Evaluation]) -> None:
    matrix = train_on_test_on(runs)
    header, rows = matrix_table(matrix)
    assert all(len(row) == len(header) for row in rows)
    assert rows[0][0] == "run_a; trained on diffusion-b, gan-a"
    assert "*" in rows[0][1] and "*" not in rows[0][2] and rows[1][3] == "–"
    table = matrix_markdown(matrix).split("\n\n")[0].splitlines()
    assert {line.replace("\\|", "").count("|") for line in table} == {len(header) + 1}


def test_json_gives_the_matrix_back(runs: tuple[Evaluation, Evaluation]) -> None:
    matrix = train_on_test_on(runs)
    assert from_plain(Matrix, json.loads(json.dumps(to_plain(matrix)))) == matrix


def test_no_runs_or_two_of_a_name_are_refused(runs: tuple[Evaluation, Evaluation]) -> None:
    with pytest.raises(TrainError, match="Nothing to compare"):
        train_on_test_on([])
    with pytest.raises(TrainError, match="share a name"):
        train_on_test_on([runs[0], runs[0]])
