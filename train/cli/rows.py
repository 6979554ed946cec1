"""What the verbs on manifests share: the manifest they take, --part and --out, and how they show what came of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.outputs import WritePlace
from train.cli.terminal import print_json, print_lines, print_table

if TYPE_CHECKING:
    import polars as pl

    from train.common.parts import WorkPart

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
OutManifest = Annotated[Path, typer.Option("--out", help="The manifest to write."), WritePlace("file", replaces=True)]


def chosen_part(text: str | None) -> "WorkPart | None":
    """The part that is asked for; None for the whole. Raises DataError for what is none."""
    from train.common.parts import parse_part

    return None if text is None else parse_part(text)


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
