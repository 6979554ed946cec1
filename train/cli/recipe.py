"""The verbs of `fauxlens recipe`: the shipped recipes, and the keys that a recipe may have."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.app import App, VerbGroup
from train.cli.outputs import WritePlace
from train.cli.terminal import Json, command, print_json, print_lines, print_table, verb
from train.common.errors import FauxlensError

_NAME = Annotated[str, typer.Argument(help="Name of a shipped recipe or grid, or the path of a recipe.")]

recipe_app = App(
    cls=VerbGroup,
    help="List, show and copy recipes.",
    no_args_is_help=True,
    add_completion=False,
)


@recipe_app.command("list")
@verb(FauxlensError)
def list_recipes(as_json: Json = False) -> None:
    """List the recipes and grids that ship with Fauxlens."""
    from train.compare.ablate.grid import read_grid, shipped_grids
    from train.recipe_files import about_recipe, reproduces, shipped_recipes

    rows = [(path.stem, *about_recipe(path)) for path in shipped_recipes()]
    if as_json:
        parts = {
            "recipes": rows,
            "grids": [(path.stem, read_grid(path).title, reproduces(path)) for path in shipped_grids()],
        }
        print_json(
            {
                part: [{"name": name, "title": title, "reproduces": said} for name, title, said in found]
                for part, found in parts.items()
            }
        )
        return
    print_table("Recipes", ("recipe", "title"), [(name, title) for name, title, _ in rows])
    named = [(path.stem, read_grid(path).title) for path in shipped_grids()]
    print_table("Grids, for `fauxlens ablate`", ("grid", "title"), named)
    print_lines(f"next: {command('recipe', 'show', rows[0][0])}")


@recipe_app.command("show")
@verb(FauxlensError)
def show_recipe(name: _NAME) -> None:
    """Print a recipe or a grid."""
    path, _ = _checked(name)
    typer.echo(path.read_text(encoding="utf-8"), nl=False)


@recipe_app.command("copy")
@verb(FauxlensError)
def copy_recipe(
    name: _NAME,
    file: Annotated[
        Path, typer.Argument(help="The new file; it must not exist."), WritePlace("file", endings=(".toml",))
    ],
) -> None:
    """Copy a recipe or a grid to a file that you can edit."""
    from train.common.atomic import write_text
    from train.common.errors import TrainError

    path, verb_of_it = _checked(name)
    if file.exists():
        raise TrainError(f"{file} already exists: name another file.")
    write_text(file, path.read_text(encoding="utf-8"))
    print_lines(f"next: {command(verb_of_it, file)}")


def _checked(name: str) -> tuple[Path, str]:
    """The file of a recipe or of a shipped grid, which has been read without a fault, and the verb that takes it."""
    from train.compare.ablate.grid import read_grid, shipped_grids
    from train.recipe import read_recipe
    from train.recipe_files import find_recipe

    grids = {path.stem: path for path in shipped_grids()}
    if name in grids:
        read_grid(grids[name])
        return grids[name], "ablate"
    path = find_recipe(name)
    read_recipe(path)
    return path, "train"


@recipe_app.command("keys")
@verb(FauxlensError)
def list_keys(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print as Markdown, with explanations.")] = False,
    as_json: Json = False,
) -> None:
    """List every recipe key with its default."""
    from dataclasses import asdict

    from train.common.errors import TrainError
    from train.recipe_files import keys_page, recipe_keys

    if markdown and as_json:
        raise TrainError("--markdown and --json both want standard output: choose one.")
    if markdown:
        typer.echo(keys_page(), nl=False)
        return
    if as_json:
        print_json({"keys": [asdict(key) for key in recipe_keys()]})
        return
    rows = [(key.name, key.kind, key.default or "required") for key in recipe_keys()]
    print_table("Keys of a recipe (N counts the stages from 0)", ("key", "value", "default"), rows)
