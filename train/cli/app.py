"""The command line's frame: how help is laid out, `-h`, `--version` and shell completion.

Typer's help names Python types (`<list[Path]>`, `--json <bool>`), puts braces around arguments and two pairs of
brackets around a default given in words. The classes here give every parameter a word instead.
"""

import re
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from train.common.version import VERSION

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}
# What a person reads instead of a Python type.
_WORDS = {"path": "PATH", "file": "FILE", "directory": "FOLDER", "str": "TEXT", "int": "N", "float": "X"}


class Command(TyperCommand):
    """A verb whose help is in words."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, put in words. Help, usage, error messages and completion all come here for them."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]


class VerbGroup(TyperGroup):
    """A group of verbs whose help is in words and lists them in the order of `order`, others after these."""

    order: tuple[str, ...] = ()

    def get_params(self, ctx: Any) -> list[Any]:
        """See Command."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the verbs, in the order of use. Typer would put groups after all verbs."""
        names = super().list_commands(ctx)
        return [name for name in self.order if name in names] + [name for name in names if name not in self.order]


class App(typer.Typer):
    """A Typer app whose verbs are of the class above."""

    def command(self, name: str | None = None, **settings: Any) -> Any:
        """As Typer's."""
        return super().command(name, cls=Command, **settings)


def group_in_order(names: Iterable[str]) -> type[VerbGroup]:
    """A group that lists its verbs in this order."""
    return type("OrderedGroup", (VerbGroup,), {"order": tuple(names)})


def version_option(value: bool) -> None:
    """The callback of `--version`: print it and leave."""
    if value:
        typer.echo(f"fauxlens {VERSION}")
        raise typer.Exit()


def _in_words(param: Any, ctx: Any) -> Any:
    """Give a parameter a word for its type and its default. Doing it twice changes nothing."""
    if isinstance(param, TyperOption) and param.metavar is None:
        param.metavar = "" if param.is_flag else _word(param, ctx)
    if isinstance(param, TyperArgument) and param.metavar is None:
        several = "..." if param.nargs != 1 else ""
        shown = f"{param.name.upper()}{several}"
        param.metavar = shown
        # On the instance: Typer offers no setting for these two.
        vars(param)["display_type_rich"] = lambda ctx: None
        vars(param)["get_usage_pieces"] = lambda ctx: [shown if param.required else f"[{shown}]"]
    if isinstance(param, TyperArgument | TyperOption) and isinstance(param.show_default, str):
        param.help = f"{param.help or ''} [dim]\\[default: {param.show_default}][/dim]".lstrip()
        param.show_default = False
    return param


def _word(param: TyperOption, ctx: Any) -> str:
    kind = param.display_type(ctx).strip("<>").removesuffix(" range")
    listed = re.fullmatch(r"list\[(.*)\]", kind)
    kind = listed[1] if listed else kind
    return _WORDS.get(kind.lower(), kind)
