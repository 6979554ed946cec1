"""One run of `fauxlens benchmark`: variants, parts and engines timed in turns, and started in new processes."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from export.artifacts.bundle import Bundle
from export.artifacts.description import BALANCED
from export.artifacts.trial import admit
from export.benchmark.baseline_engines import (
    BASELINE_ENGINES,
    LITERT,
    BaselineEngine,
    EngineComparison,
    compare_engines,
)
from export.benchmark.distribution import Distribution, Ratio, ratio, summarise
from export.benchmark.engines import ENGINES
from export.benchmark.fresh import STARTS, ColdStart, StartedModel, cold_starts
from export.benchmark.latency import THREADS, Turn, allocate, take_turns, turn_of
from export.benchmark.load import Conditions, Watch
from export.benchmark.parts import BACKBONE, NetworkPart, cut_parts
from export.runtimes.litert import open_detector_file
from train.common.errors import ExportError
from train.common.progress import LogCallback

ROUNDS = 200
SETTLE = 2
"""Invocations before each timed one: what is compared is the arithmetic, not how much of the caches others left."""

Kind = Literal["variant", "part", "yardstick"]
_Key = tuple[str, int]


@dataclass(frozen=True)
class LatencyRow:
    """How long one thing takes with a number of threads; `ratio` is to the baseline."""

    name: str
    kind: Kind
    threads: int
    latency: Distribution
    ratio: Ratio


@dataclass(frozen=True)
class Measurement:
    """A benchmark of one bundle.

    baseline: name and threads of the row whose ratio is 1. probe: the int8 variant that parts and baseline engines are
    of, None where there is none. whole: the probe by its bare backbone, for each number of threads. left_out: a
    sentence for everything that could not be measured.
    """

    bundle: str
    default: str
    view: str
    baseline: tuple[str, int]
    probe: str | None
    rows: tuple[LatencyRow, ...]
    whole: dict[int, Ratio]
    starts: dict[str, ColdStart]
    comparisons: tuple[EngineComparison, ...]
    left_out: tuple[str, ...]
    conditions: Conditions


def measure_bundle(
    bundle: Bundle,
    name: str,
    *,
    variants: Sequence[str] = (),
    threads: Sequence[int] = THREADS,
    rounds: int = ROUNDS,
    starts: int = STARTS,
    engines: Sequence[BaselineEngine] = BASELINE_ENGINES,
    log: LogCallback = lambda line: None,
) -> Measurement:
    """Benchmark a bundle, all its variants where none is chosen; `name` is what it is called, `starts` 0 leaves out
    cold starts. Raises ExportError for an unknown variant and for numbers that make no sense."""
    chosen = variants_to_measure(bundle, variants)
    if not threads or min(threads) < 1 or rounds < 1 or starts < 0:
        raise ExportError("Threads and rounds are numbers from 1, starts from 0: give such numbers.")
    baseline = (bundle.default if bundle.default in chosen else chosen[0], min(threads))
    probe = next((one for one in sorted(chosen, key=lambda one: one != bundle.default) if one.endswith("int8")), None)
    watch, views = Watch(), bundle.references.views
    with tempfile.TemporaryDirectory(prefix="fauxlens-benchmark-") as temporary:
        folder = Path(temporary)
        files = {one: folder / f"{one}.tflite" for one in chosen}
        for one, path in files.items():
            admit(bundle.variants[one], f"{name}: {one}")
            path.write_bytes(bundle.variants[one])
        comparisons, parts, left_out = _of_the_probe(bundle, probe, files, engines, log)
        subjects = {one: StartedModel("LiteRT", path) for one, path in files.items()}
        timed = [one for one in comparisons if one.compared is not LITERT and not one.refusal]
        subjects |= {one.compared.name: StartedModel(one.compared.engine, one.path) for one in timed}
        log(f"timing {len(subjects)} networks and {len(parts)} parts, {rounds} rounds")
        taken = take_turns(_turns(subjects, parts, threads, views[:1]), rounds, settle=SETTLE)
        started: dict[str, ColdStart] = {}
        if starts:
            log(f"starting {len(subjects) * (1 + starts)} fresh processes")
            batch = folder / "batch.npy"
            np.save(batch, views[:1])
            started = cold_starts(subjects, batch, starts)
    latencies = {key: summarise(milliseconds) for key, milliseconds in taken.items()}
    kinds: dict[str, Kind] = {part.name: "part" for part in parts}
    for one in files:
        kinds[one] = "variant"
    return Measurement(
        bundle=name,
        default=bundle.default,
        view=bundle.descriptions[baseline[0]].view,
        baseline=baseline,
        probe=probe,
        rows=tuple(
            LatencyRow(key[0], kinds.get(key[0], "yardstick"), key[1], one, ratio(one, latencies[baseline]))
            for key, one in latencies.items()
        ),
        whole={count: ratio(latencies[probe, count], latencies[BACKBONE, count]) for count in threads}
        if probe and parts
        else {},
        starts=started,
        comparisons=comparisons,
        left_out=left_out,
        conditions=watch.conditions(),
    )


def variants_to_measure(bundle: Bundle, variants: Sequence[str]) -> tuple[str, ...]:
    """The variants to measure, the default first, each once. Raises ExportError for one that the bundle has not."""
    for one in variants:
        if one not in bundle.variants:
            there = ", ".join(sorted(bundle.variants))
            raise ExportError(f"The bundle has no variant {one!r}; choose one of {there}.")
    wanted = dict.fromkeys(variants) or dict.fromkeys(sorted(bundle.variants))
    return tuple(sorted(wanted, key=lambda one: one != bundle.default))


def measurement_document(found: Measurement) -> dict[str, Any]:
    """A measurement for JSON; times are milliseconds, memory MiB."""
    rows = [asdict(row) | {"latency": asdict(row.latency) | {"spread": row.latency.spread}} for row in found.rows]
    # Format 1 calls the comparisons held, and the engine of each a yardstick.
    held = [{**asdict(one), "yardstick": asdict(one.compared), "path": one.path.name} for one in found.comparisons]
    document = {"format": 1, **asdict(found), "rows": rows, "held": held, "warning": found.conditions.warning}
    del document["comparisons"]
    for plain in held:
        del plain["compared"]
    return document


def _of_the_probe(
    bundle: Bundle,
    probe: str | None,
    files: Mapping[str, Path],
    engines: Sequence[BaselineEngine],
    log: LogCallback,
) -> tuple[tuple[EngineComparison, ...], tuple[NetworkPart, ...], tuple[str, ...]]:
    """Baseline engines and parts of the int8 variant, and a sentence for each that is left out."""
    if probe is None:
        return (), (), ("Parts and baseline engines are skipped: they are of an int8 variant, and none was chosen.",)
    tflite, views = bundle.variants[probe], bundle.references.views
    wanted = open_detector_file(tflite, name=probe)(views)
    threshold = bundle.descriptions[probe].operating_points[BALANCED].fake_from
    comparisons, left_out = compare_engines(
        files[probe], views, wanted, threshold, bundle.tolerances.runtime, log, engines
    )
    refusals = tuple(one.refusal for one in comparisons if one.refusal)
    try:
        parts = cut_parts(tflite, views[0], probe)
    except ExportError as error:
        return comparisons, (), (*left_out, *refusals, str(error))
    return comparisons, parts, (*left_out, *refusals)


def _turns(
    subjects: Mapping[str, StartedModel], parts: Sequence[NetworkPart], threads: Sequence[int], batch: np.ndarray
) -> dict[_Key, Turn]:
    turns: dict[_Key, Turn] = {}
    for name, subject in subjects.items():
        for count in threads:
            opened = ENGINES[subject.engine].open(subject.path, count)
            turns[name, count] = Turn(partial(opened.feed, batch), opened.invoke)
    for part in parts:
        for count in threads:
            turns[part.name, count] = turn_of(allocate(part.tflite, count), part.batch)
    return turns
