"""What a dataset promises, compared with what a manifest has."""

import polars as pl

from train.data.cards.reader import Card
from train.data.manifest import LABELS


def compare_counts(card: Card, frame: pl.DataFrame) -> tuple[str, ...]:
    """Return one sentence for each published count that a manifest's rows of this dataset do not meet.

    `frame` needs the columns label and generator. No sentence where the card expects nothing or all is there.
    """
    counts = {
        name: frame.filter(pl.col("label" if name in LABELS else "generator") == name).height for name in card.expected
    }
    return tuple(
        f"{card.name} promises {expected:,} {name} pictures, the manifest has {counts[name]:,}."
        for name, expected in card.expected.items()
        if counts[name] != expected
    )
