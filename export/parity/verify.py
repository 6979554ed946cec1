"""Parity: is what runs here what was trained? Compares the references from file to heatmap, stage by stage.

Every stage starts from the *stored* result of the stage before it, so a fault shows in its own stage and not in all
later ones. The stages are in `stages.py`.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.artifacts.bundle import LINEAGE, Bundle
from export.artifacts.bundle_references import picture_sha256
from export.parity.stages import StageResult, compare_stages, count_changed_decisions
from export.runtimes.interface import Output, ParityRun, Runtime, RuntimeAbsentError
from train.common.errors import DataError, ExportError
from train.image.decode import decode_bytes
from train.image.face_finder.finder import find_in_pixels
from train.image.view import Eyes, View, apply_view, parse_view, turn_upright


@dataclass(frozen=True)
class Parity:
    """The verdict on one variant on one runtime.

    `first_departure` names the first stage that does not hold, None where all do; `flips` counts the references whose
    verdict at the shipped operating point differs between the trained Keras state and this runtime. `phone` is what
    the phone says of itself where the runtime is one, plain JSON values.
    """

    variant: str
    runtime: str
    passed: bool
    first_departure: str | None
    flips: int
    sentence: str
    stages: tuple[StageResult, ...]
    phone: Mapping[str, Any] | None = None


def verify_bundle(bundle: Bundle, *, variant: str, runtime: Runtime) -> Parity:
    """Verify a variant of a bundle on a runtime.

    A runtime that guarantees `bits` must give equal bits (float variants within `float_rounding`), one that guarantees
    `last-bit` values within LAST_BIT, others equal
    decisions. A runtime with a run of its own decodes and makes the views; for all others, that happens here. Raises
    ExportError for an unknown variant and a run of which nothing came, RuntimeAbsentError where the runtime's assets
    are missing. A stage that cannot run counts as different.
    """
    if variant not in bundle.variants:
        raise ExportError(f"The bundle has no variant '{variant}'; choose one of {', '.join(sorted(bundle.variants))}.")
    parity_run = (
        runtime.run_references(bundle, variant) if runtime.run_references else _run_here(bundle, variant, runtime)
    )
    parity_run = _checked(parity_run, bundle, variant)
    stages = compare_stages(bundle, variant, runtime.name, parity_run)
    departed = [stage for stage in stages if not stage.passed]
    trained = bundle.references.stages[LINEAGE[variant]]
    count = len(trained)
    flips = (
        count_changed_decisions(bundle, variant, trained, parity_run.output.scores[:, 1])
        if parity_run.output
        else count
    )
    if departed:
        sentence = f"{variant} on {runtime.name} differs first at {departed[0].name}: {departed[0].sentence}"
    else:
        sentence = f"{variant} on {runtime.name} matches the trained model: all {len(stages)} stages passed."
    return Parity(
        variant=variant,
        runtime=runtime.name,
        passed=not departed,
        first_departure=departed[0].name if departed else None,
        flips=flips,
        sentence=f"{sentence} {flips} of {count} verdicts flip.",
        stages=stages,
        phone=parity_run.phone,
    )


def _run_here(bundle: Bundle, variant: str, runtime: Runtime) -> ParityRun:
    """The run with this machine's decoder and views, and the runtime's outputs."""
    view = parse_view(bundle.descriptions[variant].view)
    made = [_made_here(bundle, view, index) for index in range(len(bundle.references.names))]
    decoded, views, errors, eyes_here = zip(*made, strict=True)
    try:
        output, failure = runtime.call(bundle.variants[variant], bundle.references.views), ""
    except RuntimeAbsentError:
        raise
    except ExportError as error:
        output, failure = None, str(error)
    eyes = eyes_here if bundle.has_finder else None
    return ParityRun(decoded, views, errors, output, failure, runtime.guarantee, eyes=eyes)


def _made_here(bundle: Bundle, view: View, index: int) -> tuple[str, str, str | None, Eyes | None]:
    """What this machine makes of a reference picture, decoded once.

    SHA-256 of its pixels and of its view, "" for what cannot be had, and why; the eyes of its largest face where the
    bundle has a face finder.
    """
    references = bundle.references
    try:
        picture = decode_bytes(references.pictures[index], references.names[index])
    except DataError as error:
        return "", "", str(error), None
    decoded = picture_sha256(picture)
    eyes = None
    if bundle.has_finder:
        faces = find_in_pixels(turn_upright(picture.pixels, picture.orientation))
        eyes = faces[0].eyes if faces else None
    try:
        seen = apply_view(view, picture, references.eyes[index] if references.eyes else None)
    except DataError as error:
        return decoded, "", str(error), eyes
    return decoded, hashlib.sha256(np.ascontiguousarray(seen).tobytes()).hexdigest(), None, eyes


def _checked(parity_run: ParityRun, bundle: Bundle, variant: str) -> ParityRun:
    """The run without its output, if that is no such output as the bundle's detector gives."""
    reason = None if parity_run.output is None else _why_not(parity_run.output, bundle, variant)
    return parity_run if reason is None else dataclasses.replace(parity_run, output=None, failure=reason)


def _why_not(output: Output, bundle: Bundle, variant: str) -> str | None:
    count = len(bundle.references.names)
    if output.scores.shape != (count, 2) or output.heatmaps.shape != (count, *bundle.descriptions[variant].heatmap):
        return "The runtime returned scores or heatmaps of another shape; check how it reads the outputs."
    if not np.isfinite(output.scores).all() or not np.isfinite(output.heatmaps).all():
        return "The runtime returned numbers that are not finite; check how it reads the outputs."
    return None
