"""The shipped recipes by name, and the keys that a recipe may have, from the dataclasses themselves."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.common.errors import TrainError
from train.recipe import Recipe, read_recipe

FOLDER = Path(__file__).parent / "recipes"
DEFAULT = "all-faces"
"""What `train` takes where no recipe is named."""


@dataclass(frozen=True)
class RecipeKey:
    """One key of a recipe: its dotted name, the kind of its value in words, and its default (empty: required)."""

    name: str
    kind: str
    default: str


def shipped_recipes() -> tuple[Path, ...]:
    """The shipped recipes, by name."""
    return tuple(sorted(FOLDER.glob("*.toml")))


def find_recipe(name: str) -> Path:
    """The file of a recipe: a shipped one by name (`faces`), or any by path.

    Raises TrainError with the names that there are.
    """
    path = Path(name)
    if path.suffix == ".toml" or "/" in name:
        return path
    shipped = FOLDER / f"{name}.toml"
    if shipped in shipped_recipes():
        return shipped
    names = ", ".join(one.stem for one in shipped_recipes())
    raise TrainError(f"Unknown recipe {name!r}: choose one of {names}, or give the path of a .toml file.")


def about_recipe(path: Path) -> tuple[str, str]:
    """A recipe's title, and the sentence on what it reproduces (of its first comment line; empty where it has none)."""
    return read_recipe(path).title, reproduces(path)


def reproduces(path: Path) -> str:
    """What the first comment line of a recipe or grid says that it reproduces; empty where it says nothing."""
    return path.read_text(encoding="utf-8").partition("\n")[0].partition("Reproduces:")[2].strip()


def recipe_keys() -> tuple[RecipeKey, ...]:
    """Every key that a recipe may have, in the order of the dataclasses in train/recipe.py."""
    return tuple(_keys(Recipe, ""))


def keys_page() -> str:
    """Every section of a recipe as Markdown: what its dataclass says of it, and its keys (docs/recipe-keys.md)."""
    parts = [_PAGE_HEAD]
    for section, kind in _sections():
        parts.append(f"## {section}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n")
        rows = [key for key in _keys(kind, "") if "." not in key.name]
        lines = [f"| `{key.name}` | {key.kind} | {f'`{key.default}`' if key.default else 'required'} |" for key in rows]
        parts.append("\n".join(["| key | value | default |", "|---|---|---|", *lines, ""]))
    return "\n".join(parts)


_PAGE_HEAD = """# Keys of a recipe

Written by `fauxlens recipe keys --markdown` from the dataclasses that check recipes; do not edit.
"""


def _sections() -> Iterator[tuple[str, Any]]:
    """Each table of a recipe as TOML has it, with its dataclass."""
    yield "At the top", Recipe
    for name, hint in typing.get_type_hints(Recipe).items():
        if (kind := _table(hint)) is not None:
            yield (f"[[{name}]]" if typing.get_origin(hint) is tuple else f"[{name}]"), kind


def _keys(kind: Any, prefix: str) -> Iterator[RecipeKey]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        table = _table(hints[field.name])
        if table is not None:
            inner = f"{field.name}.N." if typing.get_origin(hints[field.name]) is tuple else f"{field.name}."
            yield from _keys(table, prefix + inner)
        else:
            yield RecipeKey(prefix + field.name, _words(hints[field.name]), _default(field))


def _table(hint: Any) -> Any:
    """The dataclass that a type is, or holds; None for a plain value."""
    for one in (hint, *typing.get_args(hint)):
        if dataclasses.is_dataclass(one):
            return one
    return None


def _words(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(f'"{value}"' for value in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "list"
    if isinstance(hint, types.UnionType):
        return " or ".join(_words(one) for one in typing.get_args(hint) if one is not type(None))
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(hint, str(hint))


def _default(field: Any) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    value = getattr(field.default, "default", field.default)
    if value is None:
        return "none"
    return str(list(value)) if isinstance(value, tuple) else str(value)
