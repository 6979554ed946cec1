"""The verb `fauxlens compare`: the matrix trained-on x tested-on, or with --against a comparison over seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.outputs import own_file
from train.cli.table_layout import natural_width
from train.cli.terminal import Json, bar, console, print_json, print_lines, print_table, verb
from train.common.errors import DataError, TrainError
from train.common.own_files import DIFFERENCES_FIGURE

if TYPE_CHECKING:
    from train.fit.run_folder import Run

WIDEST = 8
"""Columns that a terminal of ordinary width can show."""

PACKED = "packed"
"""The store that runs share stands beside them (`Run.store`), so a pattern such as runs/* names it, too."""


@verb(DataError, TrainError)
def compare_verb(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; without --against also report folders.")],
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="KEY=VALUE",
            help="Baseline value of a recipe key, e.g. model.front_end=rgb: compare all other values with it over "
            "several seeds, with paired intervals.",
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    figure: Annotated[
        Path | None,
        typer.Option(help="Also draw the differences with their intervals as SVG (with --against)."),
        own_file(".svg", mark=DIFFERENCES_FIGURE),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare runs as a matrix trained-on x tested-on, or recipes over several seeds (--against)."""
    if markdown and as_json:
        raise TrainError("--markdown and --json both want standard output: choose one.")
    if against is not None:
        _compare_arms(runs, against, markdown, figure, as_json)
    elif figure is not None:
        raise TrainError("--figure draws differences from a baseline: name it by --against KEY=VALUE.")
    else:
        _compare_runs(runs, markdown, as_json)


def show_evaluations(evaluations: Any) -> None:
    """Print the matrix trained-on x tested-on of evaluations."""
    from train.compare.matrix import matrix_table, train_on_test_on

    header, rows = matrix_table(train_on_test_on(evaluations))
    (_, *models), *turned = zip(header, *rows, strict=True)
    room = console().width
    if len(header) > WIDEST or (natural_width(rows) > room and natural_width(turned) < natural_width(rows)):
        # So many generators stand below each other.
        header, rows = ("tested on", *models), tuple(turned)
    print_table("AUC with 95 % interval, then TPR at 1 % FPR; * was in training", header, rows)


def _compare_runs(runs: Sequence[Path], markdown: bool, as_json: bool) -> None:
    from dataclasses import replace

    from train.compare.matrix import matrix_markdown, train_on_test_on
    from train.evaluate.plain import to_plain
    from train.evaluate.report.html import read_evaluations

    evaluations = [
        replace(evaluation, name=f"{run.name}, {evaluation.name}")
        for run in runs
        for evaluation in read_evaluations(_report_of(run))
    ]
    if as_json:
        print_json(to_plain(train_on_test_on(evaluations)))
    elif markdown:
        typer.echo(matrix_markdown(train_on_test_on(evaluations)))
    else:
        show_evaluations(evaluations)


def _compare_arms(folders: Sequence[Path], against: str, markdown: bool, figure: Path | None, as_json: bool) -> None:
    from train.compare.seeds import compare_arms
    from train.compare.tables import comparison_findings, comparison_markdown, comparison_notes, comparison_tables
    from train.evaluate.plain import to_plain
    from train.recipe import parse_setting

    baseline = parse_setting(against)
    with bar("resampling", as_json) as progress:
        found = compare_arms(_opened(folders), baseline, on_progress=progress)
    if figure is not None:
        from train.compare.forest_plot import write_figure

        write_figure(found, figure)
    if as_json:
        print_json(to_plain(found))
    elif markdown:
        typer.echo(comparison_markdown(found))
    else:
        for table in comparison_tables(found):
            print_table(table.title, table.header, table.rows)
        print_lines(*comparison_findings(found), "", *comparison_notes(found))
        if figure is not None:
            print_lines(f"figure: {figure}")


def _opened(folders: Sequence[Path]) -> "list[Run]":
    from train.fit.run_folder import open_run

    return [open_run(folder) for folder in folders if folder.name != PACKED or (folder / "run.json").exists()]


def _report_of(folder: Path) -> Path:
    """The best report in a run folder or a report folder: the export's, which has int8 too, before the training's."""
    places = (folder, folder / "export" / "report", folder / "report")
    return next((place / "report.json" for place in places if (place / "report.json").exists()), folder / "report.json")
