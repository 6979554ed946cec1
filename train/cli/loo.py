"""The verb `fauxlens loo`: detectors trained without some generators or sources, and what they make of these."""

from pathlib import Path
from typing import Annotated, Any

import typer

from train.cli.outputs import folder_of
from train.cli.rows import ManifestFile
from train.cli.terminal import Json, bar, batch_callback, console, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import LEAVE_OUT


@verb(ElaError, DataError, TrainError, ExportError)
def loo_verb(
    manifest: ManifestFile,
    recipe: Annotated[
        str, typer.Option(help="Name of a shipped recipe (`fauxlens recipe list`) or the path of one.")
    ] = "all-faces",
    scheme: Annotated[
        str,
        typer.Option(
            metavar="SCHEMES",
            help="Comma-separated: `generator` or `source` leaves out each in turn, `folds:K` one of K parts of both; "
            "`matrix` trains on one generator and tests on each.",
        ),
    ] = "generator",
    only: Annotated[str, typer.Option(metavar="NAMES", help="Leave out only these, separated by commas.")] = "",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Number of seeds, counting up from the recipe's.")] = 3,
    part: Annotated[
        str, typer.Option(metavar="I/N", help="Train only the I-th of N parts, on one of several machines.")
    ] = "1/1",
    weights: Annotated[
        str | None, typer.Option(help="`imagenet`, `none` or an .h5 file. Overrides the recipe.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the recipe (`fauxlens recipe keys`)."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for runs and report."), folder_of(LEAVE_OUT)] = Path(
        "runs/loo"
    ),
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Leave each generator or source out of training and test on it, to estimate accuracy on new ones."""
    from train.common.parts import parse_part
    from train.compare.leave_out.study import missing_trainings, plan_study, report_study, train_part
    from train.compare.leave_out.tables import HOW_TO_READ, leave_out_findings, leave_out_tables
    from train.recipe import parse_setting, read_recipe
    from train.recipe_files import find_recipe

    if markdown and as_json:
        raise TrainError("--markdown and --json both want standard output: choose one.")
    mine = parse_part(part)
    changed = dict(map(parse_setting, settings or ())) | ({} if weights is None else {"model.weights": weights})
    base = read_recipe(find_recipe(recipe), changed)
    study = plan_study(manifest, out, base, _names(scheme), seeds, _names(only))
    count = len(study.trainings)
    before = count - len(missing_trainings(study))
    print_lines(f"{count} trainings, {before} of them finished", err=True)
    with bar("training", as_json) as show:
        train_part(study, mine, on_run=_announce(study, mine), on_pack=show, on_batch=batch_callback(show))
    if left := missing_trainings(study):
        print_lines(
            f"{count - len(left)} of {count} trainings are finished in {out}. Run the other parts, copy their runs "
            "into "
            f"{out / 'runs'} if they were trained elsewhere, then run this without --part for the table.",
            err=as_json or markdown,
        )
        return
    with bar("evaluating", as_json) as show:
        results, paths = report_study(study, on_progress=show)
    if as_json:
        typer.echo(paths.json.read_text(encoding="utf-8"), nl=False)
        return
    if markdown:
        typer.echo(paths.markdown.read_text(encoding="utf-8"), nl=False)
        return
    for result in results:
        for table in leave_out_tables(result, console().width):
            print_table(table.title, table.header, table.rows)
        print_lines(*leave_out_findings(result))
    others = ", ".join(path.name for path in (paths.json, paths.csv, paths.markdown, paths.latex))
    print_lines("", *HOW_TO_READ, f"report: {paths.html}; also {others}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _announce(study: Any, part: Any) -> Any:
    from train.compare.leave_out.study import trainings_in

    mine = trainings_in(study, part)

    def announce(number: int, run: Any) -> None:
        print_lines(f"training {mine[number].name} ({number + 1} of {len(mine)})", err=True)

    return announce
