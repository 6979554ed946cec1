"""The verb `fauxlens data scan`: from a folder of pictures to a manifest."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from train.cli.rows import DaskOption, OutManifest, PartOption, chosen_part, counts_of, show_counts, show_part
from train.cli.terminal import Json, bar, print_json, print_lines, verb
from train.common.errors import DataError, TrainError

_SHOWN = 10


@verb(DataError, TrainError)
def scan_verb(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with real/ and fake/ in a common layout, or in the layout of --card."),
    ],
    card: Annotated[str | None, typer.Option("--card", help="A card of `data list`, or your own TOML file.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="Without a card: the name of the source.",
            show_default="the folder's name",
        ),
    ] = None,
    out: OutManifest = Path("manifest.csv"),
    trust: Annotated[
        Literal["cache", "nothing"],
        typer.Option(help="`cache` skips unchanged files; `nothing` reads all files again."),
    ] = "cache",
    part: PartOption = None,
    dask: DaskOption = None,
    as_json: Json = False,
) -> None:
    """Scan a folder of pictures into a manifest: one row per image, near-duplicates grouped, splits assigned."""
    from train.data.cards.expected_counts import compare_counts
    from train.data.manifest import followed
    from train.data.scan.folder import scan_folder, scan_folder_part

    mine = chosen_part(part, dask)
    out = followed(out)
    with bar("scanning", as_json) as progress:
        callbacks: Any = {
            "on_unpacking": lambda done, total: progress(done, total, " (unpacking)"),
            "on_progress": progress,
        }
        if dask is not None:
            from train.data.scan.on_dask import scan_on_dask

            found = scan_on_dask(dask, folder, out, card=card, source=source, trust=trust, **callbacks)
        elif mine is None:
            found = scan_folder(folder, out, card=card, source=source, trust=trust, **callbacks)
        else:
            path = scan_folder_part(folder, out, mine, card=card, source=source, trust=trust, **callbacks)
    if mine is not None:
        show_part(path, mine, as_json)
        return
    unmet = compare_counts(found.card.name, found.card.expected, found.manifest.frame)
    if as_json:
        counts = counts_of(found.manifest.frame)
        skips = [asdict(one) for one in found.skipped]
        print_json({"manifest": out, "counts": counts.to_dicts(), "skipped": skips, "expected": unmet})
        return
    show_counts(found.manifest.frame, out)
    for sentence in unmet:
        print_lines(sentence)
    if found.skipped:
        for one in found.skipped[:_SHOWN]:
            print_lines(f"skipped: {one.reason}")
        print_lines(f"{len(found.skipped):,} skipped, listed with reasons in {found.skipped_path}")
