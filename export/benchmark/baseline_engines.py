"""The same network in other engines: converted, compared with LiteRT on a bundle's references, and only then timed."""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from export.artifacts.tolerances import StageLimits, allowed_flips
from export.benchmark.precision import Convolutions
from export.benchmark.worker_process import run_worker
from export.runtimes.interface import Output
from train.common.errors import ExportError
from train.common.extras import install_command
from train.common.progress import LogCallback

EXTRA = install_command("benchmark")


@dataclass(frozen=True)
class BaselineEngine:
    """An engine and what it reads: the detector file itself, or the ONNX that is made of it.

    modules: what has to be importable, by module name; the first is the engine's own package.
    """

    name: str
    engine: str
    reads: str
    modules: tuple[str, ...]


LITERT = BaselineEngine("LiteRT", "LiteRT", ".tflite", ("ai_edge_litert",))
"""What the others are compared with. It is in the table, too, so that its own int8 convolutions stand beside theirs."""

_BY_ONNX = ("onnx", "tf2onnx", "tensorflow")
BASELINE_ENGINES = (
    BaselineEngine("onnxruntime", "onnxruntime", ".onnx", ("onnxruntime", *_BY_ONNX)),
    BaselineEngine("OpenVINO", "OpenVINO", ".onnx", ("openvino", *_BY_ONNX)),
    # Another row: it does not take the depthwise convolutions of a .tflite as int8.
    BaselineEngine("OpenVINO (.tflite)", "OpenVINO", ".tflite", ("openvino",)),
)


@dataclass(frozen=True)
class ScoreAgreement:
    """An engine's scores against LiteRT's over `pictures` references: how many are equal in every bit, |dP(fake)|,
    verdicts that flip at the balanced point, and the largest difference of a heatmap's cell."""

    pictures: int
    equal: int
    largest: float
    mean: float
    p99: float
    flips: int
    heatmap: float


@dataclass(frozen=True)
class EngineComparison:
    """A baseline engine that was compared with LiteRT. `path` is its file; `refusal` says in one sentence why it is not
    timed, None where it is the same network."""

    compared: BaselineEngine
    path: Path
    version: str
    agreement: ScoreAgreement
    convolutions: Convolutions
    refusal: str | None


def why_absent(one: BaselineEngine) -> str | None:
    """One sentence on the packages that are missing, None where all are there; nothing is imported."""
    missing = [name for name in one.modules if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    extra = install_command("train") if missing == ["tensorflow"] else EXTRA
    return f"{one.name} is skipped: {' and '.join(missing)} not installed; {extra}"


def compare_engines(
    detector: Path,
    views: np.ndarray,
    wanted: Output,
    threshold: float,
    limits: StageLimits,
    log: LogCallback,
    engines: Sequence[BaselineEngine] = BASELINE_ENGINES,
) -> tuple[tuple[EngineComparison, ...], tuple[str, ...]]:
    """Compare a sealed int8 detector file with itself in other engines, over views uint8 [N, S, S, 3].

    `wanted` is what LiteRT gives, `threshold` the balanced point's. Files are written beside `detector`. Returns what
    was compared, and a sentence for each engine that is absent or cannot run the network.
    """
    comparisons: list[EngineComparison] = []
    sentences: list[str] = []
    pictures = detector.with_suffix(".views.npy")
    np.save(pictures, views)
    for one in (LITERT, *engines):
        if (absent := why_absent(one)) is not None:
            sentences.append(absent)
            continue
        log(f"running {one.name} over the references")
        try:
            path = _file(detector, one.reads)
            got, convolutions = _run(one.engine, path, pictures)
        except ExportError as error:
            sentences.append(f"{one.name} is skipped: {error}")
            continue
        agreement = agree(wanted, got, threshold)
        refusal = refuse(one.name, agreement, limits)
        comparisons.append(EngineComparison(one, path, _version(one.modules[0]), agreement, convolutions, refusal))
    return tuple(comparisons), tuple(sentences)


def agree(wanted: Output, got: Output, threshold: float) -> ScoreAgreement:
    """Compare two outputs for the same views."""
    first, second = wanted.scores[:, 1].astype(np.float64), got.scores[:, 1].astype(np.float64)
    apart = np.abs(first - second)
    return ScoreAgreement(
        pictures=len(first),
        equal=int(np.all(wanted.scores == got.scores, axis=1).sum()),
        largest=float(apart.max()),
        mean=float(apart.mean()),
        p99=float(np.percentile(apart, 99)),
        flips=int(((first >= threshold) != (second >= threshold)).sum()),
        heatmap=float(np.abs(wanted.heatmaps - got.heatmaps).max()),
    )


def refuse(name: str, agreement: ScoreAgreement, limits: StageLimits) -> str | None:
    """One sentence where an engine differs by more than `limits` allow a runtime that need not agree in every bit."""
    allowed = allowed_flips(limits, agreement.pictures)
    # Written so that a score which is no number fails, too.
    if agreement.flips <= allowed and agreement.mean <= limits.mean and agreement.p99 <= limits.p99:
        return None
    return (
        f"{name} is not timed, for it does not run the same network: {agreement.flips} of {agreement.pictures} "
        f"verdicts flip ({allowed} allowed), |dP| {agreement.mean:.4f} in the mean ({limits.mean:g} allowed), "
        f"{agreement.p99:.4f} at its 99th percentile ({limits.p99:g} allowed)."
    )


def _file(detector: Path, reads: str) -> Path:
    """The detector in the form that an engine reads, made once."""
    path = detector.with_suffix(reads)
    if not path.exists():
        run_worker("onnx_worker", detector, path)
    return path


def _run(engine: str, path: Path, views: Path) -> tuple[Output, Convolutions]:
    scores, heatmaps = views.with_suffix(".scores.npy"), views.with_suffix(".heatmaps.npy")
    answer = json.loads(run_worker("proof_worker", engine, path, views, scores, heatmaps))
    output = Output(np.load(scores, allow_pickle=False), np.load(heatmaps, allow_pickle=False))
    return output, Convolutions(answer["int8"], tuple(answer["in_float"]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
