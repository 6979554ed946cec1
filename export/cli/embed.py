"""The verb `fauxlens embed`: features of a manifest's pictures, as Parquet or NPZ."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import own_file
from train.cli.rows import ManifestFile
from train.cli.terminal import bar, command, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import FEATURES


@verb(ElaError, DataError, TrainError, ExportError)
def embed_verb(
    model: Annotated[
        str, typer.Argument(help="A backbone (mobilenet-v1, facenet, ...), a run folder, a .tflite or a bundle.")
    ],
    manifest: ManifestFile,
    out: Annotated[
        Path,
        typer.Option("--out", help="The file to write: .parquet or .npz."),
        own_file(".parquet", ".npz", mark=FEATURES),
    ] = Path("features.parquet"),
    weights: Annotated[
        str | None,
        typer.Option(
            help="For a backbone: the name of published weights, `none` or an .h5 file.", show_default="published"
        ),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(help="For a backbone, e.g. upright|face(2.8)|resize(160).", show_default="the upright square"),
    ] = None,
    unclear: Annotated[
        str | None,
        typer.Option(
            metavar="drop|centre|keep",
            help="For a backbone with a face view: how to treat pictures with no or several faces.",
            show_default="drop",
        ),
    ] = None,
    front_end: Annotated[
        str | None,
        typer.Option(
            "--front-end", help="For a backbone: what it sees, as in recipes: rgb, ela, npr, srm.", show_default="rgb"
        ),
    ] = None,
) -> None:
    """Write a network's features of a manifest's pictures, for `svm` and your own analyses."""
    from export.release.embed import embed
    from train.features.table import write_features

    with bar("embedding") as progress:
        found = embed(
            model,
            manifest,
            out,
            weights=weights,
            view=view,
            unclear=unclear,  # type: ignore[arg-type]
            front_end=front_end,
            on_progress=progress,
        )
    write_features(found, out)
    count, width = found.values.shape
    print_lines(
        f"{count:,} pictures, {width:,} features each, by {found.note.network} -> {out}",
        f"next: {command('svm', out)}",
    )
