"""`fauxlens loo` as a person or a program meets it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fauxlens import app
from train.common.parts import WorkPart
from train.compare.leave_out.study import plan_study, train_part
from train.data.manifest import SPLITS
from train.fit.run_folder import scores_path
from train.fit.train_missing import run_name, runs_in
from train.recipe import read_recipe

pytestmark = pytest.mark.slow

RECIPE = """
title = "Tiny"
[data]
view = "upright|square|resize(32)"
generators = ["*"]
[model]
width = 0.25
weights = "none"
batch_norm_momentum = 0.5
[[stages]]
name = "all"
epochs = 2
learning_rate = 1e-3
train_from = "all"
[fit]
batch_size = 64
"""


def loo(*arguments: object, columns: int = 200) -> Result:
    return CliRunner().invoke(app, ["loo", *map(str, arguments)], env={"COLUMNS": str(columns)})


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def manifest(noise: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise of two generators and flat noise of a camera: 12 pictures of each in every split."""
    return noise(tmp_path_factory.mktemp("pictures"), SPLITS * 12)


@pytest.fixture(scope="module")
def trained(manifest: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was stopped in its second training, and gone on with in two parts."""
    out = tmp_path_factory.mktemp("loo") / "out"
    study = plan_study(manifest, out, read_recipe(recipe), ["generator"], 1)
    begun: list[str] = []

    def stop(batch: Any) -> None:
        if len(begun) == 2 and batch.epoch == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train_part(study, WorkPart(), on_run=lambda number, run: begun.append(run.folder.name), on_batch=stop)
    first = loo(manifest, "--recipe", recipe, "--out", out, "--seeds", 1, "--part", "1/2")
    assert first.exit_code == 0, first.output
    assert "2 trainings, 1 of them finished" in first.stderr and "1 of 2 trainings are finished" in first.stdout
    assert not list(out.glob("loo.*"))
    second = loo(manifest, "--recipe", recipe, "--out", out, "--seeds", 1, "--part", "2/2")
    assert second.exit_code == 0, second.output
    assert "Each generator left out of training" in second.stdout
    return out


def test_a_stopped_study_ends_with_the_scores_of_one_in_one_go(
    trained: Path, manifest: Path, recipe: Path, tmp_path: Path
) -> None:
    study = plan_study(manifest, tmp_path, read_recipe(recipe), ["generator"], 1, ["gan-like"])
    train_part(study, WorkPart())
    (alone,) = runs_in(tmp_path / "runs", manifest).values()
    stopped = runs_in(trained / "runs", manifest)[alone.recipe.sha256]
    assert scores_path(alone, "float").read_bytes() == scores_path(stopped, "float").read_bytes()


def test_a_last_call_makes_the_table_and_trains_nothing(trained: Path, manifest: Path, recipe: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (trained / "runs").rglob("*.h5")}
    texts = {path.name: path.read_bytes() for path in trained.glob("loo.*")}
    assert sorted(texts) == ["loo.csv", "loo.html", "loo.json", "loo.md", "loo.tex"]
    done = loo(manifest, "--recipe", recipe, "--out", trained, "--seeds", 1)
    assert done.exit_code == 0, done.output
    assert before == {path: path.stat().st_mtime_ns for path in (trained / "runs").rglob("*.h5")}
    assert texts == {path.name: path.read_bytes() for path in trained.glob("loo.*")}
    assert "Not left out, because a split would then lack a class: camera." in done.stdout
    assert "One training each" in done.stdout
    rows = list(csv.DictReader(io.StringIO((trained / "loo.csv").read_text())))
    assert {(row["name"], row["metric"]) for row in rows} == {
        (name, metric) for name in ("gan-like", "diffusion-like") for metric in ("auc", "tpr_at_1")
    }
    for row in rows:
        assert 0 <= float(row["low"]) <= float(row["value"]) <= float(row["high"]) <= 1
        assert (row["metadata_auc"] != "") == (row["metric"] == "auc")


def test_json_and_markdown_are_all_there_is(trained: Path, manifest: Path, recipe: Path) -> None:
    options = (manifest, "--recipe", recipe, "--out", trained, "--seeds", 1)
    document = json.loads(loo(*options, "--json").stdout)
    assert document["format"] == 1 and [one["scheme"] for one in document["schemes"]] == ["generator"]
    study = plan_study(manifest, trained, read_recipe(recipe), ["generator"], 1)
    assert [one["run"] for one in document["trainings"]] == [run_name(one.recipe) for one in study.trainings]
    assert loo(*options, "--markdown").stdout == (trained / "loo.md").read_text(encoding="utf-8")


def test_at_80_columns_nothing_is_cut(trained: Path, manifest: Path, recipe: Path) -> None:
    shown = loo(manifest, "--recipe", recipe, "--out", trained, "--seeds", 1, columns=80).stdout
    assert "…" not in shown
    table = [line for line in shown.splitlines() if line.startswith(("│", "┃"))]
    assert table and max(map(len, table)) <= 80
    assert sum("diffusion-like" in line for line in table) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scheme", "source"], "can be left out"),
        (["--scheme", "folds:9"], "use fewer folds"),
        (["--scheme", "both"], "is not a scheme"),
        (["--only", "styleganx"], "no generator 'styleganx'"),
        (["--part", "3/2"], "write 2/3"),
        (["--json", "--markdown"], "choose one"),
        (["--set", "model.weighs=none"], "model.weighs"),
    ],
)
def test_wrong_usage_is_one_sentence(
    manifest: Path, recipe: Path, options: list[str], words: str, tmp_path: Path
) -> None:
    done = loo(manifest, "--recipe", recipe, "--out", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == "" and not (tmp_path / "out").exists()
