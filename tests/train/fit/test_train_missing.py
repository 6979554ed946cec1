"""A study's trainings: made once, gone on with after a stop, never mixed with those of other pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from train.common.errors import TrainError
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.fit.run_folder import Run, has_state, scores_path, weights_path
from train.fit.train_missing import run_name, train_missing
from train.recipe import Recipe, parse_recipe


def _recipe(seed: int, **settings: Any) -> Recipe:
    plain = {
        "title": "Study",
        "data": {"view": "upright|square|resize(32)", "generators": ["camera", "gan-like"]},
        "model": {"width": 0.25, "weights": "none"},
        "stages": [{"name": "all", "epochs": 2, "learning_rate": 1e-3, "train_from": "all"}],
        "fit": {"batch_size": 64, "seed": seed},
    }
    return parse_recipe(plain | settings, "study")


def _weights(run: Run) -> bytes:
    import h5py

    with h5py.File(weights_path(run, "float")) as file:
        found: list[bytes] = []
        file.visititems(lambda name, one: found.append(np.asarray(one).tobytes()) if hasattr(one, "shape") else None)
    return b"".join(found)


def test_only_what_is_missing_is_trained(small_manifest: Path, tmp_path: Path) -> None:
    recipes = [_recipe(1), _recipe(2), _recipe(1)]
    begun: list[int] = []

    def stop(tick: Any) -> None:
        if begun == [0, 1] and tick.epoch == 2:
            raise InterruptedError

    def note(number: int, run: Run) -> None:
        begun.append(number)

    with pytest.raises(InterruptedError):
        train_missing(recipes, small_manifest, tmp_path / "study", on_run=note, on_batch=stop)
    runs = train_missing(recipes, small_manifest, tmp_path / "study", on_run=note)
    # The first was finished before the stop, and the third is the first once more.
    assert begun == [0, 1, 1]
    assert runs[0] == runs[2]
    assert [run.folder.name for run in runs] == [run_name(recipe) for recipe in recipes]
    assert all(has_state(run, "float") for run in runs)
    (unbroken,) = train_missing([_recipe(2)], small_manifest, tmp_path / "unbroken")
    assert _weights(runs[1]) == _weights(unbroken)
    assert scores_path(runs[1], "float").read_bytes() == scores_path(unbroken, "float").read_bytes()
    assert _weights(runs[0]) != _weights(runs[1])
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*") if path.is_file()}
    assert [run.folder for run in train_missing(recipes, small_manifest, tmp_path / "study")] == [
        run.folder for run in runs
    ]
    now = {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*") if path.is_file()}
    assert now.keys() == written.keys()
    changed = {path.name for path in written if written[path] != now[path]}
    assert changed <= {".study.lock"}


def test_a_study_refuses_what_would_mix(small_manifest: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    beginning = folder / run_name(_recipe(1))
    beginning.mkdir(parents=True)
    # What a kill leaves between the first file of a run and its last.
    (beginning / "run.json").touch()
    (beginning / ".recipe.x.part.toml").touch()
    with pytest.raises(TrainError, match="styleganx"):
        nobody = {"view": "upright|square|resize(32)", "generators": ["camera", "styleganx"]}
        train_missing([_recipe(1), _recipe(1, data=nobody)], small_manifest, folder)
    assert not list(folder.glob("*/run.json"))
    lock = FileLock(folder / f".{run_name(_recipe(1))}.lock")
    with lock, pytest.raises(TrainError, match="Another process is training 1 of the runs"):
        train_missing([_recipe(1)], small_manifest, folder)
    with pytest.raises(InterruptedError):
        train_missing([_recipe(1)], small_manifest, folder, on_run=_interrupt)
    other = read_manifest(small_manifest)
    write_manifest(Manifest(other.frame.head(-1), other.folder), small_manifest.parent / "other.csv")
    with pytest.raises(TrainError, match="another manifest"):
        train_missing([_recipe(1)], small_manifest.parent / "other.csv", folder)


def _interrupt(number: int, run: Run) -> None:
    raise InterruptedError
