"""The verb `fauxlens data sample`: drawn portraits, with which the pipeline runs without any download."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import OUTPUT_WHOLE_FOLDER
from train.cli.terminal import bar, command, print_lines, verb
from train.common.errors import DataError, TrainError


@verb(DataError, TrainError)
def sample_verb(
    folder: Annotated[Path, typer.Argument(help="Folder for the pictures."), OUTPUT_WHOLE_FOLDER],
    count: Annotated[int, typer.Option(min=30, help="Number of portraits.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 2026,
) -> None:
    """Draw sample data: simple portraits that exercise the pipeline. They are not real faces."""
    from train.data.sample.make import make_sample

    with bar("drawing") as progress:
        make_sample(folder, count=count, seed=seed, on_progress=progress)
    print_lines(f"{count} drawn portraits in {folder}; next: {command('data', 'scan', folder)}")
