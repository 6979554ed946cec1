"""Which rows are in training, which are scored, which are reported: decided here and nowhere else.

A row is *seen* when its pair of generator and source was in training, whatever its split. Of the seen pairs

    rows_in_training   the rows of one split: train, val or test
    rows_to_score      val and test, and every row that is not seen: what a run scores
    rows_to_report     test, and every row that is not seen: what a figure may be about; where all are asked for, all

Pairs and not two lists: where (camera, a) and (stylegan, b) were trained on, (stylegan, a) is unseen.
"""

from collections.abc import Iterable
from typing import Literal

import polars as pl

from train.common.errors import TrainError
from train.data.manifest import Manifest
from train.recipe import Data

Pair = tuple[str, str]
"""Generator and source."""

Which = Literal["test", "all"]
"""Of what was in training: rows of the test split only, or every row. What was not in training is reported anyway."""

EVERY = "*"
"""In a recipe: every generator that the manifest has."""

SEEN_PAIR = ["generator", "source"]


def pairs_of_recipe(frame: pl.DataFrame, data: Data) -> tuple[Pair, ...]:
    """The pairs that a recipe trains on, sorted: it takes their generator, holds out neither generator nor source,
    and a picture of them is in the train split (`data split --leave-out` leaves none).

    frame: a manifest's. Raises TrainError when a name in the selection is nowhere in the manifest, or a class is left
    without a picture in one of the splits.
    """
    known = set(frame["generator"]) | set(frame["source"])
    for name in (*data.generators, *data.held_out):
        if name not in known and name != EVERY:
            raise TrainError(
                f"The recipe names {name!r}, but the manifest has only these generators and sources: "
                f"{', '.join(sorted(known))}. --set 'data.generators=[\"*\"]' --set 'data.held_out=[]' uses all of "
                "them."
            )
    chosen = pl.lit(True) if EVERY in data.generators else pl.col("generator").is_in(data.generators)
    held_out = pl.col("generator").is_in(data.held_out) | pl.col("source").is_in(data.held_out)
    trained = frame.filter(chosen & ~held_out & (pl.col("split") == "train")).select(SEEN_PAIR).unique()
    pairs = tuple(sorted(trained.iter_rows()))
    marked = mark_pairs(frame, pairs)
    for split in ("train", "val", "test"):
        labels = set(rows_in_training(marked, split)["label"])
        for label in ("real", "fake"):
            if label not in labels:
                raise TrainError(
                    f"The recipe's selection leaves no {label} picture in the split {split!r}: "
                    "add pictures, or name more generators."
                )
    return pairs


def mark_seen(frame: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Add the column `seen` by a recipe; raises TrainError as `pairs_of_recipe`."""
    return mark_pairs(frame, pairs_of_recipe(frame, data))


def mark_pairs(frame: pl.DataFrame, pairs: Iterable[Pair]) -> pl.DataFrame:
    """Add the column `seen`: whether the row's generator and source, as a pair, are among `pairs`."""
    listed = sorted(set(pairs))
    generators, sources = [pair[0] for pair in listed], [pair[1] for pair in listed]
    seen = pl.DataFrame(
        {"generator": generators, "source": sources, "seen": [True] * len(listed)},
        schema={"generator": pl.String, "source": pl.String, "seen": pl.Boolean},
    )
    joined = frame.drop("seen", strict=False).join(seen, on=SEEN_PAIR, how="left", maintain_order="left")
    return joined.with_columns(pl.col("seen").fill_null(False))


def mark_manifest(manifest: Manifest, pairs: Iterable[Pair]) -> pl.DataFrame:
    """A manifest's rows with `seen`, by pairs, and `row`, the index of each in it."""
    return mark_pairs(manifest.frame, pairs).with_row_index("row")


def seen_pairs(marked: pl.DataFrame) -> tuple[Pair, ...]:
    """The pairs of a table's seen rows, sorted; of a run's scores these are all that it was trained on."""
    return tuple(sorted(marked.filter("seen").select(SEEN_PAIR).unique().iter_rows()))


def rows_in_training(marked: pl.DataFrame, split: Literal["train", "val", "test"]) -> pl.DataFrame:
    """The seen rows of a split."""
    return marked.filter(pl.col("seen") & (pl.col("split") == split))


def rows_to_score(marked: pl.DataFrame) -> pl.DataFrame:
    """All rows but those that weights were fitted to: validation rows are kept, for calibration."""
    return marked.filter(~pl.col("seen") | (pl.col("split") != "train"))


def rows_to_report(marked: pl.DataFrame, which: Which = "test") -> pl.DataFrame:
    """The rows that no decision of training or calibration was based on; or all."""
    return marked if which == "all" else marked.filter(reported(marked))


def without_reconstructions(rows: pl.DataFrame) -> pl.DataFrame:
    """All rows but reconstructions (family `reconstruction`), or all where these are the only fakes.

    Reconstructions are a means of training, harder to tell than what generators make, and nobody comes across them:
    they neither choose thresholds nor count in the figures of all fakes together.
    """
    others = rows.filter(pl.col("family") != "reconstruction")
    return others if (others["label"] == "fake").any() else rows


def reported(marked: pl.DataFrame) -> pl.Series:
    """For each row whether `rows_to_report` keeps it."""
    return marked.select(~pl.col("seen") | (pl.col("split") == "test")).to_series()
