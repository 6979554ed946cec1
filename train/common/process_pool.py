"""Work on many items: the caller's process and a pool of others share them.

Threads would be simpler, but a good part of the time that a small picture takes is Python's own work, which one thread
does at a time: to measure pictures (256 px, quality 75), two threads on two cores need 1.25 times as long as two
processes, and Pillow holds on to Python while it writes a PNG. A pool of `multiprocessing` or `concurrent.futures`
would first let every process import the program's main module, while nothing is worked on, and one process that dies
would end it. Here the caller works from the beginning, and the others join in when they are awake. They are fresh
processes, so it does not matter which threads and libraries the caller has. They end with their standard input: when
the work is done, when the caller stops, and when it is killed.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Handing over a chunk costs as much as measuring one small picture. There are so many chunks a worker, and of what is
# left so many again, that large pictures at the end do not leave the others idle.
_LARGEST_CHUNK, _CHUNKS_A_WORKER, _LAST_CHUNKS_A_WORKER = 64, 16, 4
# Seconds in which a process that is told to stop may clean up after itself. It does so when a call into C is over.
_GRACE = 10.0


def parallel_map(
    work: Callable[[Item], Answer], items: Sequence[Item], workers: int, *, few: int = 1
) -> Generator[Answer, None, None]:
    """Call `work` on every item with so many processes, this one among them; once it is closed, nothing runs on.

    The answers come in the items' order. `few` items or less are worked on by this process alone: as many as are done
    before another process is awake (0.2 s). The others know `work` by the name of its module and its own name, so it
    stands at the top of a module other than the program's own; `functools.partial` may bind arguments to it. They too,
    items and answers are pickled.

    The items of a process that dies are worked on by this one, and so are those on which `work` raises, so that the
    caller meets the error. `work` may therefore see an item twice, and may be broken off by any BaseException.
    """
    pickled_work = pickle.dumps(work)
    chunks = list(_chunks(items, max(1, workers)))
    waiting = deque(range(len(chunks)))
    answers: SimpleQueue[tuple[int, list[Answer] | None]] = SimpleQueue()
    done: dict[int, list[Answer]] = {}
    with ExitStack() as pool:
        for _ in range(1, min(workers, len(chunks)) if len(items) > few else 1):
            pool.enter_context(_worker(pickled_work, chunks, waiting, answers))
        for number in range(len(chunks)):
            while number not in done:
                # What the others have done goes first, so that the caller hears of it while the work goes on.
                if answers.empty() and (mine := _take(waiting)) is not None:
                    done[mine] = [work(item) for item in chunks[mine]]
                else:
                    other, chunk = answers.get()
                    done[other] = [work(item) for item in chunks[other]] if chunk is None else chunk
            yield from done.pop(number)


def _chunks(items: Sequence[Item], workers: int) -> Iterator[Sequence[Item]]:
    """The items in chunks that become smaller at the end, so that no process waits long for another's last one."""
    largest = min(_LARGEST_CHUNK, len(items) // (workers * _CHUNKS_A_WORKER) + 1)
    start = 0
    while start < len(items):
        size = min(largest, (len(items) - start) // (workers * _LAST_CHUNKS_A_WORKER) + 1)
        yield items[start : start + size]
        start += size


def serve_chunks() -> None:
    """Work on the chunks that come by standard input until it ends: all that a process of the pool does."""
    # Ctrl-C reaches the whole pool; what is to be done about it is the caller's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    # What anyone prints is no answer.
    channel, sys.stdout = sys.stdout.buffer, sys.stderr
    work = pickle.load(sys.stdin.buffer)
    while True:
        try:
            chunk = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump([work(item) for item in chunk], channel)
        channel.flush()


def _stop(_signal: int, _frame: object) -> NoReturn:
    # An exception, so that a file which is being written is removed.
    raise SystemExit


@contextmanager
def _worker(
    pickled_work: bytes,
    chunks: Sequence[Sequence[Any]],
    waiting: deque[int],
    answers: SimpleQueue[tuple[int, list[Any] | None]],
) -> Iterator[None]:
    """Let one more process take chunks and answer them, until the block is left."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from train.common.process_pool import serve_chunks; serve_chunks()"],
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
    driver = Thread(target=_drive, args=(process, pickled_work, chunks, waiting, answers), daemon=True)
    driver.start()
    try:
        yield
    except BaseException:
        # Broken off in the middle of a chunk.
        waiting.clear()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        raise
    finally:
        waiting.clear()
        process.kill()
        driver.join()
        process.communicate()


def _drive(
    process: "subprocess.Popen[bytes]",
    pickled_work: bytes,
    chunks: Sequence[Sequence[Any]],
    waiting: deque[int],
    answers: SimpleQueue[tuple[int, list[Any] | None]],
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    while (number := _take(waiting)) is not None:
        answer = None
        try:
            process.stdin.write(pickled_work)
            pickled_work = b""
            pickle.dump(chunks[number], process.stdin)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            return
        finally:
            # Whatever happens, or the caller would wait for ever.
            answers.put((number, answer))


def _take(waiting: deque[int]) -> int | None:
    # Asking first whether there is one would leave a moment in which another takes it.
    try:
        return waiting.popleft()
    except IndexError:
        return None
