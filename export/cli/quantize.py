"""The verb `fauxlens quantize`: a trained run to its int8 states."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.terminal import bar, batch_callback, command, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError


@verb(ElaError, DataError, TrainError, ExportError)
def quantize_verb(
    run: Annotated[Path, typer.Argument(help="A run folder made by `train`."), OUTPUT_FOLDER],
) -> None:
    """Quantise a trained run to int8, post-training (PTQ) and by quantisation-aware fine-tuning (QAT)."""
    from export.quantize.fake_quant import quantise_run
    from train.fit.run_folder import open_run

    with bar("quantising") as progress:
        states = quantise_run(
            open_run(run), on_batch=batch_callback(progress), log=lambda line: print_lines(line, err=True)
        )
    print_lines(f"{', '.join(states)} in {run / 'quantized'}; next: {command('export', run)}")
