"""The verb `fauxlens data pack`: every picture preprocessed once, before a training."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.rows import DaskOption, ManifestFile, PartOption, chosen_part, parts_by_cluster, show_part
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
    dask: DaskOption = None,
) -> None:
    """Preprocess all pictures once, so that training need not decode them. `train` does this automatically."""
    from train.data.manifest import read_manifest
    from train.data.store import pack
    from train.data.store_parts import merge_pack_parts, pack_part, pack_part_on_worker, remove_pack_parts
    from train.image.view import parse_view

    mine = chosen_part(part, dask)
    read, looked = read_manifest(manifest), parse_view(view)
    if mine is not None:
        with bar("packing") as progress:
            path = pack_part(read, looked, mine, out, unclear=unclear_faces, on_progress=progress)
        show_part(path, mine, as_json=False)
        return
    if dask is not None:
        make = partial(pack_part_on_worker, manifest.resolve(), looked, unclear_faces, out.resolve())
        parts = parts_by_cluster(dask, make, "packing")
        with bar("joining") as progress:
            merge_pack_parts(parts, out, progress)
        remove_pack_parts(parts)
    with bar("packing") as progress:
        store = pack(read, looked, out, unclear=unclear_faces, on_progress=progress)
    dropped = f", {store.dropped} with no or several faces dropped" if store.dropped else ""
    print_lines(f"{len(store.pixels)} pictures as {store.view.text} in {out}{dropped}")
