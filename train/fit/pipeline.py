"""A whole training: from a recipe and a manifest to a run folder with weights, scores and a report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from ela.front_ends import parse_front_end
from train.common.errors import TrainError
from train.common.progress import LogCallback, ProgressCallback
from train.data.manifest import read_manifest
from train.data.rows import select_rows
from train.data.store import Store
from train.evaluate.report.build import Reported, Scored, metadata_baseline, report
from train.evaluate.report.html import BaselineNote
from train.evaluate.scores import read_scores
from train.evaluate.selection import mark_seen
from train.fit.average import read_averaged
from train.fit.checkpoints import Epoch
from train.fit.distribute.replicas import Replicas, WorkerLost
from train.fit.epoch import BatchCallback
from train.fit.loop import fit, kept_epoch
from train.fit.run_folder import Run, abandon_run, has_state, open_run, read_state, scores_path, start_run, working_on
from train.fit.scoring import keras_scorer, score_state
from train.fit.twins import check_twins
from train.image.view import parse_view
from train.model import check_network
from train.recipe import Recipe


def begin(recipe: Recipe, manifest_path: Path, folder: Path) -> Run:
    """Check that the recipe fits the manifest, then set up the run folder. Raises what is wrong with either."""
    manifest = read_manifest(manifest_path)
    view = parse_view(recipe.data.view)
    marked = mark_seen(select_rows(manifest, view, recipe.data.unclear_faces).frame, recipe.data)
    if recipe.sampling is not None and recipe.sampling.twins:
        check_twins(marked.filter(pl.col("seen") & (pl.col("split") == "train")))
    parse_front_end(recipe.model.front_end).check_size(view.size)
    check_network(recipe.model, view.size)
    return start_run(folder, recipe, manifest_path, manifest)


def resume(folder: Path, recipe: Recipe) -> Run:
    """Open a begun run for going on; raises TrainError when the recipe is not the one that it began with."""
    run = open_run(folder)
    if run.recipe.sha256 != recipe.sha256:
        raise TrainError(
            f"{folder} was started with a different recipe, --weights or --seed: compare with "
            f"{folder / 'recipe.toml'}, or choose another --out."
        )
    return run


def complete(
    run: Run,
    *,
    replicas: Replicas | None = None,
    on_pack: ProgressCallback = lambda done, total: None,
    on_batch: BatchCallback = lambda done: None,
    on_epoch: Callable[[str, Epoch], None] = lambda stage, epoch: None,
    log: LogCallback = lambda line: None,
) -> Reported:
    """Take a run from wherever it stands to the end: what `train_and_score` does, then the report."""
    store, scores = _scored(run, replicas, on_pack, on_batch, on_epoch, log)
    log("writing the report")
    state = read_state(run, "float")
    return report(
        run.folder / "report",
        [Scored("float (Keras)", scores, state.points)],
        store.manifest,
        run.view,
        store=store,
        title=run.recipe.title,
        unclear=run.recipe.data.unclear_faces,
        recipe_text=f"# {kept_epoch(run)}\n{run.recipe.text}",
        baseline=seen_baseline(run, store),
    )


def train_and_score(
    run: Run,
    *,
    replicas: Replicas | None = None,
    on_pack: ProgressCallback = lambda done, total: None,
    on_batch: BatchCallback = lambda done: None,
    on_epoch: Callable[[str, Epoch], None] = lambda stage, epoch: None,
    log: LogCallback = lambda line: None,
) -> Store:
    """Take a run from wherever it stands to scores and calibration: pack, fit, score, calibrate. Return its store.

    Where it fails before its first epoch is done (weights that do not fit, no network), the run folder is taken back.
    With `replicas` this is for the first worker; the others call `train_along`.
    """
    return _scored(run, replicas, on_pack, on_batch, on_epoch, log)[0]


def _scored(
    run: Run,
    replicas: Replicas | None,
    on_pack: ProgressCallback,
    on_batch: BatchCallback,
    on_epoch: Callable[[str, Epoch], None],
    log: LogCallback,
) -> tuple[Store, pl.DataFrame]:
    """The store and the scores of a run, trained and scored where it was not yet."""
    with working_on(run.folder):
        try:
            store = run.store(on_pack)
            done = has_state(run, "float")
            if not done and read_averaged(run):
                raise TrainError(f"{run.folder} is an unfinished average: average again into another folder.")
            if replicas:
                replicas.wait()
            callbacks: dict[str, Any] = {"on_pack": on_pack, "on_batch": on_batch, "on_epoch": on_epoch}
            model = None if done else fit(run, store, replicas=replicas, **callbacks)
        except WorkerLost:
            # Nothing is wrong with the run: it goes on when all workers are there again.
            raise
        except Exception:
            abandon_run(run)
            raise
        if model is not None:
            log("scoring and calibrating")
            return store, score_state(
                run, store, "float", keras_scorer(model, parse_front_end(run.recipe.model.front_end))
            )
    return store, read_scores(scores_path(run, "float"))


def train_along(folder: Path, replicas: Replicas) -> Run:
    """Take part, as any worker but the first, in the training of a run that the first one has begun or opened.

    The folder, its packed store and the manifest must be seen by all workers. Returns when the training is done. Raises
    WorkerLost, and TrainError where the run is not to be seen here.
    """
    replicas.wait()
    run = open_run(folder)
    done = has_state(run, "float")
    replicas.wait()
    store = run.store()
    if not done:
        fit(run, store, replicas=replicas)
    return run


def seen_baseline(run: Run, store: Store) -> BaselineNote | None:
    """What file metadata alone reaches on the pictures that the run takes."""
    return metadata_baseline(mark_seen(store.manifest.frame, run.recipe.data).filter(pl.col("seen")))
