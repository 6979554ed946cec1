"""The verb `fauxlens data get`: a dataset, from the place its card names."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import WritePlace
from train.cli.terminal import bar, command, print_lines, verb
from train.common.errors import DataError, TrainError


@verb(DataError, TrainError)
def get_verb(
    card: Annotated[str, typer.Argument(help="A card of `data list`, or your own TOML file.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the dataset.", show_default="runs/data/NAME"),
        WritePlace("whole folder", place=lambda given: given["out"] or _dataset_folder(given["card"])),
    ] = None,
) -> None:
    """Download a dataset as its card says. To resume an interrupted download, run it again."""
    from train.data.cards.registry import find_card
    from train.data.get.getting import get_dataset

    found = find_card(card)
    folder = out or _dataset_folder(card)
    with bar("fetching", unit="bytes") as progress:
        get_dataset(
            found,
            folder,
            now=datetime.now(UTC),
            on_progress=lambda done, total, what: progress(done, total, f" ({what})"),
        )
    print_lines(
        f"{found.title}: {folder}",
        f"licence: {found.licence}",
        f"next: {command('data', 'scan', folder, '--card', card)}",
    )


def _dataset_folder(card: str) -> Path:
    return Path("runs") / "data" / Path(card).name.removesuffix(".toml")
