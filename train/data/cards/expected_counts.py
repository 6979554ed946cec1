"""What a dataset promises, compared with what a manifest has."""

from collections.abc import Mapping

import polars as pl

from train.data.manifest import LABELS


def compare_counts(card: str, expected: Mapping[str, int], frame: pl.DataFrame) -> tuple[str, ...]:
    """Return one sentence for each published count that a manifest's rows of this dataset do not meet.

    `card` is the name of the dataset's card, `expected` its counts by label or generator. `frame` needs the columns
    label and generator. No sentence where the card expects nothing or all is there.
    """
    counts = {
        name: frame.filter(pl.col("label" if name in LABELS else "generator") == name).height for name in expected
    }
    return tuple(
        f"{card} promises {count:,} {name} pictures, the manifest has {counts[name]:,}."
        for name, count in expected.items()
        if counts[name] != count
    )
