"""From a packed store to batches: which rows are learned from, in what order, disturbed how."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from ela.front_ends import FrontEnd
from train.common.errors import TrainError
from train.data.store import Store
from train.fit.augment import augment
from train.model import scale_pixels
from train.recipe import Augment, Data, Recipe

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scaled planes float32 [B, S, S, C], is-fake float32 [B, 1], weight float32 [B]."""

_THREADS = 2
_AHEAD = 4


def mark_seen(frame: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Add the column `seen`: true where the recipe's data selection takes the row's generator and source.

    A source that has no picture of the generator in the train split (`data split --leave-out`) is not seen, whatever
    the recipe says. Raises TrainError when a name in the selection is nowhere in the manifest, or a class is left
    without a picture.
    """
    known = set(frame["generator"]) | set(frame["source"])
    for name in (*data.generators, *data.held_out):
        if name not in known:
            raise TrainError(
                f"The recipe names {name!r}, but the manifest has only these generators and sources: "
                f"{', '.join(sorted(known))}."
            )
    chosen = pl.col("generator").is_in(data.generators)
    held = pl.col("generator").is_in(data.held_out) | pl.col("source").is_in(data.held_out)
    in_training = (pl.col("split") == "train").any().over("generator", "source")
    marked = frame.with_columns(seen=chosen & ~held & in_training)
    for split in ("train", "val", "test"):
        rows = marked.filter(pl.col("seen") & (pl.col("split") == split))
        for label in ("real", "fake"):
            if not (rows["label"] == label).any():
                raise TrainError(
                    f"The recipe's selection leaves no {label} picture in the split {split!r}: "
                    "add pictures, or name more generators."
                )
    return marked


def class_weights(is_fake: np.ndarray, kind: str) -> np.ndarray:
    """One weight a row, float32 [N] with mean 1: `balanced` gives both classes the same total, `none` gives ones."""
    if kind == "none":
        return np.ones(len(is_fake), np.float32)
    fakes = is_fake.astype(bool)
    share = np.where(fakes, fakes.mean(), 1 - fakes.mean())
    return (0.5 / share).astype(np.float32)


@dataclass(frozen=True)
class Rows:
    """One split's rows that the recipe takes: indices into the store, is-fake, weights (float32, mean 1)."""

    index: np.ndarray
    is_fake: np.ndarray
    weights: np.ndarray


def rows_of(store: Store, recipe: Recipe, split: str) -> Rows:
    """Select a split's seen rows of the store's manifest."""
    marked = mark_seen(store.manifest.frame, recipe.data)
    index = np.flatnonzero((marked["seen"] & (marked["split"] == split)).to_numpy())
    is_fake = (marked["label"] == "fake").to_numpy()[index]
    return Rows(index, is_fake, class_weights(is_fake, recipe.fit.class_weights))


def training_batches(
    store: Store,
    rows: Rows,
    *,
    front_end: FrontEnd,
    settings: Augment,
    batch_size: int,
    seed: tuple[int, ...],
) -> Iterator[Batch]:
    """Yield one epoch of disturbed batches in an order that `seed` alone decides; a last short batch is kept.

    Pictures are prepared by threads a few batches ahead; each has its own random stream, so threads do not change the
    outcome.
    """
    order = np.random.default_rng(seed).permutation(len(rows.index))

    def prepare(chosen: np.ndarray) -> Batch:
        views = np.stack(
            [augment(store.pixels[rows.index[i]], settings, np.random.default_rng((*seed, int(i)))) for i in chosen]
        )
        planes = scale_pixels(front_end.planes(views).astype(np.float32))
        return planes, rows.is_fake[chosen].astype(np.float32)[:, None], rows.weights[chosen]

    cuts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for cut in cuts:
                waiting.append(pool.submit(prepare, cut))
                if len(waiting) >= _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
