"""A benchmark for people: tables of plain text that fit a terminal, and the sentences below them."""

import re
from collections import Counter
from collections.abc import Sequence

from export.benchmark.baseline_engines import LITERT, EngineComparison
from export.benchmark.benchmark_run import SETTLE, LatencyRow, Measurement
from export.benchmark.distribution import BLOCKS, Ratio
from export.benchmark.fresh import ColdStart
from export.benchmark.parts import BACKBONE

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, columns, rows."""

_LATENCY = ("", "least", "median", "p90", "p99", "spread", "ratio")
_ENGINES = ("", "version", "in int8", "equal scores", "most |dP|", "flips")
_STARTS = ("", "Python", "import", "open", "score", "all", "MiB", "model")


def measurement_tables(found: Measurement) -> list[Table]:
    """What `print_table` prints, one after the other."""
    counts = dict.fromkeys(row.threads for row in found.rows)
    shown: list[Table] = [
        (f"{_threads(count)}, ms a picture", _LATENCY, [_latency(row) for row in _ordered(found, count)])
        for count in counts
    ]
    if found.comparisons:
        title = f"{found.probe} in other engines: convolutions in int8, scores against LiteRT's"
        shown.append((title, _ENGINES, [_engine(one) for one in found.comparisons]))
    if found.starts:
        title = "from a fresh process to the first score, ms; peak memory, MiB"
        shown.append((title, _STARTS, [_start(name, one) for name, one in found.starts.items()]))
    return shown


def notes(found: Measurement) -> list[str]:
    """The sentences below the tables; a warning comes last."""
    name, threads = found.baseline
    invocations = found.rows[0].latency.invocations
    said = [f"{found.bundle} ships {found.default}; pictures are {found.view}."]
    if found.probe and found.whole:
        said.append(f"All of {found.probe}, as a multiple of its {BACKBONE}: {_by_threads(found.whole)}.")
    said += found.left_out
    said.append(
        f"All run in turn in one process, {invocations} rounds in random order, with {SETTLE} untimed invocations "
        f"before each timed one. Ratio: of medians, to {name} with {_threads(threads)}. Spread: range of the medians "
        f"of {BLOCKS} blocks of rounds."
    )
    said += [sentence for one in found.comparisons if (sentence := _in_float(one, found.comparisons))]
    if found.starts:
        starts = next(iter(found.starts.values())).starts
        said.append(
            f"New processes: medians of {starts}, one thread, files already in the system's cache; MiB in addition "
            "to Python's own, and how many of these are for the model; the rest is packages."
        )
    said.append(found.conditions.sentence)
    return [*said, found.conditions.warning] if found.conditions.warning else said


def _ordered(found: Measurement, threads: int) -> list[LatencyRow]:
    """The rows of a number of threads; parts stand below what they are parts of."""
    rows = [row for row in found.rows if row.threads == threads]
    parts = [row for row in rows if row.kind == "part"]
    ordered = []
    for row in rows:
        ordered += [row] if row.kind != "part" else []
        ordered += parts if row.name == found.probe else []
    return ordered


def _latency(row: LatencyRow) -> tuple[str, ...]:
    one = row.latency
    name = f"  {row.name}" if row.kind == "part" else row.name
    times = (f"{value:.2f}" for value in (one.least, one.median, one.p90, one.p99))
    return (name, *times, f"{one.spread:.0%}", f"{row.ratio.value:.2f}")


def _by_threads(ratios: dict[int, Ratio]) -> str:
    return ", ".join(
        f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f} over blocks) with {_threads(count)}"
        for count, one in ratios.items()
    )


def _engine(one: EngineComparison) -> tuple[str, ...]:
    found = one.agreement
    return (
        one.compared.name,
        one.version,
        f"{one.convolutions.int8} of {one.convolutions.count}",
        f"{found.equal} of {found.pictures}",
        f"{found.largest:.4f}",
        str(found.flips),
    )


def _in_float(one: EngineComparison, comparisons: Sequence[EngineComparison]) -> str | None:
    """One sentence on the convolutions that an engine computes in float."""
    names = Counter(re.sub(r"_\d+$", "", name) for name in one.convolutions.in_float)
    listed = ", ".join(f"{count} {name}" if count > 1 else name for name, count in names.items())
    if one.compared.name == LITERT.name:
        return f"In float in the detector file itself: scale, head ({listed}), calibration and heatmap."
    own = next((other for other in comparisons if other.compared.name == LITERT.name), None)
    if own is None or one.convolutions.int8 >= own.convolutions.int8:
        return None
    return f"{one.compared.name} computes more convolutions in float than LiteRT, in its own names: {listed}."


def _start(name: str, one: ColdStart) -> tuple[str, ...]:
    memory = one.memory
    steps = (one.python, one.packages, one.opening, one.first, one.total)
    shares = (memory.above_python, memory.model) if memory else (None, None)
    return (name, *("-" if value is None else f"{value:.0f}" for value in (*steps, *shares)))


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
