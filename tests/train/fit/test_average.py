"""A run out of the mean of two sets of weights: what is averaged, what stays, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

from train.common.errors import TrainError
from train.evaluate.scores import read_scores
from train.fit.average import AVERAGED, average_run, read_averaged
from train.fit.loop import kept_epoch
from train.fit.pipeline import train_and_score
from train.fit.run_folder import Run, has_state, open_run, scores_path, weights_path
from train.fit.scoring import small_rates
from train.head import HEAD


def arrays(path: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, one: found.update({name: one[()]}) if isinstance(one, h5py.Dataset) else None)
    return found


@pytest.fixture
def other(trained_run: Run, tmp_path: Path) -> Path:
    """The run's weights, each 2 % larger, as if it had been trained on."""
    path = tmp_path / "other.h5"
    shutil.copy(weights_path(trained_run, "float"), path)
    with h5py.File(path, "r+") as file:
        file.visititems(_larger)
    return path


def _larger(_: str, one: object) -> None:
    if isinstance(one, h5py.Dataset):
        one[...] = one[()] * np.float32(1.02)


@pytest.mark.parametrize("with_head", [True, False])
def test_weights_are_the_mean_and_a_head_stays_where_the_file_has_none(
    trained_run: Run, other: Path, tmp_path: Path, with_head: bool
) -> None:
    if not with_head:
        with h5py.File(other, "r+") as file:
            del file[HEAD]
            file.attrs["layer_names"] = [name for name in file.attrs["layer_names"] if HEAD not in str(name)]
    made = average_run(trained_run, other, 0.25, tmp_path / "run")
    before, after = arrays(weights_path(trained_run, "float")), arrays(weights_path(made, "float"))
    assert before.keys() == after.keys()
    for name, value in before.items():
        if name.startswith(f"{HEAD}/") and not with_head:
            np.testing.assert_array_equal(after[name], value)
        else:
            np.testing.assert_allclose(after[name], value * 1.005, rtol=1e-5, atol=1e-7)
    assert has_state(made, "float")
    assert open_run(made.folder).recipe == trained_run.recipe
    theirs, mine = (read_scores(scores_path(run, "float")) for run in (trained_run, made))
    assert theirs["path"].to_list() == mine["path"].to_list()
    assert not np.array_equal(theirs["log_odds"], mine["log_odds"])
    assert kept_epoch(made) == f"Average of {trained_run.folder.name} and, with a share of 0.25, other.h5."
    val = mine.filter(pl.col("seen"), split="val", label="real").height
    assert small_rates(made).startswith(f"1 % and 0.5 % of {val} validation photographs are less than one")


def test_a_non_negative_head_is_averaged_with_no_free_one(trained_run: Run, other: Path, tmp_path: Path) -> None:
    model = replace(trained_run.recipe.model, head="non-negative")
    bounded = replace(trained_run, recipe=replace(trained_run.recipe, model=model))
    with pytest.raises(TrainError, match=r"other\.h5 has a head with weights below 0"):
        average_run(bounded, other, 0.5, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_averaged_is_refused(trained_run: Run, other: Path, tmp_path: Path) -> None:
    with h5py.File(other, "r+") as file:
        del file["conv1"]
    with pytest.raises(TrainError, match="do not fit"):
        average_run(trained_run, other, 0.5, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    unfinished = tmp_path / "unfinished"
    shutil.copytree(trained_run.folder, unfinished)
    shutil.rmtree(unfinished / "states")
    with pytest.raises(TrainError, match=r"is not finished: `fauxlens train --resume"):
        average_run(open_run(unfinished), other, 0.5, tmp_path / "run")
    with pytest.raises(TrainError, match="already contains"):
        average_run(trained_run, weights_path(trained_run, "float"), 0.5, trained_run.folder)


def test_an_average_that_fails_leaves_nothing(
    trained_run: Run, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TrainError("No.")

    monkeypatch.setattr("train.fit.average.score_state", fail)
    with pytest.raises(TrainError, match="No"):
        average_run(trained_run, other, 0.5, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_average_that_was_killed_is_not_trained_but_made_again(
    trained_run: Run, other: Path, tmp_path: Path
) -> None:
    made = average_run(trained_run, other, 0.5, tmp_path / "run")
    whole = arrays(weights_path(made, "float"))
    shutil.rmtree(made.folder / "states")
    with pytest.raises(TrainError, match="is an unfinished average"):
        train_and_score(open_run(made.folder))
    assert (made.folder / AVERAGED).exists()
    # Asked for again, it is made in the same folder; another average is not.
    weights_path(made, "float").unlink()
    with pytest.raises(TrainError, match="already contains a run"):
        average_run(trained_run, other, 0.25, made.folder)
    again = average_run(trained_run, other, 0.5, made.folder)
    assert has_state(again, "float")
    for name, value in arrays(weights_path(again, "float")).items():
        np.testing.assert_array_equal(value, whole[name])
    stamp = weights_path(again, "float").stat().st_mtime_ns
    average_run(trained_run, other, 0.5, made.folder)
    assert weights_path(again, "float").stat().st_mtime_ns == stamp
    (made.folder / AVERAGED).write_text("{}")
    with pytest.raises(TrainError, match="is damaged"):
        read_averaged(made)
