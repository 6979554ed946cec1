"""Measure many files: the caller's process and a crew of others share the work.

Threads would be simpler, but a third of the time that a small picture takes is Python's own work, which one thread
does at a time: two threads on two cores need 1.25 times as long as two processes (256 px, quality 75). A pool of
`multiprocessing` would first let every process import the program's main module, while nothing is measured. Here the
caller measures from the beginning, and the others join in when they are awake. They are fresh processes, so it does not
matter which threads and libraries the caller has. They end with their standard input: when the work is done, when the
caller stops, and when it is killed.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from train.data.measure import Measured, Refused, measure

Lot = list[Measured | Refused]

# Handing over a lot costs as much as measuring one small picture. There are so many lots a worker that large pictures
# at the end do not leave the others idle.
_LARGEST_LOT, _LOTS_A_WORKER = 64, 16
# Of fewer files even large pictures are measured by the time another process is awake.
_FEW = 64


def measure_all(paths: Sequence[str], workers: int) -> Generator[Measured | Refused, None, None]:
    """Measure files with so many processes, this one among them, in their order; once it is closed, nothing runs on.

    The files of a process that dies are measured by this one.
    """
    size = min(_LARGEST_LOT, len(paths) // (max(1, workers) * _LOTS_A_WORKER) + 1)
    lots = [paths[start : start + size] for start in range(0, len(paths), size)]
    waiting = deque(range(len(lots)))
    answers: SimpleQueue[tuple[int, Lot | None]] = SimpleQueue()
    done: dict[int, Lot] = {}
    with ExitStack() as crew:
        for _ in range(1, workers if len(paths) > _FEW else 1):
            crew.enter_context(_mate(lots, waiting, answers))
        for number in range(len(lots)):
            while number not in done:
                # What the others have done goes first, so that the caller hears of it while the work goes on.
                if answers.empty() and (mine := _take(waiting)) is not None:
                    done[mine] = _measure_lot(lots[mine])
                else:
                    other, lot = answers.get()
                    done[other] = _measure_lot(lots[other]) if lot is None else lot
            yield from done.pop(number)


def serve() -> None:
    """Measure the lots that come by standard input until it ends: all that a process of the crew does."""
    # Ctrl-C reaches the whole crew; what is to be done about it is the caller's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            lot = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_measure_lot(lot), sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextmanager
def _mate(
    lots: Sequence[Sequence[str]], waiting: deque[int], answers: SimpleQueue[tuple[int, Lot | None]]
) -> Iterator[None]:
    """Let one more process take lots and answer them, until the block is left."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from train.data.crew import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # What this process imports, that one finds.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    except OSError:
        # No more processes are to be had: then there is one fewer at work.
        yield
        return
    driver = Thread(target=_drive, args=(process, lots, waiting, answers), daemon=True)
    driver.start()
    try:
        yield
    finally:
        waiting.clear()
        process.kill()
        driver.join()
        process.communicate()


def _drive(
    process: "subprocess.Popen[bytes]",
    lots: Sequence[Sequence[str]],
    waiting: deque[int],
    answers: SimpleQueue[tuple[int, Lot | None]],
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    while (number := _take(waiting)) is not None:
        try:
            pickle.dump(lots[number], process.stdin)
            process.stdin.flush()
            answers.put((number, pickle.load(process.stdout)))
        except (OSError, EOFError, pickle.UnpicklingError):
            answers.put((number, None))
            return


def _take(waiting: deque[int]) -> int | None:
    # Asking first whether there is one would leave a moment in which another takes it.
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _measure_lot(paths: Sequence[str]) -> Lot:
    return [measure(Path(path)) for path in paths]
