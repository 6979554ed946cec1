"""The command `data reconstruct`: fakes out of one's own real pictures."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.rows import DaskOption, ManifestFile, PartOption, chosen_part, parts_by_cluster, show_part
from train.cli.terminal import Json, bar, command, print_json, print_lines, print_table, verb
from train.common.errors import DataError, TrainError

if TYPE_CHECKING:
    from train.data.reconstruct.reconstruct import Reconstructed

_SHOWN = 10


@verb(DataError, TrainError)
def reconstruct_verb(
    manifest: ManifestFile,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for the fakes. To resume an interrupted run, run it again."),
        OUTPUT_FOLDER,
    ],
    autoencoder: Annotated[
        str,
        typer.Option(help="Autoencoders or ONNX files, comma-separated; each picture is given to one of them."),
    ] = "taesd,taesdxl,taef1,taef2",
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the weights, or hf:OWNER/NAME on Hugging Face.",
            show_default="each from its author's repository",
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(min=64, help="First downscale pictures to at most this many pixels on the longer side."),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(help="Replace only the face, eyes, mouth or a random region, with soft edges; masks are saved."),
    ] = None,
    latent_noise: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Largest noise added to the latents, as a share of their standard deviation."
        ),
    ] = 0.0,
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of pictures, spread evenly over the sources.")
    ] = None,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Instead of --count: the share of each source, 0 to 1.")
    ] = 1.0,
    source: Annotated[list[str] | None, typer.Option(help="Only real pictures of this source. Repeatable.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads for the network, and as many for decoding and saving.")
    ] = 2,
    part: PartOption = None,
    dask: DaskOption = None,
    as_json: Json = False,
) -> None:
    """Make fakes from your own real pictures with an autoencoder; nothing else differs from the originals."""
    from train.data.manifest import read_manifest
    from train.data.part_files import remove_parts
    from train.data.reconstruct.open_autoencoder import (
        open_autoencoders,
        resolved_names,
        resolved_weights,
    )
    from train.data.reconstruct.originals import select_reals
    from train.data.reconstruct.parts import (
        ReconstructRequest,
        merge_reconstruct_parts,
        reconstruct_part,
        reconstruct_part_on_worker,
    )
    from train.data.reconstruct.reconstruct import MANIFEST, reconstruct
    from train.data.reconstruct.regions import parse_region
    from train.data.scan.skipped import write_skipped

    mine = chosen_part(part, dask)
    region = None if regions is None else parse_region(regions)
    read = read_manifest(manifest)
    rows = select_reals(read, count=count, share=share, sources=source or ())
    opened = open_autoencoders(autoencoder, weights, threads, latent_noise)
    if mine is not None:
        with bar("reconstructing", as_json) as progress:
            path = reconstruct_part(
                read, rows, mine, opened, out, scale=scale, region=region, workers=threads, on_progress=progress
            )
        show_part(path, mine, as_json)
        return
    if dask is not None:
        wanted = ReconstructRequest(
            manifest.resolve(),
            resolved_names(autoencoder),
            resolved_weights(weights),
            latent_noise,
            count,
            share,
            tuple(source or ()),
            scale,
            region,
        )
        make = partial(reconstruct_part_on_worker, wanted, out.resolve())
        parts = parts_by_cluster(dask, make, "reconstructing", as_json)
        made = merge_reconstruct_parts(parts)
        remove_parts(parts)
    else:
        with bar("reconstructing", as_json) as progress:
            made = reconstruct(
                read, rows, opened, out, scale=scale, region=region, workers=threads, on_progress=progress
            )
    listed = write_skipped(made.skipped, out / MANIFEST)
    counts = _counts(made.manifest.frame)
    if as_json:
        skips = [{"path": one.path, "reason": one.reason} for one in made.skipped]
        print_json({"manifest": out / MANIFEST, "pairs": len(made.pairs), "counts": counts, "skipped": skips})
        return
    show_reconstructed(made, listed)
    print_lines(f"next: {command('data', 'merge', manifest, out / MANIFEST, '--out', 'merged.csv')}")


def show_reconstructed(made: "Reconstructed", listed: Path) -> None:
    """Print how many pairs were made of what, and what was skipped, of which a list was written."""
    from train.data.reconstruct.reconstruct import MANIFEST

    counts = _counts(made.manifest.frame)
    columns = ("label", "generator", "source", "pictures")
    table = [tuple(str(row[name]) for name in columns) for row in counts]
    print_table(f"{len(made.pairs):,} pairs -> {made.manifest.folder / MANIFEST}", columns, table)
    for one in made.skipped[:_SHOWN]:
        print_lines(f"skipped: {one.reason}")
    if made.skipped:
        print_lines(f"{len(made.skipped):,} skipped, listed with reasons in {listed}")


def _counts(frame: Any) -> list[dict[str, Any]]:
    import polars as pl

    keys = ["label", "generator", "source"]
    return list(frame.group_by(keys).agg(pictures=pl.len()).sort(keys).iter_rows(named=True))
