"""The trainings that a study consists of: those that are missing are made, those that are there are used.

A run's folder is named by its recipe, so a study that was stopped, or that gained an arm, computes nothing twice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from train.common.errors import TrainError
from train.common.locks import hold
from train.common.progress import ProgressCallback
from train.common.tf import load_tensorflow
from train.data.manifest import read_manifest
from train.fit.checkpoints import Epoch
from train.fit.epoch import BatchCallback
from train.fit.pipeline import begin, train_and_score
from train.fit.run_folder import Run, abandon_run, has_state, open_run
from train.recipe import Recipe

_DIGITS = 12
"""Hex digits of a recipe's SHA-256 in the name of its run."""
_BEGINNING = frozenset(("run.json", "recipe.toml"))
"""What a run folder holds before anything is trained."""


def run_name(recipe: Recipe) -> str:
    """The name of a recipe's run folder in a study: the first hex digits of the SHA-256 of its resolved text."""
    return recipe.sha256[:_DIGITS]


def train_missing(
    recipes: Sequence[Recipe],
    manifest_path: Path,
    folder: Path,
    *,
    on_run: Callable[[int, Run], None] = lambda number, run: None,
    on_pack: ProgressCallback = lambda done, total: None,
    on_batch: BatchCallback = lambda done: None,
    on_epoch: Callable[[str, Epoch], None] = lambda stage, epoch: None,
    on_failed: Callable[[int, str], None] | None = None,
) -> tuple[Run, ...]:
    """Train, score and calibrate each recipe on one manifest, in `folder`; return the runs in the recipes' order.

    A finished run of the same recipe is used as it is, an unfinished one goes on from its last finished epoch, and
    recipes that are equal share a run. `on_run` is called with a recipe's place, from 0, before its training goes on,
    and not where it is finished. Runs have no report: `train --resume` writes it.

    A training that fails (its loss is no longer a number, its weights cannot be had, memory is short) stops no other:
    `on_failed` is called with the recipe's place and the reason, a sentence, and its run stays unfinished. Trained
    again, it goes on from its last finished epoch. What is wrong with the pictures stops all, for all need them.

    Several processes, on several machines that share the folder too, may train there at once: what one of them is at
    is passed over by the others.

    All recipes are checked against the manifest before the first training. Raises TrainError where the folder's runs
    are of another manifest, when all is done but what another process is training, or, without `on_failed`, but what
    failed; and what `begin` raises, and DataError as `train_and_score`.
    """
    runs: list[Run] = []
    with hold(folder / ".study.lock"):
        there = runs_in(folder, manifest_path)
        try:
            for recipe in recipes:
                run = there.get(recipe.sha256) or begin(recipe, manifest_path, _free(folder / run_name(recipe)))
                there[recipe.sha256] = run
                runs.append(run)
        except Exception:
            for run in runs:
                abandon_run(run)
            raise
    tf = load_tensorflow()
    busy = []
    failed: dict[Path, str] = {}
    for number, run in enumerate(runs):
        with hold(folder / f".{run.folder.name}.lock", wait=0) as free:
            if run.folder in failed or has_state(run, "float"):
                continue
            if not free:
                busy.append(run.folder)
                continue
            on_run(number, run)
            # What Keras keeps of the networks before this one, above all numbers in the names of layers.
            tf.keras.backend.clear_session()
            try:
                train_and_score(run, on_pack=on_pack, on_batch=on_batch, on_epoch=on_epoch)
            except (TrainError, MemoryError, tf.errors.OpError) as error:
                failed[run.folder] = _reason(error)
                if on_failed is not None:
                    on_failed(number, failed[run.folder])
    if failed and on_failed is None:
        folder, reason = next(iter(failed.items()))
        raise TrainError(f"{len(failed)} of {len(runs)} trainings failed, the first is {folder}: {reason}")
    if busy:
        raise TrainError(
            f"Another process is training {len(busy)} of the runs, the first is {busy[0]}: wait until it is done and "
            "run the same again."
        )
    return tuple(runs)


def _reason(error: Exception) -> str:
    """Why a training failed, in a sentence."""
    if isinstance(error, TrainError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory: lower fit.batch_size or the size of the view."
    first = str(error).strip().splitlines()[0][:150].rstrip(".") if str(error).strip() else type(error).__name__
    return f"TensorFlow failed ({first}): where memory was short, lower fit.batch_size or the view's size."


def runs_in(folder: Path, manifest_path: Path) -> dict[str, Run]:
    """The runs in a folder by their recipe as it reads today, whatever they are called."""
    sha256 = read_manifest(manifest_path).sha256
    found: dict[str, Run] = {}
    for path in sorted(folder.glob("*/run.json")):
        if not path.stat().st_size:
            continue
        run = open_run(path.parent)
        if run.manifest_sha256 != sha256:
            raise TrainError(
                f"{run.folder} was trained on another manifest ({run.manifest_path}) than {manifest_path}: choose "
                "another --out, or give the manifest of these runs."
            )
        found.setdefault(run.recipe.sha256, run)
    return found


def _free(folder: Path) -> Path:
    """A run folder to begin in: what a kill in the middle of its beginning left there is removed."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if all(name in _BEGINNING or (name.startswith(".") and ".part" in name) for name in names):
        for name in names:
            (folder / name).unlink()
    return folder
