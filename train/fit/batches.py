"""From a packed store to batches: which rows are learned from, in what order, augmented how."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from ela.front_ends import FrontEnd
from train.data.store import Store
from train.evaluate.selection import mark_seen, rows_in_training
from train.fit.augment import augment, mix_up
from train.fit.crops import Crops
from train.fit.file_processing import mix_twins, process_square
from train.fit.sampling import EpochPlan, plan_all, plan_balanced
from train.fit.twins import find_twins
from train.model import scale_pixels
from train.recipe import Augment, FileProcessing, Recipe, Sampling


@dataclass(frozen=True)
class Squares:
    """The packed squares of a store's rows, and how they are processed."""

    crops: Crops
    settings: FileProcessing


Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scaled planes float32 [B, S, S, C], is-fake float32 [B, 1] (between 0 and 1 where mixed up), weight float32 [B]."""

Share = Callable[[np.ndarray], np.ndarray]
"""Of the rows of a batch [B] those that a worker takes."""

_THREADS = 2
_AHEAD = 4


def whole(rows: np.ndarray) -> np.ndarray:
    """The share of a worker that is alone."""
    return rows


def class_weights(is_fake: np.ndarray, kind: str) -> np.ndarray:
    """One weight a row, float32 [N] with mean 1: `balanced` gives both classes the same total, `none` gives ones."""
    if kind == "none":
        return np.ones(len(is_fake), np.float32)
    fakes = is_fake.astype(bool)
    share = np.where(fakes, fakes.mean(), 1 - fakes.mean())
    return (0.5 / share).astype(np.float32)


def cell_weights(is_fake: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """One weight a row, float32 [N] with mean 1: both classes have the same total, and so have the cells of a class."""
    _, cell, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[cell]
    for label in (True, False):
        weights[is_fake == label] *= 0.5 * len(is_fake) / weights[is_fake == label].sum()
    return weights.astype(np.float32)


@dataclass(frozen=True)
class SplitRows:
    """One split's rows that the recipe takes: indices into the store, is-fake, weights (float32, mean 1).

    cells: int [N], the number of each row's (generator, source) pair, or of a reconstruction's generator; twins: int
    [N], the position among these rows of the real picture that a reconstruction was made from, -1 for all others. Both
    are needed for [sampling] only.
    """

    index: np.ndarray
    is_fake: np.ndarray
    weights: np.ndarray
    cells: np.ndarray | None = None
    twins: np.ndarray | None = None


def rows_of(store: Store, recipe: Recipe, split: Literal["train", "val"]) -> SplitRows:
    """Select a split's seen rows of the store's manifest; with [sampling] every (generator, source) weighs the same."""
    chosen = rows_in_training(mark_seen(store.manifest.frame, recipe.data).with_row_index("row"), split)
    index = chosen["row"].to_numpy()
    is_fake = (chosen["label"] == "fake").to_numpy()
    if recipe.sampling is None:
        return SplitRows(index, is_fake, class_weights(is_fake, recipe.fit.class_weights))
    cells = _cells(chosen)
    return SplitRows(index, is_fake, cell_weights(is_fake, cells), cells, find_twins(chosen))


def _cells(frame: pl.DataFrame) -> np.ndarray:
    """Number the (generator, source) pairs, int64 [N]; of reconstructions, which have a source for every real one, the
    generators."""
    source = pl.when(pl.col("family") == "reconstruction").then(pl.lit("")).otherwise("source")
    pairs = frame.select(pl.struct("generator", source.alias("source")).rank("dense"))
    return pairs.to_series().to_numpy().astype(np.int64) - 1


def training_batches(
    store: Store,
    rows: SplitRows,
    *,
    front_end: FrontEnd,
    settings: Augment,
    batch_size: int,
    seed: tuple[int, ...],
    squares: Squares | None = None,
    sampling: Sampling | None = None,
    share: Share = whole,
) -> Iterator[Batch]:
    """Yield one epoch of augmented batches in an order that `seed` alone decides; a last short batch is kept.

    Pictures are prepared by threads a few batches ahead; each has its own random stream, so threads do not change the
    outcome. With `squares` they are processed at their file's size first; with `sampling` they are drawn as it says.
    Of each batch only the rows of `share` are given, and, but for what is mixed up, prepared.
    """
    plan = plan_epoch(rows, sampling, seed)

    def view_of(place: int) -> np.ndarray:
        random = np.random.default_rng((*seed, int(plan.streams[place])))
        row = rows.index[plan.order[place]]
        if squares is None:
            return augment(store.pixels[row], settings, random)
        square = squares.crops.square(row)
        if plan.mixed[place]:
            # Of a generator of its own: the stream itself must give what it gives the twin.
            mixing = np.random.default_rng((*seed, int(plan.streams[place]), 1))
            twin = squares.crops.square(rows.index[plan.order[place - 1]])
            square = mix_twins(twin, square, "pixels" if sampling is None else sampling.mix_by, mixing)
        view = process_square(square, squares.crops.shown, store.view.size, squares.settings, random)
        return augment(view, settings, random)

    def prepare(all_places: np.ndarray) -> Batch:
        places = all_places if settings.mixup else share(all_places)
        chosen = plan.order[places]
        views = np.stack([view_of(place) for place in places])
        is_fake = rows.is_fake[chosen].astype(np.float32)
        weights = np.ones(len(chosen), np.float32) if sampling else rows.weights[chosen]
        mixing = np.random.default_rng((*seed, int(all_places[0]), 2))
        views, is_fake, weights = mix_up(views, is_fake, weights, settings, mixing)
        if settings.mixup:
            mine = share(np.arange(len(places)))
            views, is_fake, weights = views[mine], is_fake[mine], weights[mine]
        return scale_pixels(front_end.planes(views).astype(np.float32)), is_fake[:, None], weights

    places = np.arange(len(plan.order))
    cuts = [places[start : start + batch_size] for start in range(0, len(places), batch_size)]
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


def plan_epoch(rows: SplitRows, sampling: Sampling | None, seed: tuple[int, ...]) -> EpochPlan:
    """The order of an epoch: every row once, or drawn as `sampling` says."""
    if sampling is None:
        return plan_all(len(rows.index), seed)
    assert rows.cells is not None
    assert rows.twins is not None
    return plan_balanced(rows.is_fake, rows.cells, rows.twins, sampling, seed)


def epoch_pictures(rows: SplitRows, recipe: Recipe) -> int:
    """How many pictures an epoch has."""
    count = len(rows.index)
    return count if recipe.sampling is None else (recipe.sampling.pictures or count) // 2 * 2


def epoch_steps(rows: SplitRows, recipe: Recipe) -> int:
    """How many batches an epoch has."""
    return math.ceil(epoch_pictures(rows, recipe) / recipe.fit.batch_size)
