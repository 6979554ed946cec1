"""Training: a run that was stopped ends where an unbroken one ends, and nothing half-written stays behind."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import confusion_matrix

from ela.front_ends import FrontEnd, parse_front_end
from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.data.manifest import Manifest, read_manifest
from train.fit.batches import rows_of
from train.fit.checkpoints import Epoch, Progress, load_progress, save_progress
from train.fit.epoch import BatchProgress, batch_reporter
from train.fit.loop import fit, is_better, kept_epoch, learned_nothing, load_model
from train.fit.pipeline import begin, resume
from train.fit.run_folder import open_run, start_run, weights_path
from train.fit.run_log import confusion
from train.fit.scoring import keras_scorer
from train.model import predict_logits
from train.recipe import FileProcessing, Recipe, Sampling, parse_recipe

QUICK = {
    "title": "Quick",
    "data": {"view": "upright|square|resize(96)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none", "dropout": 0.2, "head": "non-negative"},
    "stages": [
        {"name": "head", "epochs": 1, "learning_rate": 1e-3, "train_from": "head"},
        {"name": "all", "epochs": 3, "learning_rate": 1e-3, "train_from": "conv_pw_6", "schedule": "cosine"},
    ],
    "augment": {"flip": 0.5, "jpeg": 0.5},
    "fit": {"batch_size": 32, "seed": 11, "average": 0.9, "weight_decay": 0.01, "keep": "loss"},
}


@pytest.fixture(scope="module")
def quick() -> Recipe:
    return parse_recipe(QUICK, "quick")


@pytest.fixture
def manifest(small_manifest: Path) -> Manifest:
    return read_manifest(small_manifest)


class Interrupted(Exception):
    """Stands for a kill."""


def _fit(folder: Path, recipe: Recipe, manifest_path: Path, stop_after: tuple[str, int] | None = None) -> None:
    begun = (folder / "run.json").exists()
    run = resume(folder, recipe) if begun else begin(recipe, manifest_path, folder)

    def on_batch(done: object) -> None:
        stage, epoch, batch = (getattr(done, name) for name in ("stage", "epoch", "batch"))
        if stop_after and (stage, epoch) == stop_after and batch == 2:
            raise Interrupted

    fit(run, run.store(), on_batch=on_batch)


def test_a_stopped_run_ends_where_an_unbroken_one_ends(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _fit(whole, quick, small_manifest)
    for stop in (("head", 1), ("all", 1), ("all", 3)):
        with pytest.raises(Interrupted):
            _fit(broken, quick, small_manifest, stop)
        assert not weights_path(open_run(broken), "float").exists()
    _fit(broken, quick, small_manifest)
    one, two = (load_model(open_run(folder)).get_weights() for folder in (whole, broken))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    histories = [load_progress(folder / "checkpoints").history for folder in (whole, broken)]
    assert histories[0] == histories[1]
    assert [(done.stage, done.epoch) for done in histories[0]] == [(0, 0), (1, 0), (1, 1), (1, 2)]
    # Both were trained on: the head, which has to stay at or above 0, and the average that was kept.
    assert min(weights.min() for weights in one[-2:-1]) >= 0
    # One checkpoint, the best weights, progress.json: no left-over of the epochs before, nothing temporary.
    assert len(list((broken / "checkpoints").iterdir())) == 3


MOMENTUM = QUICK | {
    "data": {"view": "upright|square|resize(32)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none", "output": "softmax"},
    "stages": [
        {"name": "all", "epochs": 5, "learning_rate": 0.05, "train_from": "all", "schedule": "plateau"}
        | {"plateau_patience": 1, "plateau_factor": 0.5, "warm_up": 0.1}
    ],
    "augment": {"mixup": 0.5, "rotate": 0.5, "zoom": 0.5, "noise": 0.5, "rescale": 0.5, "rescale_times": 3},
    "fit": {"batch_size": 64, "seed": 4, "optimizer": "sgd", "nesterov": True, "keep": "loss", "weight_decay": 0.001},
}


def test_momentum_a_plateau_and_mixup_go_on_after_a_stop(small_manifest: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(MOMENTUM, "momentum")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _fit(whole, recipe, small_manifest)
    with pytest.raises(Interrupted):
        _fit(broken, recipe, small_manifest, ("all", 4))
    _fit(broken, recipe, small_manifest)
    one, two = (load_model(open_run(folder)).get_weights() for folder in (whole, broken))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    histories = [load_progress(folder / "checkpoints").history for folder in (whole, broken)]
    assert histories[0] == histories[1]
    # The plateau was met, so that what was worked out anew after the stop is more than the first rate.
    assert histories[0][-1].learning_rate < 0.05
    assert one[-2].shape == (256, 1)


def test_the_board_shows_every_epoch(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _fit(tmp_path / "run", quick, small_manifest)
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    history = load_progress(tmp_path / "run" / "checkpoints").history
    assert [event.step for event in board.Tensors("val_auc")] == [1, 2, 3, 4]
    logged = [float(load_tensorflow().make_ndarray(event.tensor_proto)) for event in board.Tensors("val_loss")]
    assert np.allclose(logged, [done.val_loss for done in history])
    for name, steps in (
        ("training batch", [0, 1]),
        ("precision and recall/pr_curves", [1, 2, 3, 4]),
        ("confusion", [1, 2, 3, 4]),
    ):
        assert [event.step for event in board.Tensors(name)] == steps
    assert board.PluginTagToContent("hparams")
    lines = pl.read_csv(tmp_path / "run" / "history.csv")
    assert lines["stage"].to_list() == ["head", "all", "all", "all"]
    assert lines["epoch"].to_list() == [1, 1, 2, 3]
    for name in ("train_loss", "val_loss", "val_auc", "learning_rate"):
        assert lines[name].to_list() == [getattr(done, name) for done in history]


def test_a_confusion_matrix_is_scikit_learn_s() -> None:
    random = np.random.default_rng(0)
    is_fake, logits = random.random(60) < 0.4, random.normal(size=60)
    (tn, fp), (fn, tp) = confusion_matrix(is_fake, logits > 0)
    cells = [line.split("|")[2:4] for line in confusion(logits, is_fake).splitlines()[2:]]
    assert [[int(cell) for cell in row] for row in cells] == [[tn, fp], [fn, tp]]


@pytest.mark.parametrize(
    ("auc", "said"), [(0.5, "the same scores"), (0.53, "AUC is 0.53"), (0.3, "AUC is 0.30"), (0.56, "")]
)
def test_a_run_that_learned_nothing_says_so(quick: Recipe, study: Any, auc: float, said: str) -> None:
    run = open_run(study.run("run"))
    assert learned_nothing(run) == ""
    epochs = (Epoch(0, 0, 0.7, 0.7, 0.4, 0.1), Epoch(0, 1, 0.7, 0.7, auc, 0.1))
    save_progress(run.folder / "checkpoints", Progress(stage=1, kept=1, history=epochs))
    assert said in learned_nothing(run)
    assert bool(said) == ("learned nothing" in learned_nothing(run))


def test_progress_counts_the_batches_of_all_stages() -> None:
    heard: list[BatchProgress] = []
    batch_reporter(heard.append, "all", 1, 3, 10, others=(10, 10))(4, 0.5)
    assert heard == [BatchProgress("all", 2, 3, 4, 10, 0.5, 24, 40)]


def test_another_recipe_does_not_go_on_with_a_run(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    begin(quick, small_manifest, tmp_path / "run")
    with pytest.raises(TrainError, match="different recipe"):
        resume(tmp_path / "run", dataclasses.replace(quick, title="Another"))
    with pytest.raises(TrainError, match="already contains a run"):
        begin(quick, small_manifest, tmp_path / "run")


def test_an_edited_recipe_or_manifest_is_noticed(
    quick: Recipe, small_manifest: Path, manifest: Manifest, tmp_path: Path
) -> None:
    copy = tmp_path / "manifest.csv"
    copy.write_bytes(manifest.csv)
    run = start_run(tmp_path / "run", quick, copy, manifest)
    copy.write_bytes(manifest.csv.replace(b",train,", b",test,", 1))
    with pytest.raises(TrainError, match="has changed since"):
        run.manifest()
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('title = "Quick"', 'title = "Slow"'))
    with pytest.raises(TrainError, match="was changed after the run started"):
        open_run(tmp_path / "run")


def test_a_run_of_before_recipes_gained_a_key_still_opens(
    quick: Recipe, small_manifest: Path, manifest: Manifest, tmp_path: Path
) -> None:
    run = start_run(tmp_path / "run", quick, small_manifest, manifest)
    recipe = tmp_path / "run" / "recipe.toml"
    old = "".join(line for line in recipe.read_text().splitlines(keepends=True) if not line.startswith("features"))
    assert old != recipe.read_text()
    recipe.write_text(old)
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    about["recipe_sha256"] = hashlib.sha256(old.encode()).hexdigest()
    (tmp_path / "run" / "run.json").write_text(json.dumps(about))
    assert open_run(tmp_path / "run").recipe == run.recipe


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_what_is_no_run_folder(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(TrainError) as caught:
        open_run(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_damaged_progress_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text(json.dumps({"stage": 1, "colour": "red"}))
    with pytest.raises(TrainError, match="damaged"):
        load_progress(tmp_path)


def test_early_stopping_keeps_the_best_epoch(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    # A learning rate that ruins the weights: the stage ends after `patience` epochs and the best ones are kept.
    stages = (
        quick.stages[0],
        dataclasses.replace(quick.stages[1], learning_rate=1.0, epochs=9, schedule="constant"),
    )
    recipe = dataclasses.replace(quick, stages=stages, fit=dataclasses.replace(quick.fit, patience=2))
    run = begin(recipe, small_manifest, tmp_path / "run")
    seen: list[Epoch] = []
    fit(run, run.store(), on_epoch=lambda stage, epoch: seen.append(epoch))
    # Of the last stage, whatever the first one reached.
    best = min(range(1, len(seen)), key=lambda index: seen[index].val_loss)
    assert len(seen) < 10
    assert len(seen) - 1 - best == 2
    store = run.store()
    val = rows_of(store, recipe, "val")
    scorer = keras_scorer(load_model(run), _front_end(recipe))
    logits = scorer(store.pixels[val.index]).astype(np.float64)
    losses = np.logaddexp(0, np.where(val.is_fake, -logits, logits))
    assert np.average(losses, weights=val.weights) == pytest.approx(seen[best].val_loss, rel=1e-4)


def _front_end(recipe: Recipe) -> FrontEnd:
    return parse_front_end(recipe.model.front_end)


def test_the_trained_run_scores_what_its_weights_say(trained_run: object) -> None:
    from train.evaluate.calibration import log_odds
    from train.evaluate.scores import read_scores
    from train.fit.run_folder import Run, read_state, scores_path

    assert isinstance(trained_run, Run)
    store = trained_run.store()
    scores = read_scores(scores_path(trained_run, "float"))
    at = {path: row for row, path in enumerate(store.manifest.frame["path"])}
    views = store.pixels[[at[path] for path in scores["path"][:20]]]
    logits = log_odds(read_state(trained_run, "float").calibration, predict_logits(load_model(trained_run), views))
    assert np.allclose(logits, scores["log_odds"][:20], atol=1e-4)
    assert not scores.filter(pl.col("seen") & (pl.col("split") == "train")).height


def test_everything_at_once_is_trained_and_resumed_alike(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        quick,
        stages=(dataclasses.replace(quick.stages[1], epochs=2, warm_up=0.3),),
        file_processing=FileProcessing(side=96),
        sampling=Sampling(power=0.5, pictures=128),
        fit=dataclasses.replace(quick.fit, label_smoothing=0.05),
    )
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _fit(whole, recipe, small_manifest)
    with pytest.raises(Interrupted):
        _fit(broken, recipe, small_manifest, ("all", 2))
    _fit(broken, recipe, small_manifest)
    one, two = (load_model(open_run(folder)).get_weights() for folder in (whole, broken))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    rates = [done.learning_rate for done in load_progress(whole / "checkpoints").history]
    assert 0 < rates[0] < rates[1] < recipe.stages[0].learning_rate


def test_an_epoch_of_an_earlier_stage_is_never_kept(quick: Recipe) -> None:
    # The first stage's untrained head has the lowest loss and the highest AUC, but it is the last stage that counts.
    head = Epoch(0, 0, 0.7, 0.1, 0.99, 0.1)
    worse, better = Epoch(1, 0, 0.6, 0.9, 0.8, 0.1), Epoch(1, 1, 0.5, 0.8, 0.7, 0.1)
    assert is_better(worse, head, quick.fit)
    assert is_better(better, worse, quick.fit)
    assert not is_better(better, worse, dataclasses.replace(quick.fit, keep="auc"))
    assert is_better(better, worse, dataclasses.replace(quick.fit, keep="last"))


def test_the_run_says_which_epoch_it_kept_and_why(quick: Recipe, small_manifest: Path, tmp_path: Path) -> None:
    run = begin(quick, small_manifest, tmp_path / "run")
    assert "No epoch" in kept_epoch(run)
    history = (Epoch(0, 0, 0.7, 0.6, 0.5, 0.1), Epoch(1, 0, 0.6, 0.25, 0.8, 0.1), Epoch(1, 1, 0.5, 0.3, 0.9, 0.1))
    save_progress(run.folder / "checkpoints", Progress(kept=1, history=history))
    sentence = "Kept epoch 1 of 2 of the stage 'all': its validation loss, 0.2500, is the lowest of that stage."
    assert kept_epoch(run) == sentence


def test_progress_of_before_stages_were_evaluated_apart_is_read(tmp_path: Path) -> None:
    old = {"stage": 1, "epoch": 2, "best_loss": 0.3, "waited": 0, "checkpoint": "c", "best_weights": "b", "history": []}
    (tmp_path / "progress.json").write_text(json.dumps(old))
    assert load_progress(tmp_path).epoch == 2
