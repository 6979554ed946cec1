"""Parity: is what runs here what was trained? Follows the references from file to heatmap, stage by stage.

Every stage starts from the *stored* result of the stage before it, so a fault shows in its own stage and not in all
later ones.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ela.errors import ElaError
from ela.front_ends import parse_front_end
from export.bundle import LINEAGE, Bundle, pixels_sha256, tflite_stage
from export.description import BALANCED
from export.detector import threshold_of
from export.errors import ExportError
from export.maps import cosine
from export.runtimes.interface import Output, Runtime, RuntimeAbsentError
from export.tolerances import Limits, allowed_flips
from train.data.errors import DataError
from train.data.picture import decode_bytes
from train.data.view import apply_view, parse_view


@dataclass(frozen=True)
class StageResult:
    """One stage: whether it held, its numbers by name, and one sentence for people."""

    name: str
    passed: bool
    numbers: Mapping[str, float]
    sentence: str


@dataclass(frozen=True)
class Parity:
    """The verdict on one variant on one runtime.

    `first_departure` names the first stage that does not hold, None where all do; `flips` counts the references whose
    verdict at the shipped operating point differs between the trained Keras state and this runtime.
    """

    variant: str
    runtime: str
    passed: bool
    first_departure: str | None
    flips: int
    sentence: str
    stages: tuple[StageResult, ...]


def verify(bundle: Bundle, *, variant: str, runtime: Runtime) -> Parity:
    """Verify a variant of a bundle on a runtime.

    A runtime that promises `bits` is held to equal bits (float variants to `float_rounding`), others to decisions.
    Raises ExportError for an unknown variant, RuntimeAbsentError where the runtime's parts are missing. A stage that
    cannot run at all counts as departed.
    """
    if variant not in bundle.variants:
        raise ExportError(f"The bundle has no variant '{variant}'; choose one of {', '.join(sorted(bundle.variants))}.")
    output, failure = _run(bundle, variant, runtime)
    stages = (
        _decode_stage(bundle),
        _view_stage(bundle, variant),
        _planes_stage(bundle, variant),
        _quantising_stage(bundle, variant),
        _converting_stage(bundle, variant),
        _runtime_stage(bundle, variant, runtime, output) if output else _failed("runtime", failure),
        _heatmap_stage(bundle, variant, output) if output else _failed("heatmap", failure),
    )
    departed = [stage for stage in stages if not stage.passed]
    trained = bundle.references.stages[LINEAGE[variant]]
    count = len(trained)
    flips = _flips(bundle, variant, trained, output.scores[:, 1]) if output else count
    if departed:
        sentence = f"{variant} on {runtime.name} departs first at {departed[0].name}: {departed[0].sentence}"
    else:
        sentence = f"{variant} on {runtime.name} is what was trained: all {len(stages)} stages hold."
    return Parity(
        variant=variant,
        runtime=runtime.name,
        passed=not departed,
        first_departure=departed[0].name if departed else None,
        flips=flips,
        sentence=f"{sentence} {flips} of {count} verdicts flip.",
        stages=stages,
    )


def to_json(parity: Parity) -> str:
    """A parity verdict as JSON text."""
    return json.dumps(dataclasses.asdict(parity), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _run(bundle: Bundle, variant: str, runtime: Runtime) -> tuple[Output | None, str]:
    views, description = bundle.references.views, bundle.descriptions[variant]
    try:
        output = runtime.call(bundle.variants[variant], views)
    except RuntimeAbsentError:
        raise
    except ExportError as error:
        return None, str(error)
    if output.scores.shape != (len(views), 2) or output.heatmaps.shape != (len(views), *description.heatmap):
        return None, "The runtime returned scores or heatmaps of another shape; check how it reads the outputs."
    if not np.isfinite(output.scores).all() or not np.isfinite(output.heatmaps).all():
        return None, "The runtime returned numbers that are not finite; check how it reads the outputs."
    return output, ""


def _decode_stage(bundle: Bundle) -> StageResult:
    references = bundle.references

    def differs(index: int) -> bool:
        return pixels_sha256(references.pictures[index], references.names[index]) != bundle.decoded[index]

    return _count("decode", "decode to other pixels", references.names, differs)


def _view_stage(bundle: Bundle, variant: str) -> StageResult:
    references = bundle.references

    def differs(index: int) -> bool:
        picture = decode_bytes(references.pictures[index], references.names[index])
        eyes = references.eyes[index] if references.eyes else None
        view = parse_view(bundle.descriptions[variant].view)
        return not np.array_equal(apply_view(view, picture, eyes), references.views[index])

    return _count("view", "give another view", references.names, differs)


def _planes_stage(bundle: Bundle, variant: str) -> StageResult:
    references = bundle.references

    def differs(index: int) -> bool:
        front_end = parse_front_end(bundle.descriptions[variant].front_end)
        planes = front_end.planes(references.views[index : index + 1])
        return not np.array_equal(planes[0], references.planes[index])

    return _count("planes", "give other front-end planes", references.names, differs)


def _count(name: str, complaint: str, names: tuple[str, ...], differs: Callable[[int], bool]) -> StageResult:
    different: list[str] = []
    for index, picture in enumerate(names):
        try:
            if differs(index):
                different.append(picture)
        except (DataError, ElaError) as error:
            return _failed(name, str(error))
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


def _runtime_stage(bundle: Bundle, variant: str, runtime: Runtime, output: Output) -> StageResult:
    stored = tflite_stage(variant)
    now = output.scores[:, 1]
    compared = _compare(bundle, variant, "runtime", (stored, runtime.name), now, bundle.tolerances.runtime)
    if runtime.promise == "decisions":
        return compared
    allowed = 0.0 if variant.endswith("int8") else bundle.tolerances.float_rounding
    passed = compared.numbers["max"] <= allowed and not compared.numbers["flips"]
    promise = "must be equal bit for bit" if allowed == 0 else f"may differ by {allowed:g} at most"
    return dataclasses.replace(compared, passed=passed, sentence=f"{compared.sentence[:-1]}; they {promise}.")


def _heatmap_stage(bundle: Bundle, variant: str, output: Output) -> StageResult:
    references, tolerances = bundle.references, bundle.tolerances
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
            "No reference is called fake, so no heatmap was compared; bundle others.",
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


def _compare(
    bundle: Bundle, variant: str, name: str, between: tuple[str, str], after: np.ndarray, limits: Limits
) -> StageResult:
    """Hold the probabilities of the second of two stages against the stored ones of the first."""
    before = bundle.references.stages[between[0]]
    change = np.abs(after.astype(np.float64) - before.astype(np.float64))
    flips, allowed = _flips(bundle, variant, before, after), allowed_flips(limits, len(before))
    mean, p99, highest = float(change.mean()), float(np.percentile(change, 99)), float(change.max())
    passed = flips <= allowed and mean <= limits.mean and p99 <= limits.p99
    worst = bundle.references.names[int(change.argmax())]
    sentence = (
        f"{between[0]} to {between[1]}: {flips} of {len(before)} verdicts flip (at most {allowed}), |dP| mean "
        f"{mean:.2g} (at most {limits.mean:g}), p99 {p99:.2g} (at most {limits.p99:g}), max {highest:.2g} in {worst}."
    )
    numbers = {"flips": float(flips), "mean": mean, "p99": p99, "max": highest}
    return StageResult(name, passed, numbers, sentence)


def _flips(bundle: Bundle, variant: str, before: np.ndarray, after: np.ndarray) -> int:
    threshold = threshold_of(bundle.descriptions[variant], BALANCED)
    return int(np.count_nonzero((before >= threshold) != (after >= threshold)))


def _failed(name: str, reason: str) -> StageResult:
    return StageResult(name, False, {}, f"It could not run: {reason}")
