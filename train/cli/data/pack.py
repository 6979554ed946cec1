"""The verb `fauxlens data pack`: every picture preprocessed once, before a training."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.rows import ManifestFile, PartOption, chosen_part, show_part
from train.cli.terminal import bar, print_lines, verb
from train.common.errors import DataError, TrainError


@verb(DataError, TrainError)
def pack_verb(
    manifest: ManifestFile,
    view: Annotated[str, typer.Option(help="Preprocessing, e.g. 'upright|square|resize(128)'.")],
    unclear_faces: Annotated[
        Literal["drop", "centre", "keep"],
        typer.Option(help="With face(K): skip pictures with no face or several, crop their centre, or keep them."),
    ] = "drop",
    out: Annotated[Path, typer.Option("--out", help="Folder for packed stores."), OUTPUT_FOLDER] = Path("runs/packed"),
    part: PartOption = None,
) -> None:
    """Preprocess all pictures once, so that training need not decode them. `train` does this automatically."""
    from train.data.manifest import read_manifest
    from train.data.store import pack
    from train.data.store_parts import pack_part
    from train.image.view import parse_view

    mine = chosen_part(part)
    if mine is not None:
        with bar("packing") as progress:
            path = pack_part(
                read_manifest(manifest), parse_view(view), mine, out, unclear=unclear_faces, on_progress=progress
            )
        show_part(path, mine, as_json=False)
        return
    with bar("packing") as progress:
        store = pack(read_manifest(manifest), parse_view(view), out, unclear=unclear_faces, on_progress=progress)
    dropped = f", {store.dropped} with no or several faces dropped" if store.dropped else ""
    print_lines(f"{len(store.pixels)} pictures as {store.view.text} in {out}{dropped}")
