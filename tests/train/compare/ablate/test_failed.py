"""A training that fails stops no other: every form of the table says why, and the status is 1."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w
from typer.testing import CliRunner, Result

from fauxlens import app
from train.common.errors import TrainError
from train.compare.ablate.grid import read_grid
from train.data.manifest import SPLITS
from train.fit.run_folder import has_state
from train.fit.schedules import learning_rate
from train.fit.train_missing import runs_in, train_missing

RECIPE = {
    "title": "Small",
    "data": {"view": "upright|square|resize(48)", "generators": ["camera", "gan-like"]},
    "model": {"backbone": "alexnet-like", "weights": "none", "dropout": 0.0},
    "stages": [{"name": "all", "epochs": 2, "learning_rate": 0.01, "train_from": "all"}],
    "fit": {"batch_size": 8, "optimizer": "sgd"},
}
REASON = "The training loss is NaN or infinite: lower learning_rate in the recipe."


def ablate(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        app,
        ["ablate", str(folder / "grid.toml"), "--manifest", str(folder / "manifest.csv"), "--out", str(folder / "out")]
        + [*arguments],
        env={"COLUMNS": "160"},
    )


@pytest.mark.slow
def test_an_arm_that_diverges_stops_no_other_and_alone_is_tried_again(
    noise: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = noise(tmp_path, SPLITS * 12, generators=2)
    arms = [
        {"name": "plain", "set": {}},
        {"name": "ruined", "set": {"stages.0.learning_rate": 1.0}},
        {"name": "slow", "set": {"stages.0.learning_rate": 0.001}},
    ]
    # Steps that ruin any network, where recipes allow none that ruin one as small as this for certain.
    real = learning_rate
    monkeypatch.setattr(
        "train.fit.loop.learning_rate",
        lambda stage, *rest: 1e38 if stage.learning_rate == 1.0 else real(stage, *rest),
    )
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(RECIPE))
    (tmp_path / "grid.toml").write_text(
        tomli_w.dumps({"title": "Three", "recipe": "recipe.toml", "seeds": [1], "arms": arms})
    )
    shown = ablate(tmp_path)
    assert shown.exit_code == 1, shown.output
    assert f"failed: ruined, seed 1: {REASON}" in shown.stderr
    assert "Failed trainings" in shown.stdout
    recipes = read_grid(tmp_path / "grid.toml").recipes
    there = runs_in(tmp_path / "out", manifest)
    assert [one.sha256 in there and has_state(there[one.sha256], "float") for one in recipes] == [True, False, True]
    for suffix in ("html", "md", "tex", "csv"):
        text = (tmp_path / "out" / f"ablation.{suffix}").read_text().replace("\\", "")
        assert REASON in text
        assert "slow" in text
    with (tmp_path / "out" / "ablation.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["arm"]: line["failure"] for line in lines} == {"plain": "", "slow": "", "ruined": REASON}
    again = ablate(tmp_path, "--json")
    assert again.exit_code == 1
    document = json.loads(again.stdout)
    assert document["arms"] == ["plain", "slow"]
    assert document["failed"] == [{"arm": "ruined", "seed": 1, "reason": REASON}]
    # Nobody else is trained again; without a callback for failures there is an error, after all others.
    begun: list[int] = []
    with pytest.raises(TrainError, match=r"1 of 3 trainings failed, the first is .*NaN or infinite"):
        train_missing(recipes, manifest, tmp_path / "out", on_run=lambda number, run: begun.append(number))
    assert begun == [1]
