"""The training loop: stages of epochs with early stopping, checkpoints, resuming, and a TensorBoard log."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ela.front_ends import parse_front_end
from train.common.progress import ProgressCallback
from train.common.tf import layers_in, load_tensorflow, seed_everything
from train.data.store import Store
from train.dropout import seed_dropout
from train.fit.average import read_averaged
from train.fit.batches import Batch, whole
from train.fit.checkpoints import (
    GUESSING,
    Epoch,
    Progress,
    load_progress,
    restore_checkpoint,
    save_checkpoint,
    save_progress,
)
from train.fit.distribute.replicas import Replicas
from train.fit.distribute.replicated import ReplicatedModel
from train.fit.epoch import BatchCallback, Step, batch_reporter, keras_step, learn_epoch, validate_logits
from train.fit.optimizers import make_optimizer
from train.fit.run_folder import Run, weights_path
from train.fit.run_log import RunLog
from train.fit.schedules import learning_rate
from train.fit.stage_data import StageData, TrainingStage, gather_stage_data, head_of_features, prepare_stage
from train.fit.weight_average import WeightAverage
from train.model import build_classifier, choose_trainable, with_one_logit
from train.recipe import Fit, Recipe, Stage
from train.weights import load_weights, save_weights

POLICIES = {"float32": "float32", "mixed": "mixed_bfloat16"}
"""Keras's dtype policies by the values of `fit.precision`."""


def fit(
    run: Run,
    store: Store,
    *,
    replicas: Replicas | None = None,
    on_pack: ProgressCallback | None = None,
    on_batch: BatchCallback = lambda done: None,
    on_epoch: Callable[[str, Epoch], None] = lambda stage, epoch: None,
) -> Any:
    """Train a run from wherever it stands to its end and return the Keras model with the best weights.

    Weights go to `weights.h5`, progress to `checkpoints/`, what there is to watch to `history.csv` and `tensorboard/`
    in the run folder. A run that was killed goes on from its last finished epoch with the optimizer's state, the same
    order of pictures, the same augmentations and the same dropout. Raises TrainError and what the functions that it
    calls raise.

    With `replicas` every worker calls this at once, on a folder that all of them see; the first one validates and
    writes, and the others read there what it has decided. Raises WorkerLost where one of them stops.
    """
    recipe = run.recipe
    seed_everything(recipe.fit.seed)
    parse_front_end(recipe.model.front_end).check_size(run.view.size)
    first = replicas is None or replicas.first
    data = gather_stage_data(run, store, on_pack, whole if replicas is None else replicas.share)
    steps = data.steps
    checkpoints = run.folder / "checkpoints"
    progress = load_progress(checkpoints)
    begun = replace(recipe.model, weights="none") if progress.history else recipe.model
    with layers_in(POLICIES[recipe.fit.precision]):
        model = build_classifier(begun, run.view.size, learning=True)
    if progress.best_weights:
        load_weights(model, checkpoints / progress.best_weights, recipe.model)
    replicated = None if replicas is None else _replicated(replicas, recipe, run.view.size)
    log = RunLog(run) if first else None
    if log and not progress.history:
        log.begin()

    for number, stage in enumerate(recipe.stages):
        if number < progress.stage:
            continue
        choose_trainable(model, stage.train_from)
        optimizer = partial(make_optimizer, recipe.fit, stage.learning_rate)
        model.compile(optimizer=optimizer(), loss=_loss(recipe.fit))
        average = WeightAverage(model, recipe.fit.average, replicated.weights if replicated else model.weights)
        if progress.epoch > 0:
            restore_checkpoint(checkpoints, progress.checkpoint, model, average.state)
        training = prepare_stage(model, data, number)
        step = _step(model, training, data, optimizer, replicated)
        others = _others(recipe, number, steps)
        while progress.stage == number:
            epoch = progress.epoch
            losses = [done.val_loss for done in progress.history if done.stage == number]
            rates = partial(_rate, stage, epoch * steps, stage.epochs * steps, losses)
            batches = training.batches(epoch)
            if log and not epoch:
                batches = log.showing(batches, len(progress.history))
            train_loss = learn_epoch(
                step,
                _seeded(batches, replicated.model if replicated else model, data, (number << 20) + epoch * steps),
                rate=rates,
                on_batch=batch_reporter(on_batch, stage.name, epoch, stage.epochs, steps, others),
                after_step=average.update,
            )
            if replicated:
                replicated.give_back()
            if log:
                with average.applied():
                    logits = training.evaluate()
                    done = Epoch(number, epoch, train_loss, *validate_logits(logits, data.val), rates(0))
                    progress = _keep(checkpoints, model, progress, done, recipe)
                save_checkpoint(checkpoints, progress.checkpoint, model, average.state)
                save_progress(checkpoints, progress)
                log.epoch(progress.history, logits, data.val)
                on_epoch(stage.name, done)
            if replicas:
                replicas.wait()
                progress = progress if log else load_progress(checkpoints)
        # The next stage, or the end, goes on from the best epoch, not from the last.
        load_weights(model, checkpoints / progress.best_weights, recipe.model)
    if not log:
        return model
    # Once more: a kill may have come between the last epoch and its line.
    log.write_history(progress.history)
    model = with_one_logit(model, recipe.model, run.view.size)
    save_weights(model, weights_path(run, "float"), recipe.model)
    return model if recipe.fit.precision == "float32" else load_model(run)


def load_model(run: Run) -> Any:
    """Build the run's classifier and load its finished float weights."""
    model = build_classifier(replace(run.recipe.model, weights="none"), run.view.size)
    load_weights(model, weights_path(run, "float"), run.recipe.model)
    return model


def kept_epoch(run: Run) -> str:
    """Say in a sentence which epoch's weights a run has kept, and why, or what its weights are the average of."""
    if averaged := read_averaged(run):
        return f"Average of {averaged.run} and, with a share of {averaged.share:g}, {averaged.weights}."
    progress = load_progress(run.folder / "checkpoints")
    if not 0 <= progress.kept < len(progress.history):
        return "No epoch is finished yet."
    done = progress.history[progress.kept]
    stage = run.recipe.stages[done.stage]
    reason = {
        "auc": f"its validation AUC, {done.val_auc:.4f}, is the highest of that stage",
        "loss": f"its validation loss, {done.val_loss:.4f}, is the lowest of that stage",
        "last": "the recipe keeps the last one",
    }[run.recipe.fit.keep]
    count = sum(other.stage == done.stage for other in progress.history)
    return f"Kept epoch {done.epoch + 1} of {count} of the stage {stage.name!r}: {reason}."


def _seeded(batches: Iterable[Batch], model: Any, data: StageData, start: int) -> Iterator[Batch]:
    """Say before every batch what its step drops."""
    for number, batch in enumerate(batches):
        seed_dropout(model, data.recipe.fit.seed, start + number, data.rows_of_batch(number))
        yield batch


def _loss(settings: Fit, **options: Any) -> Any:
    losses = load_tensorflow().keras.losses
    return losses.BinaryCrossentropy(from_logits=True, label_smoothing=settings.label_smoothing, **options)


def _replicated(replicas: Replicas, recipe: Recipe, size: int) -> ReplicatedModel:
    """The network on all replicas; its weights come from the plain model, and so do the bounds of its head."""
    settings = replace(recipe.model, weights="none", head="free")
    with layers_in(POLICIES[recipe.fit.precision]):
        return ReplicatedModel(replicas, lambda: build_classifier(settings, size, learning=True))


def _step(
    model: Any,
    training: TrainingStage,
    data: StageData,
    optimizer: Callable[[], Any],
    replicated: ReplicatedModel | None,
) -> Step:
    """The step of a stage that is ready to begin."""
    if replicated is None:
        return keras_step(training.model)
    part = None if training.model is model else head_of_features
    replicated.begin_stage(model, optimizer, _loss(data.recipe.fit, reduction="none"), part)
    return lambda number, batch, rate: replicated.step(batch, data.rows_of_batch(number), rate)


def _rate(stage: Stage, start: int, steps: int, losses: Sequence[float], batch: int) -> float:
    return learning_rate(stage, start + batch, steps, losses)


def learned_nothing(run: Run) -> str:
    """Say in a sentence that a run has learned nothing, and what may help; empty where it has learned something."""
    progress = load_progress(run.folder / "checkpoints")
    if not 0 <= progress.kept < len(progress.history):
        return ""
    done = progress.history[progress.kept]
    if done.val_auc > GUESSING:
        return ""
    found = f"its validation AUC is {done.val_auc:.2f}, and 0.5 is guessing"
    if done.val_auc == 0.5:
        found = "it gives real and fake pictures the same scores"
    return (
        f"This run has learned nothing: {found}. Try more epochs, another learning rate or weights, and see by "
        "`fauxlens data audit` whether labels and pictures are what they should be."
    )


def _others(recipe: Recipe, number: int, steps: int) -> tuple[int, int]:
    """Batches of the stages before number `number`, and of all stages but this one."""
    epochs = [stage.epochs for stage in recipe.stages]
    return sum(epochs[:number]) * steps, (sum(epochs) - epochs[number]) * steps


def is_better(done: Epoch, best: Epoch | None, settings: Fit) -> bool:
    """Whether an epoch is kept instead of the best one so far.

    Epochs of earlier stages do not count: a head that has hardly begun to learn can have the lowest loss of a run.
    """
    if best is None or best.stage != done.stage or settings.keep == "last":
        return True
    gained = done.val_auc - best.val_auc if settings.keep == "auc" else best.val_loss - done.val_loss
    return gained > settings.min_delta


def _keep(folder: Path, model: Any, progress: Progress, done: Epoch, recipe: Recipe) -> Progress:
    """Note a finished epoch, and write the model's weights where it is the best of its stage."""
    history = (*progress.history, done)
    better = is_better(done, progress.history[progress.kept] if progress.kept >= 0 else None, recipe.fit)
    waited = 0 if better else progress.waited + 1
    folder.mkdir(parents=True, exist_ok=True)
    best_weights = f"best-{len(history):04d}.h5" if better else progress.best_weights
    if better:
        save_weights(model, folder / best_weights, recipe.model)
    ended = done.epoch + 1 >= recipe.stages[done.stage].epochs or waited >= recipe.fit.patience
    return Progress(
        stage=done.stage + 1 if ended else done.stage,
        epoch=0 if ended else done.epoch + 1,
        waited=0 if ended else waited,
        checkpoint=f"epoch-{len(history):04d}",
        best_weights=best_weights,
        kept=len(history) - 1 if better else progress.kept,
        history=history,
    )
