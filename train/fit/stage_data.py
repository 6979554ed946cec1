"""What a stage trains, and on what: the whole network on fresh augmentations, or the head on cached features."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ela.front_ends import FrontEnd, parse_front_end
from train.common.progress import ProgressCallback
from train.common.tf import load_tensorflow
from train.data.store import Store
from train.fit.batches import (
    Batch,
    Share,
    SplitRows,
    Squares,
    epoch_pictures,
    epoch_steps,
    rows_of,
    training_batches,
    whole,
)
from train.fit.crops import pack_crops
from train.fit.run_folder import Run
from train.model import HEAD, POOLED, predictor, scale_pixels
from train.recipe import Recipe

_CHUNK = 256


@dataclass(frozen=True)
class TrainingStage:
    """One stage's work: the compiled Keras model to take steps with, an epoch's batches, and how it is evaluated.

    batches: epoch, from 0 -> batches that `model` takes. evaluate: the logits
    float32 [N] of the validation rows as it stands.
    """

    model: Any
    batches: Callable[[int], Iterable[Batch]]
    evaluate: Callable[[], np.ndarray]


@dataclass(frozen=True)
class StageData:
    """What every stage of a run draws on; `val_planes` is uint8 [N, S, S, C], planes of the rows `val`.

    squares: the training pictures at their files' own sizes, where the recipe has them processed there. share: of each
    batch what this worker takes.
    """

    recipe: Recipe
    store: Store
    front_end: FrontEnd
    learn: SplitRows
    val: SplitRows
    val_planes: np.ndarray
    squares: Squares | None = None
    share: Share = whole

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return epoch_steps(self.learn, self.recipe)

    def rows_of_batch(self, number: int) -> int:
        """How many pictures batch `number` of an epoch has, from 0, on all workers together."""
        size = self.recipe.fit.batch_size
        return min(size, epoch_pictures(self.learn, self.recipe) - number * size)

    def augmented(self, stage: int, epoch: int, share: Share = whole) -> Iterator[Batch]:
        """One epoch of augmented batches; stage and epoch, from 0, decide order and augmentations with the seed."""
        return training_batches(
            self.store,
            self.learn,
            front_end=self.front_end,
            settings=self.recipe.augment,
            batch_size=self.recipe.fit.batch_size,
            seed=(self.recipe.fit.seed, stage, epoch),
            squares=self.squares,
            sampling=self.recipe.sampling,
            share=share,
        )


def gather_stage_data(
    run: Run, store: Store, on_progress: ProgressCallback | None = None, share: Share = whole
) -> StageData:
    """Select a run's rows, and cut the squares of its training pictures where the recipe processes them at file size.

    Raises TrainError for a selection without a class, DataError for pictures that cannot be read.
    """
    recipe = run.recipe
    front_end = parse_front_end(recipe.model.front_end)
    learn, val = rows_of(store, recipe, "train"), rows_of(store, recipe, "val")
    squares = None
    if recipe.file_processing is not None:
        crops = pack_crops(
            store.manifest,
            run.view,
            run.folder.parent / "packed",
            recipe.file_processing,
            unclear=recipe.data.unclear_faces,
            on_progress=on_progress,
        )
        squares = Squares(crops, recipe.file_processing)
    return StageData(recipe, store, front_end, learn, val, front_end.planes(store.pixels[val.index]), squares, share)


def prepare_stage(model: Any, data: StageData, stage: int) -> TrainingStage:
    """Prepare stage number `stage` (from 0) of a compiled classifier whose layers are frozen as the stage wants."""
    if data.recipe.stages[stage].features == "cached":
        return _cached_stage(model, data, stage)
    # Traced at the first epoch only.
    predict = predictor(model)
    return TrainingStage(
        model,
        batches=lambda epoch: data.augmented(stage, epoch, data.share),
        evaluate=lambda: predict(data.val_planes),
    )


def head_of_features(model: Any) -> Any:
    """The part of a classifier behind its pooled last map, as a model that shares its layers."""
    tf = load_tensorflow()
    entry = tf.keras.Input(model.get_layer(POOLED).output.shape[1:])
    return tf.keras.Model(entry, model.get_layer(HEAD)(model.get_layer("dropout")(entry)))


def _cached_stage(model: Any, data: StageData, stage: int) -> TrainingStage:
    """Run the frozen layers once, on pictures augmented once; every epoch then takes the head alone.

    The head shares its layers and its optimizer with `model`. Features are the pooled last map, 4 KB a picture at
    width 1. A stage that goes on after a kill computes them anew, to the same values.
    """
    tf = load_tensorflow()
    frozen = tf.keras.Model(model.input, model.get_layer(POOLED).output)
    call = tf.function(lambda planes: tf.cast(frozen(planes, training=False), tf.float32))

    head = head_of_features(model)
    head.compile(optimizer=model.optimizer, loss=model.loss)

    parts = [(call(planes).numpy(), is_fake, weights) for planes, is_fake, weights in data.augmented(stage, 0)]
    features, is_fake, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    val_features = _in_chunks(call, data.val_planes)
    size = data.recipe.fit.batch_size

    def batches(epoch: int) -> Iterator[Batch]:
        order = np.random.default_rng((data.recipe.fit.seed, stage, epoch, 1)).permutation(len(features))
        for start in range(0, len(order), size):
            chosen = data.share(order[start : start + size])
            yield features[chosen], is_fake[chosen], weights[chosen]

    def evaluate() -> np.ndarray:
        return np.asarray(head(val_features, training=False).numpy()[:, 0])

    return TrainingStage(head, batches, evaluate)


def _in_chunks(call: Callable[[Any], Any], planes: np.ndarray) -> np.ndarray:
    starts = range(0, len(planes), _CHUNK)
    return np.concatenate(
        [call(scale_pixels(np.asarray(planes[start : start + _CHUNK], np.float32))).numpy() for start in starts]
    )
