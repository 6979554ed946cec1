"""The same network in other engines: converted, held against LiteRT on a bundle's references, and only then timed."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from export.artifacts.tolerances import Limits, allowed_flips
from export.benchmark.guests import run_guest
from export.benchmark.precision import Convolutions
from export.runtimes.interface import Output
from train.common.errors import ExportError
from train.common.extras import install_command

EXTRA = install_command("benchmark")


@dataclass(frozen=True)
class Yardstick:
    """An engine and what it reads: the detector file itself, or the ONNX that is made of it.

    modules: what has to be importable, by module name; the first is the engine's own package.
    """

    name: str
    engine: str
    reads: str
    modules: tuple[str, ...]


LITERT = Yardstick("LiteRT", "LiteRT", ".tflite", ("ai_edge_litert",))
"""What the others are held against; it is held, too, so that its own int8 convolutions stand beside theirs."""

_BY_ONNX = ("onnx", "tf2onnx", "tensorflow")
YARDSTICKS = (
    Yardstick("onnxruntime", "onnxruntime", ".onnx", ("onnxruntime", *_BY_ONNX)),
    Yardstick("OpenVINO", "OpenVINO", ".onnx", ("openvino", *_BY_ONNX)),
    # Another row: it does not take the depthwise convolutions of a .tflite as int8.
    Yardstick("OpenVINO (.tflite)", "OpenVINO", ".tflite", ("openvino",)),
)


@dataclass(frozen=True)
class Agreement:
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
class Held:
    """A yardstick that was held against LiteRT. `path` is its file; `refusal` says in one sentence why it is not timed,
    None where it is the same network."""

    yardstick: Yardstick
    path: Path
    version: str
    agreement: Agreement
    convolutions: Convolutions
    refusal: str | None


def why_absent(yardstick: Yardstick) -> str | None:
    """One sentence on the packages that are missing, None where all are there; nothing is imported."""
    missing = [name for name in yardstick.modules if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    extra = install_command("train") if missing == ["tensorflow"] else EXTRA
    return f"{yardstick.name} is skipped: {' and '.join(missing)} not installed; {extra}"


def hold_yardsticks(
    detector: Path,
    views: np.ndarray,
    wanted: Output,
    threshold: float,
    limits: Limits,
    say: Callable[[str], None],
    yardsticks: Sequence[Yardstick] = YARDSTICKS,
) -> tuple[tuple[Held, ...], tuple[str, ...]]:
    """Hold a sealed int8 detector file against itself in other engines, over views uint8 [N, S, S, 3].

    `wanted` is what LiteRT gives, `threshold` the balanced point's. Files are written beside `detector`. Returns what
    was held, and a sentence for each yardstick that is absent or whose engine cannot run the network.
    """
    held: list[Held] = []
    sentences: list[str] = []
    pictures = detector.with_suffix(".views.npy")
    np.save(pictures, views)
    for yardstick in (LITERT, *yardsticks):
        if (absent := why_absent(yardstick)) is not None:
            sentences.append(absent)
            continue
        say(f"running {yardstick.name} over the references")
        try:
            path = _file(detector, yardstick.reads)
            got, convolutions = _run(yardstick.engine, path, pictures)
        except ExportError as error:
            sentences.append(f"{yardstick.name} is skipped: {error}")
            continue
        agreement = agree(wanted, got, threshold)
        refusal = refuse(yardstick.name, agreement, limits)
        held.append(Held(yardstick, path, _version(yardstick.modules[0]), agreement, convolutions, refusal))
    return tuple(held), tuple(sentences)


def agree(wanted: Output, got: Output, threshold: float) -> Agreement:
    """Compare two outputs for the same views."""
    first, second = wanted.scores[:, 1].astype(np.float64), got.scores[:, 1].astype(np.float64)
    apart = np.abs(first - second)
    return Agreement(
        pictures=len(first),
        equal=int(np.all(wanted.scores == got.scores, axis=1).sum()),
        largest=float(apart.max()),
        mean=float(apart.mean()),
        p99=float(np.percentile(apart, 99)),
        flips=int(((first >= threshold) != (second >= threshold)).sum()),
        heatmap=float(np.abs(wanted.heatmaps - got.heatmaps).max()),
    )


def refuse(name: str, agreement: Agreement, limits: Limits) -> str | None:
    """One sentence where an engine departs by more than `limits` allow a runtime that need not agree in every bit."""
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
        run_guest("onnx_guest", detector, path)
    return path


def _run(engine: str, path: Path, views: Path) -> tuple[Output, Convolutions]:
    scores, heatmaps = views.with_suffix(".scores.npy"), views.with_suffix(".heatmaps.npy")
    told = json.loads(run_guest("proof_guest", engine, path, views, scores, heatmaps))
    output = Output(np.load(scores, allow_pickle=False), np.load(heatmaps, allow_pickle=False))
    return output, Convolutions(told["int8"], tuple(told["in_float"]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
