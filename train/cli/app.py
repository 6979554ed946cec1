"""The command line's frame: verbs that are imported when they are run, how help is laid out, `-h` and `--version`.

Typer's help names Python types (`<list[Path]>`, `--json <bool>`), puts braces around arguments and two pairs of
brackets around a default given in words. The classes here give every parameter a word instead.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import zip_longest
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.models import ArgumentInfo, OptionInfo

from train.cli.process import INTERRUPTED_SENTENCE, interrupted_status
from train.common.version import VERSION

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}
# What a person reads instead of a Python type.
_WORDS = {"path": "PATH", "file": "FILE", "directory": "FOLDER", "str": "TEXT", "int": "N", "float": "X"}


@dataclass(frozen=True)
class VerbEntry:
    """A line of a table of verbs.

    where: "module:name" of its function, or of an App for a group of verbs. summary: what lists of verbs show of it,
    the first paragraph of its docstring, which stands here so that a list imports none of the verbs. panel: the heading
    under which help lists it.
    """

    where: str
    summary: str
    panel: str | None = None


BARE = "-"
"""What an option has that was given without its value, which is allowed where its metavar is in brackets: [RUN]."""


class Command(TyperCommand):
    """A verb whose help is in words."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, put in words. Help, usage, error messages and completion all come here for them."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Typer's, and an empty word is refused, of which Typer makes the path of the current folder."""
        args = _with_bare_options(self.get_params(ctx), args)
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        # Help comes first, whatever else was typed.
        rest = super().parse_args(ctx, args)
        for param in () if ctx.resilient_parsing else self.get_params(ctx):
            value = given.get(param.name)
            if (value == "" or (isinstance(value, list | tuple) and "" in value)) and param.default != "":
                raise typer.BadParameter("it is empty; leave it out or name something.", ctx=ctx, param=param)
        return rest


class VerbGroup(TyperGroup):
    """A group of verbs whose help is in words; those of `entries` are imported when they are resolved."""

    entries: Mapping[str, VerbEntry] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in self.entries.items():
            # What help and completion read when they list verbs.
            self.commands[name] = Command(name, help=entry.summary, rich_help_panel=entry.panel)

    def get_params(self, ctx: Any) -> list[Any]:
        """See Command."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Typer's, with the verb itself. Running, its help and the completion of its options come here for it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else self.load(name), rest

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Typer's, interrupted with a sentence."""
        with _one_sentence_if_interrupted():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Typer's, interrupted with a sentence: a verb is imported here."""
        with _one_sentence_if_interrupted():
            return super().invoke(ctx)

    def load(self, name: str) -> Any:
        """A verb or group of this group, whole. Raises KeyError if there is none of this name."""
        command = self.commands[name]
        return _loaded(name, self.entries[name]) if name in self.entries else command


class App(typer.Typer):
    """A Typer app whose verbs are of the class above."""

    def command(self, name: str | None = None, **settings: Any) -> Any:
        """As Typer's, but whether a file may be read is told by whoever reads it, in one sentence."""
        made = super().command(name, cls=Command, **settings)

        def register(function: Any) -> Any:
            for hint in function.__annotations__.values():
                for mark in getattr(hint, "__metadata__", ()):
                    if isinstance(mark, OptionInfo | ArgumentInfo):
                        mark.readable = False
            return made(function)

        return register


@contextmanager
def _one_sentence_if_interrupted() -> Iterator[None]:
    """Typer says nothing of a signal that no verb has met, and forgets which it was."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(INTERRUPTED_SENTENCE, err=True)
        raise typer.Exit(interrupted_status(error)) from None


def group_of(entries: Mapping[str, VerbEntry]) -> type[VerbGroup]:
    """A group of these verbs, which lists them in this order."""
    return type("TableGroup", (VerbGroup,), {"entries": entries})


def version_option(value: bool) -> None:
    """The callback of `--version`: print it and leave."""
    if value:
        typer.echo(f"fauxlens {VERSION}")
        raise typer.Exit()


def _loaded(name: str, entry: VerbEntry) -> Any:
    module, _, attribute = entry.where.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        app = found
    else:
        app = App(add_completion=False)
        app.command(name)(found)
    return typer.main.get_command(app)


def _with_bare_options(params: list[Any], args: list[str]) -> list[str]:
    """The words of a command with BARE after each option that may stand alone and does."""
    alone = {name for one in params if (one.metavar or "").startswith("[") for name in one.opts}
    words: list[str] = []
    for word, following in zip_longest(args, args[1:]):
        words.append(word)
        if word in alone and (following is None or following.startswith("-")):
            words.append(BARE)
    return words


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
