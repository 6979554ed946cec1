"""What the verbs on manifests share: the manifest they take, --part, --dask and --out, and how they show the result."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.outputs import manifest_file
from train.cli.terminal import bar, print_json, print_lines, print_table
from train.common.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from train.common.dask_cluster import MakePart
    from train.common.parts import WorkPart
    from train.data.part_files import PartFile

ManifestFile = Annotated[Path, typer.Argument(help="A manifest made by `data scan`.")]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="I/N",
        help="Process only the I-th of N parts, on one of several machines; `data merge` combines them.",
        show_default=False,
    ),
]
DaskOption = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Run on the Dask cluster with this scheduler, e.g. tcp://10.0.0.1:8786.",
        show_default=False,
    ),
]
OutManifest = Annotated[Path, typer.Option("--out", help="The manifest to write."), manifest_file()]


def chosen_part(text: str | None, dask: str | None = None) -> "WorkPart | None":
    """The part that is asked for; None for the whole. Raises DataError for what is none, and for one on a cluster."""
    from train.common.parts import parse_part

    part = None if text is None else parse_part(text)
    if part is not None and dask is not None:
        raise DataError(f"--dask makes all parts and merges them: leave out --part {part}.")
    return part


def parts_by_cluster(address: str, make: "MakePart", doing: str, silent: bool = False) -> "tuple[PartFile, ...]":
    """Let the workers of a Dask cluster make all parts of a whole, with a bar, and read them."""
    from train.common.dask_cluster import make_parts, open_cluster
    from train.data.part_files import read_all_parts

    with bar(f"{doing}, by parts", silent) as progress, open_cluster(address) as cluster:
        return read_all_parts(make_parts(cluster, make, progress))


def show_part(path: Path, part: "WorkPart", as_json: bool) -> None:
    """Say how much is in a part that was made, and how to go on."""
    from train.common.parts import all_parts
    from train.data.part_files import counts_of_part, read_part

    rows, skipped = counts_of_part(read_part(path))
    if as_json:
        print_json({"part": str(part), "file": path, "rows": rows, "skipped": skipped})
        return
    print_lines(
        f"part {part}: {rows:,} rows, {skipped:,} skipped -> {path}",
        f"next, when all {part.count} parts are there: fauxlens data merge {all_parts(path, part)}",
    )


def counts_of(frame: "pl.DataFrame") -> "pl.DataFrame":
    """The number of pictures by label, generator, source and split, sorted."""
    keys = ("label", "generator", "source")
    return frame.group_by(*keys, "split").len().sort(*keys, "split")


def show_counts(frame: "pl.DataFrame", path: Path) -> None:
    """Print the number of pictures by label, generator and source, a column a split."""
    from train.data.manifest import SPLITS

    totals = counts_of(frame).pivot("split", index=["label", "generator", "source"], values="len").fill_null(0)
    rows = [
        (row["label"], row["generator"], row["source"], *(f"{row.get(split, 0):,}" for split in SPLITS))
        for row in totals.to_dicts()
    ]
    print_table(f"{frame.height:,} pictures -> {path}", ("label", "generator", "source", *SPLITS), rows)
