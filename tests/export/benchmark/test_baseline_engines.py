from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.description import BALANCED
from export.artifacts.tolerances import StageLimits, Tolerances
from export.benchmark.baseline_engines import (
    BASELINE_ENGINES,
    LITERT,
    BaselineEngine,
    agree,
    compare_engines,
    refuse,
    why_absent,
)
from export.benchmark.benchmark_run import measure_bundle
from export.benchmark.precision import Convolutions, convolutions_of
from export.benchmark.table import measurement_tables, notes
from export.benchmark.worker_process import run_worker
from export.runtimes.interface import Output
from export.runtimes.litert import open_detector_file
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

LIMITS = Tolerances().runtime
BY_TFLITE = next(one for one in BASELINE_ENGINES if one.reads == ".tflite")
WITHOUT = "; ".join(sentence for one in BASELINE_ENGINES if (sentence := why_absent(one)))


def output(*fakes: float, heatmap: float = 0.5) -> Output:
    p = np.array(fakes, np.float32)
    return Output(np.stack([1 - p, p], axis=1), np.full((len(p), 2, 2), heatmap, np.float32))


def test_agreement_counts_bits_differences_and_flips() -> None:
    found = agree(output(0.25, 0.5, 0.75), output(0.25, 0.375, 0.75, heatmap=0.25), 0.5)
    assert (found.pictures, found.equal, found.flips) == (3, 2, 1)
    assert found.largest == 0.125
    assert found.mean == pytest.approx(0.125 / 3)
    assert found.heatmap == 0.25


def test_another_network_is_refused() -> None:
    limits = StageLimits(flips=0.0, mean=0.02, p99=0.1)
    assert refuse("abacus", agree(output(0.25, 0.75), output(0.25, 0.76), 0.5), limits) is None
    flipped = refuse("abacus", agree(output(0.49, 0.75), output(0.51, 0.75), 0.5), limits)
    assert flipped is not None
    assert "abacus is not timed" in flipped
    assert "1 of 2 verdicts flip" in flipped
    assert refuse("abacus", agree(output(0.6, 0.75), output(0.9, 0.75), 0.5), limits) is not None
    assert refuse("abacus", agree(output(0.6, 0.75), output(float("nan"), 0.75), 0.5), limits) is not None


def test_litert_computes_all_but_the_head_in_int8(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(tiny.sealed["ptq-int8"])
    assert convolutions_of("LiteRT", path) == Convolutions(5, ("spread",))


def test_an_engine_that_fails_is_told_in_one_sentence(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(tiny.sealed["ptq-int8"])
    views = tiny.bundle.references.views[:2]
    wanted = open_detector_file(tiny.sealed["ptq-int8"])(views)
    unknown = BaselineEngine("abacus", "abacus", ".tflite", ("json",))
    compared, sentences = compare_engines(path, views, wanted, 0.5, LIMITS, lambda line: None, (unknown,))
    assert [one.compared for one in compared] == [LITERT]
    assert compared[0].agreement.equal == compared[0].agreement.pictures == 2
    assert len(sentences) == 1
    assert sentences[0].startswith("abacus is skipped: proof_worker failed with status 1 (KeyError")


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fresh_worker failed"):
        run_worker("fresh_worker", "LiteRT", tmp_path / "none.tflite", tmp_path / "none.npy", 1)


@pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT)
def test_baseline_engines_are_the_same_network_in_int8(tiny: Tiny) -> None:
    found = measure_bundle(tiny.bundle, "x", variants=["ptq-int8"], rounds=3, starts=1)
    assert found.left_out == ()
    compared = {one.compared.name: one for one in found.comparisons}
    assert list(compared) == ["LiteRT", *(one.name for one in BASELINE_ENGINES)]
    for one in compared.values():
        assert one.refusal is None
        assert one.agreement.pictures == 16
        assert one.agreement.flips <= 1
        assert one.convolutions.count == 6
    # tf2onnx carries the network over exactly. How many convolutions an engine then takes as int8 depends on ranges:
    # this network's reach a step below zero, and onnxruntime computes convolutions with such a ReLU6 in float.
    assert compared["onnxruntime"].agreement.equal == 16
    assert compared["LiteRT"].convolutions.int8 == 5
    timed = {(row.name, row.threads) for row in found.rows if row.kind == "yardstick"}
    assert timed == {(one.name, threads) for one in BASELINE_ENGINES for threads in (1, 2)}
    assert set(found.starts) == {"ptq-int8", *(one.name for one in BASELINE_ENGINES)}
    assert [row[0] for row in measurement_tables(found)[2][2]] == list(compared)
    assert any("scale, head (spread)" in sentence for sentence in notes(found))


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_an_engine_with_other_scores_is_not_timed(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(tiny.sealed["ptq-int8"])
    views = tiny.bundle.references.views
    wanted = open_detector_file(tiny.sealed["ptq-int8"])(views)
    other = Output(wanted.scores[:, ::-1].copy(), wanted.heatmaps)
    threshold = tiny.bundle.descriptions["ptq-int8"].operating_points[BALANCED].fake_from
    compared, _ = compare_engines(path, views, other, threshold, LIMITS, lambda line: None, [BY_TFLITE])
    assert len(compared) == 2
    assert all(one.refusal and "not timed" in one.refusal for one in compared)


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_openvino_is_opened_without_what_tells_its_makers() -> None:
    code = (
        "import sys\nfrom export.benchmark.engines import load_openvino\nload_openvino()\n"
        "sys.exit(any('telemetry' in name and module for name, module in sys.modules.items()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed")
def test_onnxruntime_is_told_before_it_is_loaded_to_send_nothing(tmp_path: Path) -> None:
    code = "from export.benchmark.engines import load_onnxruntime\nload_onnxruntime().SessionOptions()"
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[3]), "HOME": str(tmp_path)}
    environment.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    # Where it may send, it first makes itself an identifier in the user's cache folder.
    assert list(tmp_path.rglob("*")) == []
