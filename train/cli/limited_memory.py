"""A limit on this process's memory (`ulimit -v`), under which libraries end the process instead of raising an error.

OpenBLAS leaves by exit status 1 or asks for memory for ever, others end by SIGSEGV or SIGABRT. So where there is a
limit, the verb runs in a process of its own, whose end is told by this one.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from train.cli.expected import NO_MEMORY

LEAST = 768 << 20
"""Bytes below which OpenBLAS has been seen to ask for ever; `detect` needs about as much."""
_WATCHED, _ENDED = "FAUXLENS_WATCHED", b"."


def memory_limit() -> int | None:
    """The bytes of address space that this process may have; None where it has no limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        return None if limit == resource.RLIM_INFINITY else limit
    return None


def short_of_memory() -> bool:
    """Whether this process has nearly used up a limit on its memory.

    OpenBLAS, which NumPy brings, sends its own process Ctrl-C's signal where it gets no thread for want of memory.
    """
    limit = memory_limit()
    if limit is None:
        return False
    with suppress(OSError, ValueError, IndexError):
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        return limit - used < 512 << 20
    return False


def run_watched() -> int | None:
    """Where there is a limit, run this very command in another process and return its exit status; else None.

    The other process, which calls this too, gets None, and tells by `tell_end` that it ended by itself: any other end
    is a lack of memory.
    """
    limit = memory_limit()
    if limit is None or _WATCHED in os.environ:
        return None
    if limit < LEAST:
        print(f"{NO_MEMORY} The limit is {limit >> 20:,} MB, and {LEAST >> 20:,} are needed at least.", file=sys.stderr)
        return 2
    # Only here: it would make the start of every verb longer.
    import subprocess

    reader, writer = os.pipe()
    # One thread of OpenBLAS takes less than one a core.
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ, _WATCHED: str(writer)}
    command = [sys.executable, *sys.orig_argv[1:]]
    with subprocess.Popen(command, env=environment, pass_fds=[writer]) as running:
        os.close(writer)

        def hand_on(number: int, _frame: FrameType | None) -> None:
            running.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, hand_on)
        # Ctrl-C reaches both.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = running.wait()
    with os.fdopen(reader, "rb") as answer:
        if answer.read(1) == _ENDED:
            return status
    print(NO_MEMORY, file=sys.stderr)
    return 2


def tell_end() -> None:
    """Tell the process that looks after this one, if there is one, that this one ends by itself."""
    writer = os.environ.pop(_WATCHED, None)
    if writer is not None:
        with suppress(OSError, ValueError):
            os.write(int(writer), _ENDED)
