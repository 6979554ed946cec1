"""The verb `fauxlens recover`: a detector file's weights, to train on from them."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import own_file
from train.cli.rows import ManifestFile
from train.cli.terminal import Json, command, print_json, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import WEIGHTS


@verb(ElaError, DataError, TrainError, ExportError)
def recover_verb(
    model: Annotated[Path, typer.Argument(help="An int8 .tflite or a bundle.")],
    manifest: ManifestFile,
    out: Annotated[
        Path, typer.Option("--out", help="File for the weights: .h5."), own_file(".h5", mark=WEIGHTS)
    ] = Path("recovered.h5"),
    pictures: Annotated[
        int, typer.Option(min=32, help="Number of training pictures used to measure the layers.")
    ] = 384,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for choosing these pictures.")] = 1,
    as_json: Json = False,
) -> None:
    """Recover Keras weights from a detector file, to continue training with `train --weights`.

    Use it to teach a detector a new generator or camera with few pictures.

    Keep its earlier training pictures in the training split: evaluating on them is meaningless.
    """
    from export.release.recover import recover

    used = recover(model, manifest, out, pictures=pictures, seed=seed)
    if as_json:
        print_json({"weights": out, "pictures": used})
        return
    print_lines(f"{out}: weights of {model}, measured on {used:,} training pictures")
    print_lines(f"next: {command('train', 'RECIPE', '--manifest', manifest, '--weights', out)}")
