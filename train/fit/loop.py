"""The training loop: stages of epochs with early stopping, checkpoints, resuming, and a TensorBoard log."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ela.front_ends import parse_front_end
from train.common.tf import load_tensorflow, seed_everything
from train.data.store import Store
from train.fit.batches import rows_of
from train.fit.checkpoints import (
    Epoch,
    Progress,
    load_progress,
    restore_checkpoint,
    save_checkpoint,
    save_progress,
)
from train.fit.epoch import OnTick, learn_epoch, ticking
from train.fit.run_folder import Run, weights_path
from train.fit.stage_data import Material, begin_lesson
from train.model import build_classifier, choose_trainable
from train.recipe import Recipe, Stage
from train.weights import load_weights, save_weights


def fit(
    run: Run,
    store: Store,
    *,
    on_tick: OnTick = lambda tick: None,
    on_epoch: Callable[[str, Epoch], None] = lambda stage, epoch: None,
) -> Any:
    """Train a run from wherever it stands to its end and return the Keras model with the best weights.

    Weights go to `weights.h5`, progress to `checkpoints/`, scalars to `tensorboard/` in the run folder. A run that was
    killed goes on from its last finished epoch with the optimizer's state, the same order of pictures and the same
    disturbances. Raises TrainError and what the rooms below raise.
    """
    tf = load_tensorflow()
    recipe = run.recipe
    seed_everything(recipe.fit.seed)
    front_end = parse_front_end(recipe.model.front_end)
    front_end.check_size(run.view.size)
    learn, val = rows_of(store, recipe, "train"), rows_of(store, recipe, "val")
    material = Material(recipe, store, front_end, learn, val, front_end.planes(store.pixels[val.index]))
    steps = math.ceil(len(learn.index) / recipe.fit.batch_size)
    checkpoints = run.folder / "checkpoints"
    progress = load_progress(checkpoints)
    model = build_classifier(replace(recipe.model, weights="none") if progress.history else recipe.model, run.view.size)
    if progress.best_weights:
        model.load_weights(str(checkpoints / progress.best_weights))
    board = tf.summary.create_file_writer(str(run.folder / "tensorboard"))

    for number, stage in enumerate(recipe.stages):
        if number < progress.stage:
            continue
        choose_trainable(model, stage.train_from)
        model.compile(
            optimizer=tf.keras.optimizers.Adam(stage.learning_rate),
            loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
        )
        if progress.epoch > 0:
            restore_checkpoint(checkpoints, progress.checkpoint, model)
        lesson = begin_lesson(model, material, number)
        while progress.stage == number:
            epoch = progress.epoch
            rates = partial(_rate, stage, epoch * steps, stage.epochs * steps)
            train_loss = learn_epoch(
                lesson.model,
                lesson.batches(epoch),
                rate=rates,
                on_batch=ticking(on_tick, stage.name, epoch, stage.epochs, steps),
            )
            val_loss, val_auc = lesson.judge()
            done = Epoch(number, epoch, train_loss, val_loss, val_auc, rates(0))
            progress = _keep(checkpoints, model, progress, done, stage, recipe)
            with board.as_default(step=len(progress.history)):
                for name in ("train_loss", "val_loss", "val_auc", "learning_rate"):
                    tf.summary.scalar(name, getattr(done, name))
            board.flush()
            on_epoch(stage.name, done)
        # The next stage, or the end, goes on from the best epoch, not from the last.
        model.load_weights(str(checkpoints / progress.best_weights))
    save_weights(model, weights_path(run, "float"), recipe.model)
    return model


def load_model(run: Run) -> Any:
    """Build the run's classifier and load its finished float weights."""
    model = build_classifier(replace(run.recipe.model, weights="none"), run.view.size)
    load_weights(model, weights_path(run, "float"), run.recipe.model)
    return model


def _rate(stage: Stage, start: int, steps: int, batch: int) -> float:
    if stage.schedule == "constant":
        return stage.learning_rate
    # Loshchilov and Hutter 2017, one cycle without restarts.
    return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * (start + batch) / steps))


def _keep(folder: Path, model: Any, progress: Progress, done: Epoch, stage: Stage, recipe: Recipe) -> Progress:
    history = (*progress.history, done)
    better = done.val_loss < progress.best_loss
    waited = 0 if better else progress.waited + 1
    best_weights = f"best-{len(history):04d}.h5" if better else progress.best_weights
    if better:
        save_weights(model, folder / best_weights, recipe.model)
    checkpoint = f"epoch-{len(history):04d}"
    save_checkpoint(folder, checkpoint, model)
    ended = done.epoch + 1 >= stage.epochs or waited >= recipe.fit.patience
    kept = Progress(
        stage=done.stage + 1 if ended else done.stage,
        epoch=0 if ended else done.epoch + 1,
        best_loss=min(done.val_loss, progress.best_loss),
        waited=0 if ended else waited,
        checkpoint=checkpoint,
        best_weights=best_weights,
        history=history,
    )
    save_progress(folder, kept)
    return kept
