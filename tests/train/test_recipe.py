"""Recipes: every shipped one is valid, and a fault is named by its key."""

from pathlib import Path
from typing import Any

import pytest

from ela.front_ends import parse_front_end
from train.common.errors import TrainError
from train.image.view import parse_view
from train.recipe import parse_recipe, parse_setting, read_recipe

SHIPPED = sorted((Path(__file__).parents[2] / "train" / "recipes").glob("*.toml"))
SMALLEST: dict[str, Any] = {
    "title": "t",
    "data": {"view": "resize(96)", "generators": ["camera", "stylegan"]},
    "model": {},
    "stages": [{"name": "s", "epochs": 1, "learning_rate": 0.1, "train_from": "all"}],
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_recipes_open_with_what_they_reproduce(path: Path) -> None:
    recipe = read_recipe(path)
    parse_front_end(recipe.model.front_end).check_size(parse_view(recipe.data.view).size)
    opening = path.read_text().splitlines()[:4]
    assert [line.split(":")[0] for line in opening[:3]] == ["# Reproduces", "# Expected", "# Command"]
    assert f"train/recipes/{path.name}" in opening[2]


def test_there_are_shipped_recipes() -> None:
    assert len(SHIPPED) >= 4


def test_resolved_text_reads_back_as_the_same_recipe(tmp_path: Path) -> None:
    recipe = parse_recipe(SMALLEST, "here")
    (tmp_path / "recipe.toml").write_text(recipe.text)
    again = read_recipe(tmp_path / "recipe.toml")
    assert again == recipe
    assert again.sha256 == recipe.sha256


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "unknown key 'colour'"),
        ({"model": {"depth": 3}}, "unknown key 'model.depth'"),
        ({"model": {"width": 0.3}}, "model.width = 0.3"),
        ({"augment": {"jpeg": 2}}, "augment.jpeg = 2"),
        ({"stages": []}, "stages"),
        ({"title": None}, "title"),
        ({"fit": {"seed": -1}}, "fit.seed = -1"),
        ({"stages": [{**SMALLEST["stages"][0], "features": "cached"}]}, "cached features are for train_from = 'head'"),
    ],
)
def test_faults_are_named_by_key(change: dict[str, object], words: str) -> None:
    with pytest.raises(TrainError) as caught:
        parse_recipe({**SMALLEST, **change}, "mine.toml")
    sentence = str(caught.value)
    assert sentence.startswith("mine.toml: ")
    assert words in sentence
    assert "\n" not in sentence


def test_a_missing_key_is_named() -> None:
    with pytest.raises(TrainError, match=r"'data\.view' is missing"):
        parse_recipe({**SMALLEST, "data": {"generators": ["camera"]}}, "mine.toml")


@pytest.mark.parametrize("content", [b"title = ", b"\xff\xfe\x00", None])
def test_what_is_no_recipe_is_told_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainError, match=r"broken\.toml"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.front_end=npr", ("model.front_end", "npr")),
        ("model.front_end = rgb+ela(90,444,x9)", ("model.front_end", "rgb+ela(90,444,x9)")),
        ("fit.seed=3", ("fit.seed", 3)),
        ('data.generators=["camera", "sd-2.1"]', ("data.generators", ["camera", "sd-2.1"])),
        ("title=a=b", ("title", "a=b")),
    ],
)
def test_a_setting_is_toml_or_a_word(text: str, expected: tuple[str, object]) -> None:
    assert parse_setting(text) == expected


@pytest.mark.parametrize("text", ["", "model.front_end", "=3", "model..width=1", ".x=1"])
def test_a_setting_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(TrainError, match="is not KEY=VALUE"):
        parse_setting(text)


def test_settings_reach_into_the_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(parse_recipe(SMALLEST, "here").text)
    changed = read_recipe(path, dict(map(parse_setting, ("model.front_end=srm", "fit.seed=9", "augment.jpeg=0.5"))))
    assert (changed.model.front_end, changed.fit.seed, changed.augment.jpeg) == ("srm", 9, 0.5)
    with pytest.raises(TrainError, match=r"unknown key 'model\.depth'"):
        read_recipe(path, {"model.depth": 3})
    with pytest.raises(TrainError, match="'title' has no keys of its own"):
        read_recipe(path, {"title.long": "x"})
