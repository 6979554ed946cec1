"""How every verb talks: errors in one sentence, a bar on standard error, a table or one JSON document."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, ParamSpec, Protocol, TypeVar

import typer

from train.cli.expected import NO_MEMORY, expected_sentence
from train.cli.limited_memory import short_of_memory
from train.cli.outputs import check_outputs
from train.cli.process import (
    BROKEN_PIPE,
    FAULT,
    INTERRUPTED_SENTENCE,
    debugging,
    fault_sentence,
    interrupted_status,
    leave_pipe,
)
from train.cli.table_layout import column_widths
from train.common.errors import PlaceError
from train.common.text import printable

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else.")]


class ShowProgress(Protocol):
    """Show on a progress bar: done, total, and a note behind its label. Also a `ProgressCallback`."""

    def __call__(self, done: int, total: int, note: str = "", /) -> None: ...


def verb(*errors: type[Exception]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn whatever ends a verb into one sentence on standard error and an exit status (docs/formats.md).

    The places that it writes to (train.cli.outputs) are checked first.

    2 for `errors` and for trouble with the disk or memory, 130 for Ctrl-C, 143 and 129 for SIGTERM and SIGHUP, 141
    without a word where the reader of standard output has gone, 70 for a fault of Fauxlens.
    """

    known: tuple[type[Exception], ...] = (PlaceError, *errors)

    def around(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def guarded(*arguments: P.args, **options: P.kwargs) -> T:
            try:
                check_outputs(function, arguments, options)
                return function(*arguments, **options)
            except (typer.Exit, typer.Abort, typer.BadParameter):
                raise
            except BrokenPipeError:
                leave_pipe()
                raise typer.Exit(BROKEN_PIPE) from None
            except known as error:
                sentence, status = str(error), 2
            except Exception as error:
                # Libraries that get no memory or no thread raise what they like, RuntimeError and SystemError too.
                expected = expected_sentence(error) or (NO_MEMORY if short_of_memory() else None)
                if expected is None and debugging():
                    raise
                sentence, status = (expected, 2) if expected else (fault_sentence(error), FAULT)
            except KeyboardInterrupt as error:
                if short_of_memory():
                    sentence, status = NO_MEMORY, 2
                else:
                    sentence, status = INTERRUPTED_SENTENCE, interrupted_status(error)
            typer.echo(printable(sentence), err=True)
            raise typer.Exit(status)

        return guarded

    return around


def console() -> "Console":
    """A console for tables on standard output, which lets a reader that has gone be met like everywhere else."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain()


def command(*words: object) -> str:
    """A command of Fauxlens as a shell reads it: names with blanks in them are quoted."""
    return " ".join(map(_quoted, ["fauxlens", *map(str, words)]))


def _quoted(word: str) -> str:
    """A word for a shell; what a line cannot show stands as bytes in quotes that bash, zsh and ksh read, $'...'."""
    if printable(word) == word:
        return shlex.quote(word)
    shown = ""
    for one in word:
        if printable(one) != one:
            shown += "".join(f"\\x{byte:02x}" for byte in os.fsencode(one))
        else:
            shown += f"\\{one}" if one in "'\\" else one
    return f"$'{shown}'"


_BARS: "list[Console]" = []
"""The consoles of the bars that are on a terminal now, the innermost last."""


@contextmanager
def bar(label: str, silent: bool = False, unit: Literal["pieces", "bytes"] = "pieces") -> Iterator[ShowProgress]:
    """A progress bar on standard error, if that is a terminal; the function it gives sets it.

    A total of 0 means that nobody knows it.
    """
    from rich.console import Console
    from rich.progress import Progress

    from train.cli.bar_columns import bar_columns

    console = Console(stderr=True)
    disable = silent or not console.is_terminal
    # Lines go above the bar where both are on a terminal; into a file they go by themselves.
    redirect = sys.stdout.isatty()
    with Progress(*bar_columns(unit), console=console, disable=disable, redirect_stdout=redirect) as progress:
        task = progress.add_task(label, total=None)

        def show(done: int, total: int, note: str = "", /) -> None:
            progress.update(task, completed=done, total=total or None, description=printable(f"{label}{note}"))

        if disable:
            yield show
            return
        _BARS.append(console)
        try:
            yield show
        finally:
            _BARS.remove(console)
            # Work that there was none of, or that counted nothing, leaves no bar at nought.
            progress.update(task, visible=bool(progress.tasks[0].completed))


def batch_callback(show: ShowProgress) -> Callable[[Any], None]:
    """A callback for every batch of a training (train.fit.epoch.BatchProgress) that sets a bar."""

    def show_batch(one: Any) -> None:
        show(one.done, one.total, f" {one.stage} {one.epoch}/{one.epochs}, loss {one.loss:.4f}")

    return show_batch


def print_lines(*lines: object, err: bool = False) -> None:
    """Print each value as one line, whatever the names in it are: what would break a line or turn it is escaped."""
    text = "\n".join(printable(str(line)) for line in lines)
    if err and _BARS:
        from rich.text import Text

        # Click finds its own way to standard error, past the bar: its line would go on where the bar ends.
        _BARS[-1].print(Text(text), soft_wrap=True)
        return
    typer.echo(text, err=err)


def print_json(value: Any) -> None:
    """Print one JSON document; paths and the like become text."""
    typer.echo(json.dumps(value, indent=1, default=str, allow_nan=False))


def print_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table of plain text, as wide as the terminal allows; square brackets in it are text, too.

    Nothing is cut: long names go on in the next line, and where the columns do not fit, each row is a list of lines.
    """
    from rich.table import Table
    from rich.text import Text

    shown = [["\n".join(map(printable, cell.split("\n"))) for cell in row] for row in rows]
    terminal = console()
    widths = column_widths(columns, shown, terminal.width)
    if widths is None:
        print_lines(title)
        for row in shown:
            print_lines("", *(f"{name}: {' '.join(cell.split())}" for name, cell in zip(columns, row, strict=True)))
        return
    table = Table(title=Text(printable(title)), title_justify="left")
    for name, width in zip(columns, widths, strict=True):
        table.add_column(Text(name), overflow="fold", width=width)
    for row in shown:
        table.add_row(*map(Text, row))
    terminal.print(table)
