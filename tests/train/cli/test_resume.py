"""`train --resume`: the run that is named, or the one that the same command without it would have made."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import fauxlens
import train.fit.pipeline
from train.common.errors import TrainError
from train.data.manifest import SCHEMA, Manifest, write_manifest
from train.fit.run_folder import Run, start_run
from train.recipe import read_recipe


@pytest.fixture(autouse=True)
def _begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two begun runs of a recipe in the current folder; what goes on is told instead of trained."""
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(
        'title = "t"\n[data]\nview = "upright|square|resize(32)"\ngenerators = ["*"]\n[model]\nweights = "none"\n'
        '[[stages]]\nname = "s"\nepochs = 1\nlearning_rate = 0.001\ntrain_from = "all"\n'
    )
    manifest = Manifest(pl.DataFrame(schema={name: kind() for name, kind in SCHEMA.items()}), tmp_path)
    write_manifest(manifest, Path("manifest.csv"))
    for folder in ("runs/mine", "other"):
        start_run(Path(folder), read_recipe(Path("mine.toml")), Path("manifest.csv"), manifest)

    def complete(run: Run, **_: Any) -> None:
        raise TrainError(f"goes on in {run.folder}")

    monkeypatch.setattr(train.fit.pipeline, "complete", complete)


def told(*words: str) -> str:
    done = CliRunner().invoke(fauxlens.app, ["train", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr.rstrip()


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        (("--resume", "other"), "other"),
        (("--resume=other",), "other"),
        (("mine.toml", "--resume"), "runs/mine"),
        (("mine.toml", "--resume", "--out", "other"), "other"),
        (("--out", "other", "--resume"), "other"),
    ],
)
def test_the_run_is_the_one_that_is_meant(words: tuple[str, ...], folder: str) -> None:
    assert told(*words) == f"goes on in {folder}"


def test_another_recipe_and_no_run_are_told() -> None:
    assert told("mine.toml", "--seed", "7", "--resume").startswith("runs/mine was started with a different recipe")
    assert told("--resume").startswith("runs/all-faces is not a run folder")
    assert not Path("runs/all-faces").exists()
    # A word behind it is the run, as ever.
    assert told("--resume", "other", "--out", "mine").startswith("--resume can be combined only with --strategy")


def test_other_options_need_their_values() -> None:
    done = CliRunner().invoke(fauxlens.app, ["train", "mine.toml", "--out"])
    assert done.exit_code == 2
    assert "requires an argument" in done.stderr
