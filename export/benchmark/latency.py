"""How long detectors take in this process: all of them in turn, so that whatever slows the machine slows all alike."""

import os
import platform
import random
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from export.artifacts.trial import admit
from train.common.quiet import native_chatter_hidden

THREADS = (1, 2)
ROUNDS, WARM_UP = 100, 10

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one invocation with a number of threads: median, 10th and 90th percentile of `invocations`."""

    threads: int
    median: float
    p10: float
    p90: float
    invocations: int


@dataclass(frozen=True)
class Turn:
    """One model of several that take turns: `feed` gives it its input, which is not timed, `invoke` runs it."""

    feed: Callable[[], object]
    invoke: Callable[[], object]


@dataclass(frozen=True)
class BenchmarkMachine:
    """Where latencies were measured: processor, how many of it, and the load (processes that wanted to run, 1 min)."""

    processor: str
    processors: int
    load: float

    @property
    def sentence(self) -> str:
        """For the foot of a table."""
        return (
            f"Latencies are of {self.processors} processors {self.processor} at a load of {self.load:.1f}, "
            "LiteRT with XNNPACK; latencies on a phone will differ."
        )


def this_machine() -> BenchmarkMachine:
    """The machine that this process runs on, now."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return BenchmarkMachine(
        named or platform.processor() or platform.machine(), os.cpu_count() or 1, os.getloadavg()[0]
    )


def measure_latency(
    detectors: Mapping[str, bytes], view: np.ndarray, *, threads: Sequence[int] = THREADS, rounds: int = ROUNDS
) -> dict[str, tuple[Latency, ...]]:
    """Time sealed detector files on one view uint8 [S, S, 3]: a Latency for each number of threads, by name.

    Every round invokes each detector once with each number of threads, in an order drawn anew (seed 0); the first
    rounds warm up and are not counted. Only the invocation is timed, not the copying of views and outputs.
    """
    loaded = {
        (name, count): load_with_threads(tflite, name, count) for name, tflite in detectors.items() for count in threads
    }
    taken = take_turns({key: turn_of(interpreter, view[np.newaxis]) for key, interpreter in loaded.items()}, rounds)
    return {name: tuple(_summary(count, taken[name, count]) for count in threads) for name in detectors}


def take_turns(turns: Mapping[Key, Turn], rounds: int, *, settle: int = 0) -> dict[Key, list[float]]:
    """Milliseconds of every invocation in order of time, `rounds` of each, in rounds as in `measure_latency`.

    settle: invocations before each timed one, not timed. Without any, a model finds the processor's caches full of the
    others' weights, the more so the more models take turns.
    """
    taken: dict[Key, list[float]] = {key: [] for key in turns}
    draw = random.Random(0)
    order = list(turns)
    for number in range(WARM_UP + rounds):
        draw.shuffle(order)
        for key in order:
            turn = turns[key]
            for _ in range(settle):
                turn.feed()
                turn.invoke()
            turn.feed()
            start = time.perf_counter_ns()
            turn.invoke()
            if number >= WARM_UP:
                taken[key].append((time.perf_counter_ns() - start) / 1e6)
    return taken


def turn_of(interpreter: Any, batch: np.ndarray) -> Turn:
    """A turn of an allocated LiteRT interpreter with one input, which is given `batch`."""
    place = interpreter.get_input_details()[0]["index"]
    return Turn(lambda: interpreter.set_tensor(place, batch), interpreter.invoke)


def load_with_threads(tflite: bytes, name: str, threads: int) -> Any:
    """The allocated LiteRT interpreter of a sealed detector file, with XNNPACK; `name` is what errors call it."""
    admit(tflite, name)
    return allocate(tflite, threads)


def allocate(tflite: bytes, threads: int) -> Any:
    """The same for a model whose bytes come from this process; LiteRT may crash on damaged ones."""
    from ai_edge_litert.interpreter import Interpreter

    with native_chatter_hidden():
        interpreter = Interpreter(model_content=tflite, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


def _summary(threads: int, milliseconds: Sequence[float]) -> Latency:
    p10, median, p90 = (float(value) for value in np.percentile(milliseconds, [10, 50, 90]))
    return Latency(threads, median, p10, p90, len(milliseconds))
