from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.slim import slim_bundle
from export.benchmark.baseline_engines import BaselineEngine, why_absent
from export.benchmark.benchmark_run import Measurement, measure_bundle, measurement_document
from export.benchmark.distribution import BLOCKS, ratio, summarise
from export.benchmark.latency import BenchmarkMachine
from export.benchmark.load import Conditions, Watch
from export.benchmark.parts import BACKBONE, FRONT, HEAD
from export.benchmark.table import measurement_tables, notes
from export.cli.benchmark import parse_threads
from train.common.errors import ExportError
from train.common.own_files import BENCHMARK

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

ROOT = Path(__file__).parents[3]
ABSENT = BaselineEngine("abacus", "abacus", ".tflite", ("no_such_package",))


@pytest.fixture(scope="module")
def found(tiny: Tiny) -> Measurement:
    """A short run without baseline engines."""
    return measure_bundle(tiny.bundle, "a bundle", rounds=20, starts=1, engines=())


def test_everything_is_timed_with_every_number_of_threads(found: Measurement) -> None:
    timed = {(row.name, row.threads): row for row in found.rows}
    names = ("ptq-int8", "float32", FRONT, BACKBONE, HEAD)
    assert set(timed) == {(name, threads) for name in names for threads in (1, 2)}
    for row in found.rows:
        one = row.latency
        assert 0 < one.least <= one.median <= one.p90 <= one.p99
        assert one.invocations == 20
        assert len(one.blocks) == BLOCKS


def test_ratios_are_of_the_medians_shown(found: Measurement) -> None:
    medians = {(row.name, row.threads): row.latency.median for row in found.rows}
    assert found.baseline == ("ptq-int8", 1)
    for row in found.rows:
        assert row.ratio.value == medians[row.name, row.threads] / medians[found.baseline]
        assert row.ratio.low <= row.ratio.high
    for threads, whole in found.whole.items():
        assert whole.value == medians["ptq-int8", threads] / medians[BACKBONE, threads]
    baseline = next(row for row in found.rows if (row.name, row.threads) == found.baseline)
    assert (baseline.ratio.value, baseline.ratio.low, baseline.ratio.high) == (1, 1, 1)


def test_a_fresh_process_is_told_step_by_step(found: Measurement) -> None:
    assert list(found.starts) == ["ptq-int8", "float32"]
    for one in found.starts.values():
        steps = (one.python, one.packages, one.opening, one.first)
        assert min(steps) > 0
        # A single start, so the medians of the steps are its own steps.
        assert one.least == one.total == one.most == pytest.approx(sum(steps))
        if sys.platform == "linux":
            assert one.memory is not None
            assert one.memory.python > 1
            assert one.memory.above_python == one.memory.packages + one.memory.model > 1


def test_the_baseline_is_the_default_where_it_was_chosen(tiny: Tiny) -> None:
    found = measure_bundle(tiny.bundle, "x", variants=["float32"], threads=(2,), rounds=1, starts=0, engines=())
    assert found.baseline == ("float32", 2)
    assert [(row.name, row.threads) for row in found.rows] == [("float32", 2)]
    assert found.starts == {}
    assert found.whole == {}
    assert any("int8" in sentence for sentence in found.left_out)


def test_without_the_extra_one_line_says_so(tiny: Tiny) -> None:
    found = measure_bundle(tiny.bundle, "x", variants=["ptq-int8"], threads=(1,), rounds=1, starts=0, engines=(ABSENT,))
    sentence = why_absent(ABSENT)
    assert sentence == "abacus is skipped: no_such_package not installed; pip install '.[benchmark]'"
    assert found.left_out == (sentence,)
    assert sentence in notes(found)
    assert "abacus" not in {row.name for row in found.rows}


def test_the_tables_show_every_row_once_and_parts_below_their_whole(found: Measurement) -> None:
    first, second, *_ = measurement_tables(found)
    for title, columns, rows in measurement_tables(found):
        assert title
        assert all(len(row) == len(columns) for row in rows)
    assert [row[0] for row in first[2]] == ["ptq-int8", f"  {FRONT}", f"  {BACKBONE}", f"  {HEAD}", "float32"]
    assert len(first[2]) + len(second[2]) == len(found.rows)
    assert first[2][0][-1] == "1.00"
    assert found.conditions.sentence in notes(found)


def test_it_can_be_written_as_json(found: Measurement) -> None:
    text = json.dumps(measurement_document(found), allow_nan=False)
    plain = json.loads(text)
    assert BENCHMARK in text[: 1 << 16].encode()
    assert plain["format"] == 1
    assert plain["baseline"] == ["ptq-int8", 1]
    assert len(plain["rows"]) == len(found.rows)
    for row in plain["rows"]:
        blocks, median = row["latency"]["blocks"], row["latency"]["median"]
        assert row["latency"]["spread"] == (max(blocks) - min(blocks)) / median
    (own,) = plain["held"]
    assert set(own) == {"yardstick", "path", "version", "agreement", "convolutions", "refusal"}
    assert own["yardstick"]["name"] == "LiteRT"


def test_a_run_that_slows_down_has_a_spread() -> None:
    steady, slowing = summarise([2.0] * 50), summarise([2.0] * 25 + [4.0] * 25)
    assert steady.spread == 0
    assert slowing.spread == pytest.approx(2 / 3)
    against = ratio(slowing, steady)
    assert (against.low, against.value, against.high) == (1.0, 1.5, 2.0)


def test_a_single_invocation_is_a_run() -> None:
    assert summarise([3.0]).blocks == (3.0,)


def test_a_busy_machine_is_warned_of() -> None:
    machine = BenchmarkMachine("some processor", 2, 1.5)
    assert Conditions(machine, 10.0, 1.2, 0.3).warning is None
    warning = Conditions(machine, 10.0, 1.2, 0.8).warning
    assert warning is not None
    assert "0.8 of 2 processors" in warning
    # Without /proc/stat the load is compared with our own work.
    assert Conditions(machine, 10.0, 1.2, None).warning is None
    assert Conditions(machine, 10.0, 0.2, None).warning is not None


def test_own_work_is_not_that_of_others() -> None:
    watch = Watch()
    np.linalg.svd(np.random.default_rng(0).normal(size=(200, 200)))
    conditions = watch.conditions()
    assert conditions.own > 0
    assert conditions.others is None or conditions.others >= 0


def test_threads_are_numbers() -> None:
    assert parse_threads("1,2") == (1, 2)
    assert parse_threads(" 2, 1,2") == (2, 1)
    for wrong in ("0", "", "1,,2", "-1", "1.5", "many", "65", "²"):
        with pytest.raises(ExportError, match="--threads"):
            parse_threads(wrong)


def test_numbers_without_sense_and_unknown_variants_are_refused(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match="no variant 'qat-int8'; choose one of float32, ptq-int8"):
        measure_bundle(tiny.bundle, "x", variants=["qat-int8"])
    for wrong in ({"threads": (0,)}, {"threads": ()}, {"rounds": 0}, {"starts": -1}):
        with pytest.raises(ExportError, match="numbers"):
            measure_bundle(tiny.bundle, "x", **wrong)


def verb(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import typer\nfrom export.cli.benchmark import benchmark_verb\ntyper.run(benchmark_verb)"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def slim(tiny: Tiny, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(slim_bundle(tiny.bundle, "float32"))
    return path


def test_the_verb_prints_one_document_and_writes_it(slim: Path, tmp_path: Path) -> None:
    out = tmp_path / "folder" / "out.json"
    done = verb(slim, "--threads", "1", "--rounds", "5", "--starts", "0", "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads(out.read_text(encoding="utf-8"))
    assert document["bundle"] == str(slim)
    assert [row["name"] for row in document["rows"]] == ["float32"]


def test_the_verb_prints_tables(slim: Path) -> None:
    done = verb(slim, "--rounds", "5", "--starts", "0")
    assert done.returncode == 0, done.stderr
    for part in ("1 thread, ms a picture", "2 threads, ms a picture", "float32", "1.00", "processors"):
        assert part in done.stdout


@pytest.mark.parametrize(
    "wrong", [("--threads", "0"), ("--rounds", "0"), ("--starts", "-1"), ("--variant", "dynamic"), None]
)
def test_what_cannot_be_used_is_told_in_one_sentence(slim: Path, wrong: tuple[str, str] | None) -> None:
    if wrong is None:
        data = bytearray(slim.read_bytes())
        data[len(data) // 2] ^= 4
        slim.write_bytes(data)
    done = verb(slim, *(wrong or ()))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_measurements_cannot_be_changed(found: Measurement) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.rows = ()  # type: ignore[misc]
