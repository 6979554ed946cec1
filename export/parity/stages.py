"""The stages of parity: each compares what came of the references with what the bundle stored of the same stage."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ela.front_ends import parse_front_end
from export.artifacts.bundle import LINEAGE, Bundle, tflite_stage
from export.artifacts.description import BALANCED
from export.artifacts.tolerances import StageLimits, allowed_flips
from export.inference.detector import threshold_of
from export.parity.heatmap_similarity import cosine
from export.runtimes.interface import LAST_BIT, Guarantee, Output, ParityRun
from train.common.errors import ElaError


@dataclass(frozen=True)
class StageResult:
    """One stage: whether it passed, its numbers by name, and one sentence for people."""

    name: str
    passed: bool
    numbers: Mapping[str, float]
    sentence: str


def compare_stages(bundle: Bundle, variant: str, runtime: str, parity_run: ParityRun) -> tuple[StageResult, ...]:
    """Every stage in order, for a run on the runtime of this name; one that cannot run has not passed."""
    output, guarantee = parity_run.output, parity_run.guarantee
    return (
        _decode_stage(bundle, parity_run),
        *_face_stages(bundle, parity_run),
        _view_stage(bundle, parity_run),
        _planes_stage(bundle, variant),
        _quantising_stage(bundle, variant),
        _converting_stage(bundle, variant),
        _runtime_stage(bundle, variant, runtime, guarantee, output)
        if output
        else _failed("runtime", parity_run.failure),
        _heatmap_stage(bundle, variant, guarantee, output) if output else _failed("heatmap", parity_run.failure),
    )


def count_changed_decisions(bundle: Bundle, variant: str, before: np.ndarray, after: np.ndarray) -> int:
    """How many P(fake) [N] lie on another side of the shipped operating point after than before."""
    threshold = threshold_of(bundle.descriptions[variant], BALANCED)
    return int(np.count_nonzero((before >= threshold) != (after >= threshold)))


def _decode_stage(bundle: Bundle, parity_run: ParityRun) -> StageResult:
    return _hashes(
        "decode", "decode to other pixels", bundle.references.names, bundle.decoded, parity_run.decoded, parity_run
    )


def _face_stages(bundle: Bundle, parity_run: ParityRun) -> tuple[StageResult, ...]:
    """Whether the face finder finds the eyes that the views were made with; no stage where nobody looked."""
    if parity_run.eyes is None:
        return ()
    stored, found = bundle.references.eyes, parity_run.eyes
    names = bundle.references.names
    return (_count("faces", "have the eyes elsewhere", names, lambda index: found[index] != stored[index]),)


def _view_stage(bundle: Bundle, parity_run: ParityRun) -> StageResult:
    stored = [hashlib.sha256(view.tobytes()).hexdigest() for view in bundle.references.views]
    return _hashes("view", "give another view", bundle.references.names, stored, parity_run.views, parity_run)


def _hashes(
    name: str,
    complaint: str,
    names: tuple[str, ...],
    stored: Sequence[str],
    found: tuple[str, ...],
    parity_run: ParityRun,
) -> StageResult:
    """Compare SHA-256s with the stored ones."""
    for index, digest in enumerate(found):
        if not digest:
            return _failed(name, parity_run.errors[index] or "no reason was given.")
    return _count(name, complaint, names, lambda index: found[index] != stored[index])


def _planes_stage(bundle: Bundle, variant: str) -> StageResult:
    references = bundle.references

    def differs(index: int) -> bool:
        front_end = parse_front_end(bundle.descriptions[variant].front_end)
        planes = front_end.planes(references.views[index : index + 1])
        return not np.array_equal(planes[0], references.planes[index])

    try:
        return _count("planes", "give other front-end planes", references.names, differs)
    except ElaError as error:
        return _failed("planes", str(error))


def _count(name: str, complaint: str, names: tuple[str, ...], differs: Callable[[int], bool]) -> StageResult:
    different = [picture for index, picture in enumerate(names) if differs(index)]
    numbers = {"pictures": float(len(names)), "different": float(len(different))}
    if different:
        sentence = f"{len(different)} of {len(names)} pictures {complaint}, the first is {different[0]}."
        return StageResult(name, False, numbers, sentence)
    return StageResult(name, True, numbers, f"All {len(names)} pictures are equal bit for bit.")


def _quantising_stage(bundle: Bundle, variant: str) -> StageResult:
    limits = bundle.tolerances.quantising
    stages, lineage = bundle.references.stages, LINEAGE[variant]
    return _compare(bundle, variant, "quantising", ("keras-float", lineage), stages[lineage], limits)


def _converting_stage(bundle: Bundle, variant: str) -> StageResult:
    limits = bundle.tolerances.converting
    stage = tflite_stage(variant)
    return _compare(bundle, variant, "converting", (LINEAGE[variant], stage), bundle.references.stages[stage], limits)


def _runtime_stage(bundle: Bundle, variant: str, runtime: str, guarantee: Guarantee, output: Output) -> StageResult:
    stored = tflite_stage(variant)
    now = output.scores[:, 1]
    compared = _compare(bundle, variant, "runtime", (stored, runtime), now, bundle.tolerances.runtime)
    if guarantee == "decisions":
        return compared
    allowed = _rounding(bundle, variant, guarantee)
    passed = compared.numbers["max"] <= allowed and not compared.numbers["flips"]
    must = "must be equal bit for bit" if allowed == 0 else f"may differ by {allowed:g} at most"
    return dataclasses.replace(compared, passed=passed, sentence=f"{compared.sentence[:-1]}; they {must}.")


def _heatmap_stage(bundle: Bundle, variant: str, guarantee: Guarantee, output: Output) -> StageResult:
    references, tolerances = bundle.references, bundle.tolerances
    stored = references.heatmaps.get(tflite_stage(variant))
    if guarantee != "decisions" and stored is not None:
        apart = np.abs(output.heatmaps - stored).max(axis=(1, 2)) > _rounding(bundle, variant, guarantee)
        if apart.any():
            first = references.names[int(apart.argmax())]
            return StageResult(
                "heatmap",
                False,
                {"pictures": float(len(apart)), "different": float(apart.sum())},
                f"{int(apart.sum())} of {len(apart)} heatmaps are not those of {tflite_stage(variant)}, the first is "
                f"that of {first}.",
            )
    threshold = threshold_of(bundle.descriptions[variant], BALANCED)
    # By both: the faint map of a picture that only just flips says nothing about the arithmetic.
    called_fake = np.flatnonzero(
        (references.stages[LINEAGE[variant]] >= threshold) & (output.scores[:, 1] >= threshold)
    )
    if not len(called_fake):
        # A comparison that never happened must not count as passed.
        return StageResult(
            "heatmap",
            False,
            {"pictures": 0.0},
            "No reference is called fake, so no heatmap was compared: export with other --references.",
        )
    truth = references.gradcam[LINEAGE[variant]]
    cosines = [cosine(truth[index], output.heatmaps[index]) for index in called_fake]
    mean, least = float(np.mean(cosines)), float(np.min(cosines))
    worst = references.names[int(called_fake[int(np.argmin(cosines))])]
    passed = mean >= tolerances.heatmap_mean and least >= tolerances.heatmap_least
    numbers = {"pictures": float(len(cosines)), "cosine_mean": mean, "cosine_least": least}
    sentence = (
        f"Cosine to the Grad-CAM of {LINEAGE[variant]} over {len(cosines)} pictures called fake: mean {mean:.4f} (at "
        f"least {tolerances.heatmap_mean:g}), smallest {least:.4f} (at least {tolerances.heatmap_least:g}) in {worst}."
    )
    return StageResult("heatmap", passed, numbers, sentence)


def _rounding(bundle: Bundle, variant: str, guarantee: Guarantee) -> float:
    """How far a runtime that guarantees more than decisions may be from the stored values."""
    if not variant.endswith("int8"):
        return bundle.tolerances.float_rounding
    return LAST_BIT if guarantee == "last-bit" else 0.0


def _compare(
    bundle: Bundle, variant: str, name: str, between: tuple[str, str], after: np.ndarray, limits: StageLimits
) -> StageResult:
    """Hold the probabilities of the second of two stages against the stored ones of the first."""
    before = bundle.references.stages[between[0]]
    change = np.abs(after.astype(np.float64) - before.astype(np.float64))
    flips, allowed = count_changed_decisions(bundle, variant, before, after), allowed_flips(limits, len(before))
    mean, p99, highest = float(change.mean()), float(np.percentile(change, 99)), float(change.max())
    passed = flips <= allowed and mean <= limits.mean and p99 <= limits.p99
    worst = bundle.references.names[int(change.argmax())]
    sentence = (
        f"{between[0]} to {between[1]}: {flips} of {len(before)} verdicts flip (at most {allowed}), |dP| mean "
        f"{mean:.2g} (at most {limits.mean:g}), p99 {p99:.2g} (at most {limits.p99:g}), max {highest:.2g} in {worst}."
    )
    numbers = {"flips": float(flips), "mean": mean, "p99": p99, "max": highest}
    return StageResult(name, passed, numbers, sentence)


def _failed(name: str, reason: str) -> StageResult:
    return StageResult(name, False, {}, f"It could not run: {reason}")
