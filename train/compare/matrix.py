"""Several runs trained on different generators: the train-on x test-on matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.common.errors import TrainError
from train.common.table_formats import markdown_table
from train.evaluate.evaluation import Evaluation
from train.evaluate.metrics import Interval, wilson

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One run on the fakes of one generator: `caught` is the fraction called fake at the shipped 1 % threshold."""

    seen: bool
    n_fake: int
    auc: Interval
    tpr_at_1: Interval
    caught: Interval


@dataclass(frozen=True)
class MatrixRow:
    """One run: what it was trained on, its cells in the order of Matrix.generators, its false alarms.

    cells: None where the run was not evaluated on that generator. Where a run has pictures of a generator from seen and
    from unseen sources, the cell is of the seen ones.
    false_alarms, unseen_false_alarms: reals called fake at the shipped 1 % threshold, all sources of a kind
    together; None where the run has none.
    """

    run: str
    trained_on: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    false_alarms: Interval | None
    unseen_false_alarms: Interval | None


@dataclass(frozen=True)
class Matrix:
    """Runs down, generators across; JSON-able with `plain.to_plain`."""

    generators: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def train_on_test_on(evaluations: Sequence[Evaluation]) -> Matrix:
    """The matrix of evaluations, one a run, in their order; generators by name.

    Raises TrainError when there is no evaluation or two share a name.
    """
    names = [evaluation.name for evaluation in evaluations]
    if not names:
        raise TrainError("Nothing to compare: give the report.json of at least one run.")
    if len(set(names)) < len(names):
        raise TrainError(f"Two of the runs to compare share a name ({', '.join(names)}): rename one.")
    generators = tuple(sorted({group.name for evaluation in evaluations for group in evaluation.generators}))
    return Matrix(generators, tuple(_row(evaluation, generators) for evaluation in evaluations))


def matrix_table(matrix: Matrix) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of short text for a terminal table: AUC with interval, then TPR at 1 % FPR.

    A generator that was in training is marked with *.
    """
    header = ("model", *matrix.generators, "false alarms", "on unseen reals")
    rows = tuple(
        (
            f"{row.run}; trained on {', '.join(row.trained_on)}" if row.trained_on else row.run,
            *(_cell_text(cell) for cell in row.cells),
            _percent(row.false_alarms),
            _percent(row.unseen_false_alarms),
        )
        for row in matrix.rows
    )
    return header, rows


def matrix_markdown(matrix: Matrix) -> str:
    """The matrix as a Markdown table with a line that explains it."""
    note = (
        "AUC [95 % interval], then the fakes caught at 1 % false alarms on the test pictures (TPR at 1 % FPR). "
        "`*`: the generator was in training. False alarms: reals called fake at the shipped 1 % threshold."
    )
    return f"{markdown_table(*matrix_table(matrix))}\n\n{note}\n"


def _row(evaluation: Evaluation, generators: Sequence[str]) -> MatrixRow:
    # seen groups come first in an evaluation, so the first of a name is the seen one
    found: dict[str, Cell] = {}
    for group in evaluation.generators:
        metrics = group.metrics
        cell = Cell(group.seen, group.called.n, metrics.auc, metrics.tpr_at_1, group.called.fpr_1)
        found.setdefault(group.name, cell)
    return MatrixRow(
        run=evaluation.name,
        trained_on=tuple(name for name in generators if name in found and found[name].seen),
        cells=tuple(found.get(name) for name in generators),
        false_alarms=_false_alarms(evaluation, seen=True),
        unseen_false_alarms=_false_alarms(evaluation, seen=False),
    )


def _false_alarms(evaluation: Evaluation, seen: bool) -> Interval | None:
    sources = [source.called for source in evaluation.real_sources if source.seen == seen]
    if not sources:
        return None
    alarms = sum(round(called.fpr_1.value * called.n) for called in sources)
    return wilson(alarms, sum(called.n for called in sources))


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return NOTHING
    auc = cell.auc
    mark = "*" if cell.seen else ""
    return f"{auc.value:.3f}{mark} [{auc.low:.3f}, {auc.high:.3f}] {100 * cell.tpr_at_1.value:.0f} %"


def _percent(interval: Interval | None) -> str:
    if interval is None:
        return NOTHING
    return f"{100 * interval.value:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
