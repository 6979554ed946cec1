"""A run folder: where one training keeps its recipe, progress, weights, scores and report."""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.errors import TrainError
from train.common.version import VERSION
from train.data.manifest import Manifest, read_manifest
from train.data.store import Store, pack
from train.evaluate.calibration import Calibration, OperatingPoints
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

    @property
    def view(self) -> View:
        """The recipe's view, parsed."""
        return parse_view(self.recipe.data.view)

    def manifest(self) -> Manifest:
        """Read the manifest; raises TrainError when it is no longer the one of the training."""
        manifest = read_manifest(self.manifest_path)
        if manifest.sha256 != self.manifest_sha256:
            raise TrainError(
                f"{self.manifest_path} has changed since {self.folder} was trained on it: train again, or put the "
                "old manifest back."
            )
        return manifest

    def store(self, on_progress: Any = None) -> Store:
        """The manifest's pictures through the run's view, packed beside the runs so that they share it."""
        return pack(
            self.manifest(),
            self.view,
            self.folder.parent / "packed",
            unclear=self.recipe.data.unclear_faces,
            on_progress=on_progress,
        )


@dataclass(frozen=True)
class State:
    """One trained state of a run (`float`, `ptq` or `qat`) and how its logits become verdicts."""

    name: str
    calibration: Calibration
    points: OperatingPoints


STATES = ("float", "ptq", "qat")


def installed_versions() -> dict[str, str]:
    """Versions of Fauxlens and of the packages that decide what comes out of a training, by name."""
    return {"fauxlens": VERSION} | {name: version(name) for name in _PACKAGES}


def start_run(folder: Path, recipe: Recipe, manifest_path: Path, manifest: Manifest) -> Run:
    """Set up a run folder with its resolved recipe; raises TrainError when another run lives there."""
    if (folder / "run.json").exists():
        raise TrainError(f"{folder} already holds a run: choose another --out, or go on with it by --resume.")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "recipe.toml", recipe.text)
    about = {
        # Relative, so that runs and data can be moved together.
        "manifest": Path(os.path.relpath(manifest_path, folder)).as_posix(),
        "manifest_sha256": manifest.sha256,
        "view": recipe.data.view,
        "front_end": recipe.model.front_end,
        "recipe_sha256": recipe.sha256,
        "python": platform.python_version(),
        "packages": installed_versions(),
    }
    # Written last: a folder with run.json has all the rest.
    write_text(folder / "run.json", json.dumps(about, indent=1))
    return Run(folder, recipe, manifest_path, manifest.sha256)


def abandon_run(run: Run) -> None:
    """Take back what `start_run` and an unstarted training wrote; a run with a finished epoch is left alone."""
    if (run.folder / "checkpoints" / "progress.json").exists():
        return
    for name in ("checkpoints", "tensorboard"):
        shutil.rmtree(run.folder / name, ignore_errors=True)
    for name in ("run.json", "recipe.toml"):
        (run.folder / name).unlink(missing_ok=True)
    if not any(run.folder.iterdir()):
        run.folder.rmdir()


def open_run(folder: Path) -> Run:
    """Open a run folder; raises TrainError when it is none, or its recipe was edited after the start."""
    path = folder / "run.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        recipe_bytes = (folder / "recipe.toml").read_bytes()
        recipe = read_recipe(folder / "recipe.toml")
        run = Run(folder, recipe, folder / about["manifest"], about["manifest_sha256"])
        recipe_sha256 = about["recipe_sha256"]
    except OSError as error:
        raise TrainError(
            f"{folder} is not a run folder ({path.name} cannot be read): name one made by `train`."
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise TrainError(f"{path} is damaged: train again into another folder.") from error
    # Of the file as it was written: a key that recipes gained since then is no change.
    if hashlib.sha256(recipe_bytes).hexdigest() != recipe_sha256:
        raise TrainError(f"{folder / 'recipe.toml'} was changed after the run began: train again into another folder.")
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
            "unsure": list(state.points.unsure),
        },
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
        step = f"train … --out {run.folder} --resume" if name == "float" else f"quantize {run.folder}"
        raise TrainError(f"{run.folder} has no finished {name} state yet: run `fauxlens {step}` first.")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        low, high = about["points"].pop("unsure")
        return State(name, Calibration(**about["calibration"]), OperatingPoints(**about["points"], unsure=(low, high)))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{path} is damaged: run the step that wrote it again.") from error


def _state_path(run: Run, name: str) -> Path:
    return run.folder / "states" / f"{name}.json"
