"""The verb `fauxlens ablate`: a grid of recipes and seeds to one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.outputs import folder_of
from train.cli.terminal import Json, bar, console, print_json, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, TrainError
from train.common.own_files import ABLATION

if TYPE_CHECKING:
    from train.compare.ablate.grid import Grid
    from train.fit.epoch import BatchProgress
    from train.fit.run_folder import Run


@verb(ElaError, DataError, TrainError)
def ablate_verb(
    grid: Annotated[
        str, typer.Argument(help="Name of a shipped grid (`fauxlens recipe list`) or the path of one (TOML).")
    ],
    manifest: Annotated[Path, typer.Option(help="A manifest made by `data scan`.")] = Path("manifest.csv"),
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for runs and tables.", show_default="runs/GRID"),
        folder_of(ABLATION, place=lambda given: given["out"] or _folder(given["grid"])),
    ] = None,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="Override the grid's seeds. Repeatable.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="`imagenet`, `none` or an .h5 file. Overrides the grid's recipe.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a recipe's key in every arm. Repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train and compare recipes over a grid of keys and seeds.

    Completed runs are not repeated: to resume, or after adding to the grid, run the command again. If a training
    fails, the others continue; the tables give the reason, and the exit status is 1.
    """
    from train.compare.ablate.figures import measure_ablation
    from train.compare.ablate.grid import find_grid, read_grid
    from train.compare.ablate.tables import (
        FAILED_HEADER,
        FAILED_TITLE,
        ablation_notes,
        ablation_tables,
        failed_rows,
        write_tables,
    )
    from train.evaluate.plain import to_plain
    from train.recipe import parse_setting

    path = find_grid(grid)
    changed: dict[str, Any] = dict(map(parse_setting, settings or ()))
    if weights is not None:
        changed["model.weights"] = weights
    plan = read_grid(path, changed, seeds or ())
    folder = out or _folder(grid)
    runs, failed = _train(plan, manifest, folder, as_json)
    with bar("resampling", as_json) as show:
        found = measure_ablation(plan, runs, runs[0].manifest(), failed=failed, on_progress=show)
    written = write_tables(found, folder)
    if as_json:
        print_json({"format": 1, **to_plain(found), "paths": written})
    else:
        for table in ablation_tables(found):
            print_table(table.title, *table.fitted(console().width))
        if failed:
            print_table(FAILED_TITLE, FAILED_HEADER, failed_rows(found))
        print_lines(*ablation_notes(found), f"tables: {' '.join(map(str, written))}")
    if failed:
        raise typer.Exit(1)


def _folder(grid: str) -> Path:
    return Path("runs") / Path(grid).name.removesuffix(".toml")


def _train(plan: "Grid", manifest: Path, folder: Path, silent: bool) -> "tuple[tuple[Run, ...], dict[int, str]]":
    """Train what is missing; return the runs, and of those that failed the places and reasons."""
    from train.fit.train_missing import train_missing

    total = len(plan.recipes)
    names = [f"{arm.name}, seed {seed}" for arm in plan.arms for seed in plan.seeds]
    failed: dict[int, str] = {}
    with bar("trainings", silent) as show:
        at = 0
        # Told when the first one begins: until then something may be wrong with the pictures or the weights.
        planned = f"{len(plan.arms)} arms x {len(plan.seeds)} seeds = {len(plan.recipes)} trainings in {folder}"

        def on_run(number: int, run: "Run") -> None:
            nonlocal at, planned
            if planned:
                print_lines(planned, err=True)
            at, planned = number, ""
            show(at, total, f": {names[at]}")
            if not silent:
                print_lines(f"training {at + 1}/{total}, {names[at]}: {run.folder}", err=True)

        def on_batch(one: "BatchProgress") -> None:
            show(at, total, f": {names[at]}, {one.stage} {one.epoch}/{one.epochs}, batch {one.batch}/{one.batches}")

        def on_failed(number: int, reason: str) -> None:
            failed[number] = reason
            print_lines(f"failed: {names[number]}: {reason}", err=True)

        runs = train_missing(
            plan.recipes,
            manifest,
            folder,
            on_run=on_run,
            on_pack=lambda done, of: show(at, total, f": {names[at]}, packing {done}/{of}"),
            on_batch=on_batch,
            on_failed=on_failed,
        )
        show(total, total)
    return runs, failed
