"""What a folder without a card is: its own source, laid out in one of the usual ways."""

from pathlib import Path

from train.common.text import printable
from train.data.cards.reader import Card, usual_layout
from train.data.manifest import Manifest

ANY_FOLDER = "usual-layout"
"""The source of every folder without a card until December 2026; manifests that have it keep it."""


def layout_of(folder: Path, previous: Manifest | None = None) -> Card:
    """Return the card of a folder that has none; its source is called like the folder.

    So pictures of a folder that a detector has never seen are not taken for those of another one. `previous` is the
    manifest that is to be written again, whose rows keep the source that runs trained on them know.
    """
    if previous is not None and (previous.frame["source"] == ANY_FOLDER).any():
        return usual_layout(ANY_FOLDER)
    return usual_layout(source_of(folder))


def source_of(folder: Path) -> str:
    """Return what the pictures of a folder without a card are called as a source: the folder's own name."""
    # `/` separates a reconstruction's source from its autoencoder (train.data.manifest.origin); names have none.
    return printable(folder.resolve().name).strip() or "pictures"
