"""How every verb talks: errors in one sentence, a bar on standard error, a table or one JSON document."""

import errno
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, Literal, ParamSpec, Protocol, TypeVar

import typer

from train.common.extras import missing_sentence

P = ParamSpec("P")
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else.")]


class Move(Protocol):
    """Move a progress bar: done, total, and a note behind its label."""

    def __call__(self, done: int, total: int, note: str = "", /) -> None: ...


def verb(*errors: type[Exception]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn `errors`, Ctrl-C and trouble with the disk into one sentence on standard error and exit status 2."""

    def around(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def told(*arguments: P.args, **options: P.kwargs) -> T:
            try:
                return function(*arguments, **options)
            except errors as error:
                sentence = str(error)
            except ModuleNotFoundError as error:
                told_of = missing_sentence(error.name)
                if told_of is None:
                    raise
                sentence = told_of
            except KeyboardInterrupt:
                sentence = (
                    "Stopped. What was finished is kept and nothing is half-written: run the same again "
                    "(`train` with --resume)."
                )
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    sentence = (
                        f"The disk is full ({error.filename or 'while writing'}): make room and run the same again."
                    )
                elif error.errno is None:
                    raise
                else:
                    sentence = f"{error.filename or 'A file'}: {error.strerror}; check the path and its permissions."
            typer.echo(sentence, err=True)
            raise typer.Exit(2)

        return told

    return around


@contextmanager
def bar(label: str, silent: bool = False, unit: Literal["pieces", "bytes"] = "pieces") -> Iterator[Move]:
    """A progress bar on standard error, if that is a terminal; the function it gives moves it.

    A total of 0 means that nobody knows it.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    left = TimeRemainingColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeElapsedColumn(), TextColumn("left"), left)
    console = Console(stderr=True)
    disable = silent or not console.is_terminal
    # Lines go above the bar where both are on a terminal; into a file they go by themselves.
    redirect = sys.stdout.isatty()
    with Progress(*columns, console=console, disable=disable, redirect_stdout=redirect) as progress:
        task = progress.add_task(label, total=None)

        def move(done: int, total: int, note: str = "", /) -> None:
            progress.update(task, completed=done, total=total or None, description=f"{label}{note}")

        yield move


def ticker(move: Move) -> Callable[[Any], None]:
    """A progress callback of a training (train.fit.epoch.Tick) that moves a bar."""

    def tick(one: Any) -> None:
        move(one.batch, one.batches, f" {one.stage} {one.epoch}/{one.epochs}, loss {one.loss:.4f}")

    return tick


def print_json(value: Any) -> None:
    """Print one JSON document; paths and the like become text."""
    typer.echo(json.dumps(value, indent=1, default=str, allow_nan=False))


def print_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table of plain text, as wide as the terminal allows; square brackets in it are text, too."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=Text(title), title_justify="left")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
