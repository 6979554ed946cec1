"""A run folder: where one training keeps its recipe, progress, weights, scores and report."""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from train.common.atomic import made_folders, remove_folders, write_text
from train.common.documents import read_bytes, read_json_object
from train.common.errors import TrainError
from train.common.locks import FOLDER_LOCK, alone_in, holds_anything
from train.common.version import VERSION
from train.data.manifest import Manifest, read_manifest
from train.data.store import Store, pack
from train.evaluate.calibration import Calibration, OperatingPoints
from train.evaluate.scores import read_scores
from train.evaluate.selection import Pair, seen_pairs
from train.fit.checkpoints import sweep_checkpoints
from train.image.view import View, parse_view
from train.recipe import Recipe, read_recipe

_PACKAGES = (
    "tensorflow",
    "tf_keras",
    "tensorflow-model-optimization",
    "tf-keras-vis",
    "ai-edge-litert",
    "numpy",
    "pillow",
)


@dataclass(frozen=True)
class Run:
    """A run folder that has been set up: its resolved recipe and the manifest it was set up with."""

    folder: Path
    recipe: Recipe
    manifest_path: Path
    manifest_sha256: str
    # The folders that `start_run` made for it, the uppermost first; None for a run that was opened.
    made: tuple[Path, ...] | None = None

    @property
    def view(self) -> View:
        """The recipe's view, parsed."""
        return parse_view(self.recipe.data.view)

    def manifest(self) -> Manifest:
        """Read the manifest; raises TrainError when it is no longer the one of the training."""
        manifest = read_manifest(self.manifest_path)
        if manifest.sha256 != self.manifest_sha256:
            raise TrainError(
                f"{self.manifest_path} has changed since {self.folder} was trained on it: train again, or restore "
                "the old manifest."
            )
        return manifest

    def store(self, on_progress: Any = None) -> Store:
        """The manifest's pictures through the run's view, packed beside the runs so that they share it."""
        return pack(
            self.manifest(),
            self.view,
            # Of a folder written as `.` or `..` the one above is not in its text.
            (self.folder if self.folder.name not in ("", "..") else self.folder.resolve()).parent / "packed",
            unclear=self.recipe.data.unclear_faces,
            on_progress=on_progress,
        )


@dataclass(frozen=True)
class State:
    """One trained state of a run (`float`, `ptq` or `qat`): how its logits become decisions, and what it saw.

    seen: the pairs (generator, source) that were in training, also those without a row that is scored.
    """

    name: str
    calibration: Calibration
    points: OperatingPoints
    seen: tuple[Pair, ...] = ()


STATES = ("float", "ptq", "qat")


def installed_versions() -> dict[str, str]:
    """Versions of Fauxlens and of the packages that decide what comes out of a training, by name."""
    return {"fauxlens": VERSION} | {name: version(name) for name in _PACKAGES}


def start_run(
    folder: Path, recipe: Recipe, manifest_path: Path, manifest: Manifest, *, beside: Mapping[str, str] | None = None
) -> Run:
    """Set up a run folder with its resolved recipe, and with the texts `beside` by their files' names.

    Raises TrainError when another run lives there, or anything else: what training writes and sweeps would meet it.
    """
    path = folder / "run.json"
    taken = (
        f"{folder} already contains a run: choose another --out, or continue it: `fauxlens train --resume {folder}`."
    )
    if not path.exists() and (folder.is_file() or holds_anything(folder)):
        raise TrainError(f"{folder} contains files that are not a run: choose an empty or new folder with --out.")
    with made_folders(folder) as made, working_on(folder) as alone:
        # An empty one is that of a training that was killed as it began. Where the disk has no locks, that may as well
        # begin just now in another process: one of the two makes the file.
        if path.exists() and (path.stat().st_size or not alone):
            raise TrainError(taken)
        try:
            path.open("a" if alone else "x").close()
        except FileExistsError:
            raise TrainError(taken) from None
        run = Run(folder, recipe, manifest_path, manifest.sha256, made)
        try:
            for name, text in (beside or {}).items():
                write_text(folder / name, text)
            _begin(run)
        except BaseException:
            for name in beside or {}:
                (folder / name).unlink(missing_ok=True)
            abandon_run(run)
            raise
        return run


def working_on(folder: Path) -> AbstractContextManager[bool]:
    """Keep other processes from the run in a folder, as `alone_in` does; raises TrainError where one works there."""
    busy = f"Another process works in {folder}: wait until it is done, or choose another folder with --out."
    return alone_in(folder, TrainError(busy))


def _begin(run: Run) -> None:
    folder, recipe = run.folder, run.recipe
    write_text(folder / "recipe.toml", recipe.text)
    about = {
        # Relative, so that runs and data can be moved together; links are followed first, for `..` leaves the folder
        # that a link leads to.
        "manifest": Path(os.path.relpath(run.manifest_path.resolve(), folder.resolve())).as_posix(),
        "manifest_sha256": run.manifest_sha256,
        "view": recipe.data.view,
        "front_end": recipe.model.front_end,
        "recipe_sha256": recipe.sha256,
        "python": platform.python_version(),
        "packages": installed_versions(),
    }
    # Filled last: a folder whose run.json can be read has all the rest.
    write_text(folder / "run.json", json.dumps(about, indent=1))


def abandon_run(run: Run) -> None:
    """Take back what `start_run` and an unstarted training wrote.

    A run that was only opened, or that has a finished epoch, is left alone, and so is every file that is not theirs.
    """
    if run.made is None or (run.folder / "checkpoints" / "progress.json").exists():
        return
    sweep_checkpoints(run.folder / "checkpoints")
    for log in (run.folder / "tensorboard").glob("events.out.tfevents.*"):
        log.unlink(missing_ok=True)
    for name in ("run.json", "recipe.toml", FOLDER_LOCK):
        (run.folder / name).unlink(missing_ok=True)
    remove_folders([*run.made, run.folder / "checkpoints", run.folder / "tensorboard"])


def open_run(folder: Path) -> Run:
    """Open a run folder; raises TrainError when it is none, or its recipe was edited after the start."""
    path = folder / "run.json"
    damaged = f"{path} is damaged: train again into another folder."
    try:
        about = read_json_object(path, error=TrainError, remedy="name a run folder made by `train`")
        recipe_bytes = read_bytes(folder / "recipe.toml", error=TrainError, remedy="name a run folder made by `train`")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TrainError(
            f"{folder} is not a run folder ({path.name} cannot be read): name one made by `train`."
        ) from error
    recipe = read_recipe(folder / "recipe.toml")
    texts = [about.get(key) for key in ("manifest", "manifest_sha256", "recipe_sha256")]
    if not all(isinstance(text, str) and text and "\0" not in text for text in texts):
        raise TrainError(damaged)
    manifest, manifest_sha256, recipe_sha256 = map(str, texts)
    run = Run(folder, recipe, folder / manifest, manifest_sha256)
    # Of the file as it was written: a key that recipes gained since then is no change.
    if hashlib.sha256(recipe_bytes).hexdigest() != recipe_sha256:
        raise TrainError(
            f"{folder / 'recipe.toml'} was changed after the run started: train again into another folder."
        )
    return run


def weights_path(run: Run, state: str) -> Path:
    """Where a state's finished weights stand."""
    return run.folder / ("weights.h5" if state == "float" else f"quantized/{state}.h5")


def scores_path(run: Run, state: str) -> Path:
    """Where a state's per-image scores stand."""
    return run.folder / "scores" / f"{state}.csv"


def has_state(run: Run, state: str) -> bool:
    """Whether a state is finished: its description is written last."""
    return _state_path(run, state).exists()


def write_state(run: Run, state: State) -> None:
    """Write a state's calibration and operating points; call it when its weights and scores are in place."""
    about = {
        "calibration": {"scale": state.calibration.scale, "bias": state.calibration.bias},
        "points": {
            "balanced": state.points.balanced,
            "fpr_1": state.points.fpr_1,
            "fpr_05": state.points.fpr_05,
            "unsure_from": state.points.unsure_from,
        },
        "seen": [list(pair) for pair in state.seen],
    }
    write_text(_state_path(run, state.name), json.dumps(about, indent=1))


def forget_states(run: Run, names: Iterable[str]) -> None:
    """Make states unfinished, before their weights are made anew."""
    for name in names:
        _state_path(run, name).unlink(missing_ok=True)


def read_state(run: Run, name: str) -> State:
    """Read a finished state; raises TrainError when the run has not come that far."""
    path = _state_path(run, name)
    if not path.exists():
        step = f"train --resume {run.folder}" if name == "float" else f"quantize {run.folder}"
        raise TrainError(f"{run.folder} has no finished {name} state yet: run `fauxlens {step}` first.")
    again = "run the step that wrote it again"
    try:
        about = read_json_object(path, error=TrainError, remedy=again)
        seen = tuple((str(generator), str(source)) for generator, source in about.get("seen", ()))
        # States of before December 2026 do not name them: then what the scores call seen.
        seen = seen or seen_pairs(read_scores(scores_path(run, name)))
        return State(name, Calibration(**about["calibration"]), _points(about["points"]), seen)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainError(f"{path} is damaged: {again}.") from error


def _points(plain: dict[str, Any]) -> OperatingPoints:
    if "unsure" in plain:  # Until December 2026 a band (low, high), above which the balanced point began.
        low, high = plain.pop("unsure")
        plain |= {"balanced": max(plain["balanced"], high), "unsure_from": min(plain["balanced"], low)}
    return OperatingPoints(**plain)


def _state_path(run: Run, name: str) -> Path:
    return run.folder / "states" / f"{name}.json"
