"""A grid says in TOML which recipes a study compares: one recipe, what its arms set in it, and the seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from train.common.documents import read_toml
from train.common.errors import TrainError
from train.compare.arms import LABELS_ONLY, SEED, value_in_words
from train.recipe import Recipe, read_recipe
from train.recipe_files import find_recipe
from train.recipe_types import STRICT

FOLDER = Path(__file__).parents[2] / "grids"
Settings = dict[str, Any]


@dataclass(frozen=True, config=STRICT)
class NamedArm:
    """An arm by name, and what it sets: dotted keys of a recipe (`"model.dropout" = 0.3`)."""

    name: Annotated[str, Field(min_length=1)]
    set: Settings


@dataclass(frozen=True, config=STRICT)
class GridFile:
    """What a grid's file may hold.

    recipe: a shipped recipe by name, or the path of one, from the file's folder. seeds: each arm is trained once a
    seed; two or more give differences with intervals. set: dotted keys that hold for every arm. arms: the arms by name.
    grid: values of dotted keys, of which every combination is an arm, in each of `arms` if there are any. The first arm
    is the baseline that the others are compared with.
    """

    title: str
    recipe: str
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (1, 2, 3)
    set: Settings = Field(default_factory=dict)
    arms: tuple[NamedArm, ...] = ()
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class GridArm:
    """One arm: its name and its recipe, whose seed stands for any."""

    name: str
    recipe: Recipe

    def with_seed(self, seed: int) -> Recipe:
        """The recipe of one training."""
        return replace(self.recipe, fit=replace(self.recipe.fit, seed=seed))


@dataclass(frozen=True, config=STRICT)
class Grid:
    """A grid that has been read: at least two arms with different recipes, the baseline first."""

    title: str
    arms: tuple[GridArm, ...]
    seeds: tuple[int, ...]

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every training: the arms in turn, and of each its seeds."""
        return tuple(arm.with_seed(seed) for arm in self.arms for seed in self.seeds)


def shipped_grids() -> tuple[Path, ...]:
    """The shipped grids, by name."""
    return tuple(sorted(FOLDER.glob("*.toml")))


def find_grid(name: str) -> Path:
    """The file of a grid: a shipped one by name (`flip`), or any by path; TrainError names those there are."""
    path = Path(name)
    if path.suffix == ".toml" or "/" in name:
        return path
    if (shipped := FOLDER / f"{name}.toml") in shipped_grids():
        return shipped
    names = ", ".join(one.stem for one in shipped_grids())
    raise TrainError(f"Unknown grid {name!r}: choose one of {names}, or give the path of a .toml file.")


def read_grid(path: Path, overrides: Mapping[str, Any] | None = None, seeds: Sequence[int] = ()) -> Grid:
    """Read a grid; `overrides` set dotted keys in every arm, and `seeds` stand for those of the file.

    Raises TrainError for a missing file, bad TOML, an unknown key of the file or of a recipe, a value out of its range,
    fewer than two arms, or two arms of one name or of the same recipe.
    """
    try:
        table = read_toml(path, error=TrainError, remedy="name a grid, which is TOML in UTF-8")
    except FileNotFoundError as error:
        raise TrainError(f"{path}: the grid cannot be read ({error.strerror}); name a .toml file.") from error
    try:
        plain = TypeAdapter(GridFile).validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(GridFile.__dataclass_fields__)
        unknown = first["type"] == "unexpected_keyword_argument"
        what = "is not a grid key" if unknown else f"will not do: {first['msg']}"
        raise TrainError(f"{path}: {key} {what}; a grid has the keys {known}.") from error
    common = {**plain.set, **(overrides or {})}
    found = tuple(_arm(path, plain, name, {**common, **settings}) for name, settings in _combinations(plain))
    _check(path, found)
    chosen = tuple(dict.fromkeys(seeds or plain.seeds))
    return Grid(plain.title, found, chosen)


def _combinations(plain: GridFile) -> list[tuple[str, Settings]]:
    named = [(arm.name, arm.set) for arm in plain.arms] or [("", {})]
    found = []
    for (name, settings), values in product(named, product(*plain.grid.values())):
        one = dict(zip(plain.grid, values, strict=True))
        words = [f"{key.rpartition('.')[2]} {value_in_words(value)}" for key, value in one.items()]
        found.append((", ".join([name, *words] if name else words), {**settings, **one}))
    return found


def _arm(path: Path, plain: GridFile, name: str, settings: Settings) -> GridArm:
    for key in (SEED, *LABELS_ONLY):
        if key in settings:
            remedy = "write `seeds = [1, 2, 3]` instead" if key == SEED else "leave it out"
            raise TrainError(f"{path}: {key} does not change the recipe: {remedy}.")
    recipe = find_recipe(plain.recipe)
    recipe = recipe if recipe.is_absolute() or recipe.exists() else path.parent / recipe
    try:
        return GridArm(name, read_recipe(recipe, settings))
    except TrainError as error:
        raise TrainError(f"{path}, arm {name!r}: {error}") from error


def _check(path: Path, arms: Sequence[GridArm]) -> None:
    if len(arms) < 2:
        raise TrainError(f"{path}: a comparison needs two arms or more: give `grid` or `arms` more values.")
    names: dict[str, str] = {}
    for arm in arms:
        if arm.name in names.values():
            raise TrainError(f"{path}: two arms are called {arm.name!r}: rename one.")
        if (twin := names.setdefault(arm.recipe.sha256, arm.name)) != arm.name:
            raise TrainError(f"{path}: the arms {twin!r} and {arm.name!r} are the same recipe: leave one out.")
