"""The process that a verb runs in: its streams, its environment, its signals, and how it ends."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from train.cli.expected import NO_MEMORY, expected_sentence
from train.cli.limited_memory import run_watched, short_of_memory, tell_end
from train.common.places import cache_folder, home_folder

WRONG, INTERRUPTED, FAULT, BROKEN_PIPE = 2, 130, 70, 141
"""Exit statuses: wrong input or no room for output, Ctrl-C (128 + 2), a fault of Fauxlens (EX_SOFTWARE of sysexits.h),
a reader that left (128 + 13)."""
INTERRUPTED_SENTENCE = (
    "Interrupted. Completed work is saved; run the same command again to continue (train: --resume RUN)."
)
_DEBUG = "FAUXLENS_DEBUG"


class Stopped(KeyboardInterrupt):
    """The process was asked to end by a signal other than Ctrl-C; everything cleans up as it does then."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def run_app(app: Callable[..., Any]) -> None:
    """Run the command line `app` and end the process with its status."""
    _open_missing_streams()
    status = run_watched()
    if status is not None:
        sys.exit(status)
    try:
        _run_here(app)
    finally:
        tell_end()


def _run_here(app: Callable[..., Any]) -> None:
    if "--debug" in sys.argv[1:]:
        sys.argv.remove("--debug")
        os.environ[_DEBUG] = "1"
    _prepare_streams()
    _prepare_environment()
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        # As Python has it: while modules were loaded, it ended the process at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # `nohup` has it ignored, and so it stays.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    try:
        app(prog_name="fauxlens")
        status: Any = 0
    except SystemExit as leaving:
        status = leaving.code
    except KeyboardInterrupt as error:
        status = interrupted_status(error)
        print(INTERRUPTED_SENTENCE, file=sys.stderr)
    except BaseException as error:
        # Polars panics in Rust where it gets no thread: that is no Exception.
        sentence = expected_sentence(error) or (NO_MEMORY if short_of_memory() else None)
        if sentence is None and debugging():
            raise
        status = WRONG if sentence else FAULT
        print(sentence or fault_sentence(error), file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        leave_pipe()
        status = BROKEN_PIPE
    except OSError as error:
        leave_pipe()
        if not status:
            status = WRONG
            print(expected_sentence(error), file=sys.stderr)
    sys.exit(status)


def debugging() -> bool:
    """Whether --debug was given: then a fault of Fauxlens shows its traceback."""
    return os.environ.get(_DEBUG) == "1"


def debug_option(value: bool) -> None:
    """The callback of `--debug` where it reaches the parser."""
    if value:
        os.environ[_DEBUG] = "1"


def fault_sentence(error: BaseException) -> str:
    """What a person is told about a fault that nobody foresaw."""
    reason = " ".join(str(error).split())[:200]
    what = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return (
        f"Internal error of Fauxlens ({what}): run the command again with --debug and report the output  "
        "(see CONTRIBUTING.md)."
    )


def leave_pipe() -> None:
    """Send what is still to be written to nowhere, after the reader of standard output has gone."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _open_missing_streams() -> None:
    """Open what was closed by the caller (`>&-`) on nowhere: the next file would get its number, and what is printed.

    Python has None for such a stream.
    """
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_RDWR)
                if nowhere != number:
                    os.dup2(nowhere, number)
                    os.close(nowhere)
                # As Python's own streams, it stays open to the end.
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _prepare_streams() -> None:
    """Let no name of a file end a run because the console has no letter for it: it is shown by its code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _prepare_environment() -> None:
    # A notebook sets it to a module of its own environment; the figures here are files and need no backend.
    os.environ["MPLBACKEND"] = "agg"
    if home_folder() is None:
        # Keras, Matplotlib and the hubs' clients ask for a home when they are imported.
        home = cache_folder()
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if hasattr(os, "getuid") and home.stat().st_uid != os.getuid():
                raise PermissionError
        except OSError:
            home = Path(tempfile.mkdtemp(prefix="fauxlens-"))
        os.environ["HOME"] = str(home)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)


def interrupted_status(error: KeyboardInterrupt) -> int:
    """The exit status after Ctrl-C or another signal."""
    return error.status if isinstance(error, Stopped) else INTERRUPTED
