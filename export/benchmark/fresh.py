"""Cold starts: how long a fresh process takes to the first score, step by step, and how much memory it needs."""

import itertools
import json
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from export.benchmark.worker_process import run_worker

STARTS = 5
"""Fresh processes of each model that count, after one that does not: it brings the files into the system's memory."""


@dataclass(frozen=True)
class StartedModel:
    """What a fresh process opens: an engine of ENGINES and its file."""

    engine: str
    path: Path


@dataclass(frozen=True)
class Memory:
    """Peak resident memory in MiB, medians: of Python alone; what came on top until the packages were imported, and
    what came on top of that until the first score was there."""

    python: float
    packages: float
    model: float

    @property
    def above_python(self) -> float:
        """The peak above what Python takes by itself."""
        return self.packages + self.model


@dataclass(frozen=True)
class ColdStart:
    """Milliseconds, medians over `starts` fresh processes, each step by itself: until Python runs, the packages are
    imported, the file is opened, the first score is there. `total` is the median of the whole, `least` and `most` its
    extremes. memory: None where the system does not tell.
    """

    python: float
    packages: float
    opening: float
    first: float
    total: float
    least: float
    most: float
    memory: Memory | None
    starts: int


def cold_starts(subjects: Mapping[str, StartedModel], batch: Path, starts: int = STARTS) -> dict[str, ColdStart]:
    """Start every subject on one thread so often, in turns whose order is drawn anew; `batch` is uint8 [1, S, S, 3]."""
    steps: dict[str, list[list[float]]] = {name: [] for name in subjects}
    peaks: dict[str, list[list[int]]] = {name: [] for name in subjects}
    draw, order = random.Random(0), list(subjects)
    for number in range(1 + starts):
        draw.shuffle(order)
        for name in order:
            subject = subjects[name]
            # The monotonic clock is the system's, so another process's readings can be compared with it.
            started = time.monotonic_ns()
            answer = json.loads(run_worker("fresh_worker", subject.engine, subject.path, batch, 1))
            if number:
                at = [started, *answer["at"]]
                steps[name].append([(end - begin) / 1e6 for begin, end in itertools.pairwise(at)])
                peaks[name].extend([answer["peak"]] if answer["peak"] else [])
    return {name: _summary(steps[name], peaks[name]) for name in subjects}


def _summary(steps: list[list[float]], peaks: list[list[int]]) -> ColdStart:
    python, packages, opening, first = (statistics.median(step) for step in zip(*steps, strict=True))
    totals = [sum(step) for step in steps]
    return ColdStart(
        python,
        packages,
        opening,
        first,
        statistics.median(totals),
        min(totals),
        max(totals),
        _memory(peaks) if peaks else None,
        len(steps),
    )


def _memory(peaks: list[list[int]]) -> Memory:
    rises = [(begun, imported - begun, scored - imported) for begun, imported, _, scored in peaks]
    python, packages, model = (statistics.median(rise) / 1024 for rise in zip(*rises, strict=True))
    return Memory(python, packages, model)
