"""The verb `fauxlens average`: a run out of two sets of weights."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.compare import show_evaluations
from train.cli.outputs import OUTPUT_FOLDER
from train.cli.terminal import command, print_lines, verb
from train.common.errors import DataError, ElaError, TrainError


@verb(ElaError, DataError, TrainError)
def average_verb(
    run: Annotated[Path, typer.Argument(help="A run folder made by `train`.")],
    weights: Annotated[Path, typer.Argument(help="The weights.h5 of another run, or what `recover` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the new run."), OUTPUT_FOLDER],
    share: Annotated[float, typer.Option(min=0.01, max=0.99, help="Share of the other weights.")] = 0.5,
) -> None:
    """Average a run's weights with those that it was trained on from: often better than both.

    Choose the share by the validation figures.
    """
    from train.backbones.table import BACKBONES
    from train.fit.average import average_run
    from train.fit.pipeline import complete
    from train.fit.run_folder import open_run

    made = average_run(open_run(run), weights, share, out)
    found = complete(made, log=lambda line: print_lines(line, err=True))
    show_evaluations(found.evaluations)
    print_lines(f"report: {found.paths.html}")
    step = "export" if BACKBONES[made.recipe.model.backbone].not_int8 else "quantize"
    print_lines(f"next: {command(step, made.folder)}")
