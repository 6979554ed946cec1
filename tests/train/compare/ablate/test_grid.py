"""Grids: what a file's arms are, which recipes they come to, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import TrainError
from train.compare.ablate.grid import find_grid, read_grid, shipped_grids

PLAIN: dict[str, Any] = {"title": "x", "recipe": "all-generators", "grid": {"augment.flip": [0.5, 0.0]}}


def _write(folder: Path, **changes: Any) -> Path:
    path = folder / "grid.toml"
    path.write_text(tomli_w.dumps(PLAIN | changes))
    return path


def test_every_combination_is_an_arm_and_the_first_the_baseline(tmp_path: Path) -> None:
    grid = read_grid(_write(tmp_path, grid={"augment.flip": [0.5, 0.0], "model.dropout": [0.2, 0.3]}, seeds=[4, 7]))
    assert [arm.name for arm in grid.arms] == [
        "flip 0.5, dropout 0.2",
        "flip 0.5, dropout 0.3",
        "flip 0.0, dropout 0.2",
        "flip 0.0, dropout 0.3",
    ]
    assert [(one.augment.flip, one.model.dropout, one.fit.seed) for one in grid.recipes] == [
        (flip, dropout, seed) for flip in (0.5, 0.0) for dropout in (0.2, 0.3) for seed in (4, 7)
    ]


def test_named_arms_take_what_all_share_and_the_command_line_overrides(tmp_path: Path) -> None:
    arms = [{"name": "Adam", "set": {}}, {"name": "SGD", "set": {"fit.optimizer": "sgd", "stages.0.epochs": 3}}]
    path = _write(tmp_path, grid={}, arms=arms, set={"stages.0.epochs": 1, "stages.1.epochs": 5})
    grid = read_grid(path, {"stages.1.epochs": 9, "model.weights": "none"}, [8])
    adam, sgd = (arm.recipe for arm in grid.arms)
    assert (adam.fit.optimizer, sgd.fit.optimizer) == ("adam", "sgd")
    assert [one.epochs for one in (*adam.stages, *sgd.stages)] == [1, 9, 3, 9]
    assert adam.model.weights == "none"
    assert grid.seeds == (8,)


def test_arms_and_a_grid_are_multiplied(tmp_path: Path) -> None:
    arms = [{"name": "plain", "set": {}}, {"name": "soft", "set": {"model.output": "softmax"}}]
    names = [arm.name for arm in read_grid(_write(tmp_path, arms=arms)).arms]
    assert names == ["plain, flip 0.5", "plain, flip 0.0", "soft, flip 0.5", "soft, flip 0.0"]


def test_a_recipe_is_found_beside_the_grid(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(find_grid("flip").parents[1].joinpath("recipes/front-ends.toml").read_text())
    assert read_grid(_write(tmp_path, recipe="mine.toml")).arms[0].recipe.title == "What a front end is worth"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": []}, "arm is not a grid key; a grid has the keys title, recipe, seeds, set, arms, grid"),
        ({"grid": {"augment.flop": [1, 2]}}, "unknown key 'augment.flop'"),
        ({"grid": {"model.depth.x": [1, 2]}}, "unknown key"),
        ({"grid": {"augment.flip": [0.5, 2]}}, "augment.flip = 2"),
        ({"grid": {"augment.flip": []}}, "grid.augment.flip will not do"),
        ({"grid": {"fit.seed": [1, 2]}}, "write `seeds"),
        ({"grid": {"title": ["a", "b"]}}, "title does not change the recipe"),
        ({"grid": {"augment.flip": [0.5]}}, "needs two arms"),
        ({"grid": {"augment.flip": [0.5, 0.5]}}, "two arms are called 'flip 0.5'"),
        ({"grid": {}, "arms": [{"name": "a", "set": {}}, {"name": "b", "set": {}}]}, "'a' and 'b' are the same recipe"),
        ({"seeds": []}, "seeds will not do"),
        ({"seeds": [-1]}, "seeds.0 will not do"),
        ({"recipe": "nobody"}, "Unknown recipe 'nobody'"),
        ({"recipe": "nobody.toml"}, "the recipe cannot be read"),
    ],
)
def test_what_is_no_grid_is_told_in_one_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainError) as told:
        read_grid(_write(tmp_path, **changes))
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert "grid.toml" in str(told.value) or "Unknown recipe" in str(told.value)


def test_a_name_or_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"choose one of .*flip"):
        find_grid("flop")
    with pytest.raises(TrainError, match="the grid cannot be read"):
        read_grid(tmp_path / "gone.toml")
    (tmp_path / "bad.toml").write_text("title = ")
    with pytest.raises(TrainError, match=r"bad\.toml"):
        read_grid(tmp_path / "bad.toml")


@pytest.mark.parametrize("path", shipped_grids(), ids=lambda path: path.stem)
def test_shipped_grids_open_with_what_they_reproduce(path: Path) -> None:
    opening = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
    for head in ("# Reproduces: ", "\n# Literature: ", "\n# Expected: "):
        assert head in opening
    assert (
        f"# Command: fauxlens ablate train/grids/{path.name} --manifest manifest.csv --out runs/{path.stem}" in opening
    )
    assert len(read_grid(path).arms) >= 2


def test_shipped_grids_are_listed_shown_and_copied(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    listed, shown = (CliRunner().invoke(app, ["recipe", *words]) for words in (["list"], ["show", "flip"]))
    assert all(path.stem in listed.stdout for path in shipped_grids())
    assert shown.stdout == find_grid("flip").read_text()
    copied = CliRunner().invoke(app, ["recipe", "copy", "flip", str(copy)])
    assert copied.exit_code == 0
    assert "fauxlens ablate" in copied.stdout
    assert read_grid(copy) == read_grid(find_grid("flip"))
