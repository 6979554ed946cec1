"""The verb `fauxlens detect`: what a detector says of pictures, with an overlay for each."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.terminal import Json, print_json, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError


@verb(ElaError, DataError, TrainError, ExportError)
def detect_verb(
    files: Annotated[list[Path], typer.Argument(help="Pictures.")],
    model: Annotated[
        Path | None, typer.Option(help="A .tflite or a bundle.", show_default="the shipped detector")
    ] = None,
    at: Annotated[str, typer.Option(help="Operating point: balanced, fpr-1% or fpr-0.5%.")] = "balanced",
    out: Annotated[Path, typer.Option("--out", help="Folder for the heatmap overlays.")] = Path(),
    as_json: Json = False,
) -> None:
    """Say of pictures whether they look real or AI-generated, and write a heatmap overlay for each."""
    from export.inference.detect_files import detect_files

    told = detect_files(files, model, at, out)
    if as_json:
        print_json(told.document)
    else:
        for line in told.lines:
            typer.echo(line)
    for sentence in told.errors:
        typer.echo(sentence, err=True)
    if told.errors:
        raise typer.Exit(2)
