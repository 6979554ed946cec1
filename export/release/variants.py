"""The variants of one run side by side: what each costs, how it evaluates, and how far it is from what was trained."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from export.benchmark.latency import BenchmarkMachine, Latency
from export.parity.heatmap_similarity import Agreement
from train.evaluate.flips import Flips
from train.evaluate.metrics import Interval
from train.fit.checkpoints import GUESSING

CLOSE = 0.002
"""Differences of AUC below it are within the noise of some hundred pictures: fine-tuning has to earn its place."""


@dataclass(frozen=True)
class Variant:
    """One detector file of a run.

    state: the Keras state it was converted from. bytes: of the model, without the few thousand that describe it.
    partitions: pieces that XNNPACK takes over.
    validation_auc decides; `auc` is of the test split; both of what was in training, without reconstructions
    (`selection.without_reconstructions`). against_float: verdicts and
    probabilities against the float Keras state, each at its own thresholds; against_keras against `state`, at the same.
    heatmaps: against those of float32, of pictures outside training that both call fake; None where there are none.
    gpu: a note on the GPU delegate.
    """

    name: str
    state: str
    bytes: int
    partitions: int
    latency: tuple[Latency, ...]
    validation_auc: float
    auc: Interval
    against_float: Flips
    against_keras: Flips
    heatmaps: Agreement | None
    gpu: str


@dataclass(frozen=True)
class VariantComparison:
    """The table: its rows, the variant that ships and why, the depthwise scales, and where latencies were measured."""

    variants: tuple[Variant, ...]
    default: str
    why: str
    depthwise: str
    machine: BenchmarkMachine


COLUMNS = (
    "variant",
    "bytes",
    "ms, 1 thread",
    "ms, 2 threads",
    "partitions",
    "validation AUC",
    "test AUC",
    "flips against float",
    "|dP| against float",
    "flips against its Keras state",
    "|dP| against its Keras state",
    "heatmap cosine",
    "heatmap IoU",
)

NOTES = (
    "Milliseconds: median (10th to 90th percentile) of one picture, all variants in turn in one process.",
    "Flips: real/fake verdicts that differ at the balanced point, over pictures outside training. |dP|: mean / 99th "
    "percentile of the difference of P(fake).",
    "Heatmaps against float32, of pictures that both call fake: mean (5th percentile); IoU is of the places that reach "
    "half of a map's maximum.",
)
"""How to read COLUMNS."""


def variant_cells(variant: Variant) -> tuple[str, ...]:
    """A row of the table for people, in the order of COLUMNS."""
    times = {one.threads: f"{one.median:.2f} ({one.p10:.2f} to {one.p90:.2f})" for one in variant.latency}
    auc, maps = variant.auc, variant.heatmaps
    return (
        variant.name,
        f"{variant.bytes:,}",
        times.get(1, "-"),
        times.get(2, "-"),
        str(variant.partitions),
        f"{variant.validation_auc:.4f}",
        f"{auc.value:.4f} ({auc.low:.3f} to {auc.high:.3f})",
        *_departure(variant.against_float),
        *_departure(variant.against_keras),
        f"{maps.cosine_mean:.4f} ({maps.cosine_p5:.4f})" if maps else "-",
        f"{maps.overlap_mean:.3f} ({maps.overlap_p5:.3f})" if maps else "-",
    )


def lying(variants: Sequence[Variant]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The table on its side, which fits a terminal: a head of variants, then a row for each of the other COLUMNS."""
    head, *rows = zip(COLUMNS, *(variant_cells(variant) for variant in variants), strict=True)
    return head, rows


def choose_variant(variants: Sequence[Variant]) -> Variant:
    """The variant to ship: of the int8 ones, or of all where there is none, those within CLOSE of the best validation
    AUC, and of these the one with fewest flips against float."""
    candidates = _candidates(variants)
    best = max(one.validation_auc for one in candidates)
    close = [one for one in candidates if one.validation_auc >= best - CLOSE]
    return min(close, key=lambda one: one.against_float.balanced.value)


def reason(chosen: Variant, variants: Sequence[Variant]) -> str:
    """Why it ships, in half a sentence; of one that has learned nothing just that."""
    if chosen.validation_auc <= GUESSING:
        return f"none has learned anything (its validation AUC is {chosen.validation_auc:.2f}, and 0.5 is guessing)"
    others = [one for one in _candidates(variants) if one is not chosen]
    if not others:
        return "it is the only candidate"
    kind = "int8 variants" if chosen.name.endswith("int8") else "variants"
    other = max(others, key=lambda one: one.validation_auc)
    aucs = f"validation AUC {chosen.validation_auc:.4f} against {other.validation_auc:.4f} of {other.name}"
    if chosen.validation_auc - other.validation_auc > CLOSE:
        return f"of the {kind} it is the best by more than {CLOSE:g}, {aucs}"
    mine, theirs = (one.against_float.balanced.value for one in (chosen, other))
    return (
        f"of the {kind} within {CLOSE:g} of the best it flips fewest verdicts of float, {mine:.2%} against "
        f"{theirs:.2%}; {aucs}"
    )


def variants_document(comparison: VariantComparison) -> dict[str, Any]:
    """The table for JSON."""
    return {"format": 1, **asdict(comparison)}


def _candidates(variants: Sequence[Variant]) -> list[Variant]:
    return [one for one in variants if one.name.endswith("int8")] or list(variants)


def _departure(flips: Flips) -> tuple[str, str]:
    return f"{flips.balanced.value:.2%}", f"{flips.mean_change:.4f} / {flips.p99_change:.4f}"
