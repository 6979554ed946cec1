"""The verb `fauxlens demo`: the full pipeline on the built-in sample."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.compare import show_evaluations
from train.cli.outputs import OUTPUT_FOLDER
from train.cli.terminal import bar, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError


@verb(ElaError, DataError, TrainError, ExportError)
def demo_verb(
    out: Annotated[Path, typer.Option("--out", help="Output folder."), OUTPUT_FOLDER] = Path("runs/demo"),
) -> None:
    """Run the full pipeline offline on drawn sample data: training, int8, .tflite, verification, report."""
    from export.release.demo import closing_lines, run_demo

    shown = run_demo(out, bar, lambda line: print_lines(line, err=True))
    show_evaluations(shown.evaluations)
    print_lines(*closing_lines(shown, out))
    if not shown.parity.passed:
        raise typer.Exit(1)
