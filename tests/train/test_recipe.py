"""Recipes: every shipped one is valid, and a fault is named by its key."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ela.front_ends import parse_front_end
from train.common.errors import TrainError
from train.image.view import parse_view
from train.recipe import parse_recipe, parse_setting, read_recipe, with_options
from train.recipe_files import find_recipe, keys_page, recipe_keys

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
    with pytest.raises(TrainError, match="'title' has no subkeys"):
        read_recipe(path, {"title.long": "x"})


def test_a_key_in_a_list_is_reached_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(parse_recipe(SMALLEST, "here").text)
    assert read_recipe(path, dict([parse_setting("stages.0.epochs=7")])).stages[0].epochs == 7
    for wrong in ("stages.1.epochs=7", "stages.x.epochs=7", "title.x=1"):
        with pytest.raises(TrainError, match=r"is not a (recipe )?key"):
            read_recipe(path, dict([parse_setting(wrong)]))


def test_what_does_not_fit_together_is_told_without_the_whole_table() -> None:
    with pytest.raises(TrainError) as raised:
        read_recipe(find_recipe("all-faces"), {"model.output": "softmax"})
    assert "[model] is not allowed" in str(raised.value)
    assert "{" not in str(raised.value)


def test_options_change_the_view_and_the_last_stage_alone() -> None:
    recipe = read_recipe(find_recipe("all-generators"))
    changed = with_options(recipe, size=96, epochs=3, learning_rate=0.25)
    assert changed.data.view == recipe.data.view.replace("resize(128)", "resize(96)")
    assert (changed.stages[-1].epochs, changed.stages[-1].learning_rate) == (3, 0.25)
    assert changed.stages[:-1] == recipe.stages[:-1]
    assert with_options(recipe) == recipe
    with pytest.raises(TrainError, match="learning_rate"):
        with_options(recipe, learning_rate=-1.0)


def test_recipes_are_found_by_name_and_every_key_is_listed() -> None:
    assert find_recipe("faces").name == "faces.toml"
    assert find_recipe("./faces.toml") == Path("faces.toml")
    with pytest.raises(TrainError, match="all-generators"):
        find_recipe("facse")
    names = {key.name for key in recipe_keys()}
    assert {"title", "data.view", "stages.N.epochs", "fit.seed", "file_processing.side", "sampling.twins"} <= names
    for path in SHIPPED:
        for section, value in tomllib.loads(path.read_text()).items():
            tables = value if isinstance(value, list) else [value]
            prefix = f"{section}.N" if isinstance(value, list) else section
            keys = {f"{prefix}.{key}" for table in tables if isinstance(table, dict) for key in table}
            assert keys <= names, path.name


@pytest.mark.parametrize("weights", ["/home/someone/faces/own.h5", r"C:\Users\someone\own.h5", "own.h5"])
def test_a_published_recipe_names_no_folder_of_the_machine(weights: str) -> None:
    published = parse_recipe(SMALLEST | {"model": {"weights": weights}}, "here").published_text
    expected = parse_recipe(SMALLEST | {"model": {"weights": "own.h5"}}, "here")
    assert parse_recipe(tomllib.loads(published), "here") == expected


def test_the_page_of_keys_is_what_the_dataclasses_say() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipe-keys.md").read_text(encoding="utf-8")
    assert page == keys_page(), "run: fauxlens recipe keys --markdown > docs/recipe-keys.md"
    for name in recipe_keys():
        assert f"| `{name.name.rpartition('.')[2]}` |" in page


def test_a_name_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(read_recipe(find_recipe("sample-gan")).text, encoding="utf-8")
    with pytest.raises(TrainError, match=r"r\.toml: a recipe is text in UTF-8, and a name given for it is not"):
        read_recipe(path, {"model.weights": "caf\udce9.h5"})
