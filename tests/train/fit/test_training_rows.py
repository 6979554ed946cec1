"""What training sees of a manifest: which rows, how heavy each, in which order, and their planes."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ela.front_ends import FrontEnd, parse_front_end
from ela.reference import error_level
from ela.setting import Ela
from train.common.errors import ElaError, TrainError
from train.data.manifest import Manifest, read_manifest
from train.evaluate.selection import mark_seen
from train.fit.batches import class_weights, rows_of, training_batches
from train.fit.pipeline import begin
from train.model import scale_pixels
from train.recipe import Augment, Data, Recipe


@pytest.fixture
def manifest(small_manifest: Path) -> Manifest:
    return read_manifest(small_manifest)


def _front_end(recipe: Recipe) -> FrontEnd:
    return parse_front_end(recipe.model.front_end)


def test_selection_takes_generators_and_leaves_the_held_out(manifest: Manifest) -> None:
    marked = mark_seen(manifest.frame, Data(view="resize(96)", generators=("camera", "gan-like")))
    assert set(marked.filter(pl.col("seen"))["generator"]) == {"camera", "gan-like"}
    assert set(marked.filter(~pl.col("seen"))["generator"]) == {"diffusion-like"}


def test_a_generator_that_the_splits_leave_out_is_not_seen(manifest: Manifest) -> None:
    gone = pl.col("generator") == "diffusion-like"
    frame = manifest.frame.with_columns(split=pl.when(gone).then(pl.lit("test")).otherwise("split"))
    data = Data(view="resize(96)", generators=("camera", "gan-like", "diffusion-like"))
    assert set(mark_seen(manifest.frame, data).filter("seen")["generator"]) == {"camera", "gan-like", "diffusion-like"}
    assert set(mark_seen(frame, data).filter("seen")["generator"]) == {"camera", "gan-like"}


@pytest.mark.parametrize(
    ("generators", "held_out", "words"),
    [
        (("camera", "stylegan9"), (), "'stylegan9'"),
        (("camera",), (), "no fake picture"),
        (("gan-like",), (), "no real picture"),
        (("camera", "gan-like"), ("gan-like",), "no fake picture"),
    ],
)
def test_a_selection_without_a_class_is_refused(
    manifest: Manifest, generators: tuple[str, ...], held_out: tuple[str, ...], words: str
) -> None:
    with pytest.raises(TrainError, match=words):
        mark_seen(manifest.frame, Data(view="resize(96)", generators=generators, held_out=held_out))


def test_weights_give_both_classes_the_same_total() -> None:
    is_fake = np.array([True] * 9 + [False] * 3)
    weights = class_weights(is_fake, "balanced")
    assert weights[is_fake].sum() == pytest.approx(weights[~is_fake].sum())
    assert weights.mean() == pytest.approx(1)
    assert (class_weights(is_fake, "none") == 1).all()


def test_an_epoch_shows_every_row_once_in_an_order_of_the_seed(
    small_recipe: Recipe, small_manifest: Path, tmp_path: Path
) -> None:
    run = begin(small_recipe, small_manifest, tmp_path / "run")
    store = run.store()
    rows = rows_of(store, small_recipe, "train")

    def epoch(seed: int) -> tuple[np.ndarray, np.ndarray]:
        batches = training_batches(
            store,
            rows,
            front_end=_front_end(small_recipe),
            settings=small_recipe.augment,
            batch_size=16,
            seed=(seed,),
        )
        planes, labels, _ = zip(*batches, strict=True)
        return np.concatenate(planes), np.concatenate(labels)

    planes, labels = epoch(1)
    again, _ = epoch(1)
    other, _ = epoch(2)
    assert len(planes) == len(rows.index)
    assert labels.sum() == rows.is_fake.sum()
    assert np.array_equal(planes, again)
    assert not np.array_equal(planes, other)


@pytest.mark.parametrize(
    ("front_end", "words"), [("dct", "'dct' is not known"), ("ela(90,420)+rgb(3)", "rgb takes no options")]
)
def test_a_front_end_that_cannot_be_trained_is_refused(
    small_recipe: Recipe, small_manifest: Path, tmp_path: Path, front_end: str, words: str
) -> None:
    recipe = dataclasses.replace(small_recipe, model=dataclasses.replace(small_recipe.model, front_end=front_end))
    with pytest.raises((TrainError, ElaError), match=words):
        begin(recipe, small_manifest, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_training_reads_the_error_levels_that_pillow_gives(
    small_recipe: Recipe, small_manifest: Path, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(small_recipe, model=dataclasses.replace(small_recipe.model, front_end="ela(90)"))
    store = begin(recipe, small_manifest, tmp_path / "run").store()
    rows = rows_of(store, recipe, "train")
    batches = training_batches(
        store,
        rows,
        front_end=_front_end(recipe),
        settings=Augment(flip=0.0),
        batch_size=len(rows.index),
        seed=(5,),
    )
    ((planes, _, _),) = list(batches)
    order = np.random.default_rng((5,)).permutation(len(rows.index))
    for position in (0, 1, 2):
        expected = error_level(np.asarray(store.pixels[rows.index[order[position]]]), Ela(quality=90))
        assert np.array_equal(planes[position], scale_pixels(expected.astype(np.float32)))
