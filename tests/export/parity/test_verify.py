"""Each stage is sabotaged in turn: parity must name that one, first."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.artifacts.bundle import Bundle
from export.artifacts.tolerances import StageLimits, Tolerances, allowed_flips
from export.parity.verify import Parity, verify_bundle
from export.runtimes.interface import Output, ParityRun
from export.runtimes.litert import RESOLVERS
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError
from train.image.decode import decode
from train.image.face_finder.finder import find_in_pixels
from train.image.view import Eyes

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

GOLDEN = Path(__file__).parents[2] / "golden" / "pictures"
STAGES = ["decode", "view", "planes", "quantising", "converting", "runtime", "heatmap"]


def as_json(parity: Parity) -> str:
    """As `verify --json` prints it."""
    return json.dumps(dataclasses.asdict(parity), allow_nan=False)


@pytest.mark.parametrize("variant", ["float32", "ptq-int8"])
@pytest.mark.parametrize("runtime", list(RESOLVERS))
def test_what_was_trained_is_what_runs(tiny: Tiny, variant: str, runtime: str) -> None:
    parity = verify_bundle(tiny.bundle, variant=variant, runtime=RUNTIMES[runtime])
    assert parity.passed, parity.sentence
    assert [stage.name for stage in parity.stages] == STAGES
    assert (parity.first_departure, parity.flips) == (None, 0)
    heatmap = parity.stages[-1]
    assert heatmap.numbers["pictures"] >= 4
    assert json.loads(as_json(parity))["stages"][-1]["numbers"] == dict(heatmap.numbers)


def with_references(bundle: Bundle, **changes: Any) -> Bundle:
    return replace(bundle, references=replace(bundle.references, **changes))


def touched(values: np.ndarray, index: int = 5) -> np.ndarray:
    copy = values.copy()
    copy[index].flat[7] ^= 1
    return copy


def mirrored(stages: Any, names: list[str]) -> Any:
    return {key: (1 - values if key in names else values) for key, values in stages.items()}


def break_decode(bundle: Bundle) -> Bundle:
    return replace(bundle, decoded=(*bundle.decoded[:5], "0" * 64, *bundle.decoded[6:]))


def break_picture(bundle: Bundle) -> Bundle:
    pictures = bundle.references.pictures
    return with_references(bundle, pictures=(pictures[0][:200], *pictures[1:]))


def break_view(bundle: Bundle) -> Bundle:
    return with_references(bundle, views=touched(bundle.references.views))


def break_planes(bundle: Bundle) -> Bundle:
    return with_references(bundle, planes=touched(bundle.references.planes))


def break_quantising(bundle: Bundle) -> Bundle:
    return with_references(bundle, stages=mirrored(bundle.references.stages, ["keras-float"]))


def break_converting(bundle: Bundle) -> Bundle:
    return with_references(bundle, stages=mirrored(bundle.references.stages, ["tflite/ptq-int8"]))


def break_runtime(bundle: Bundle) -> Bundle:
    stages = dict(bundle.references.stages)
    stages["tflite/ptq-int8"] = np.nextafter(stages["tflite/ptq-int8"], np.float32(0), dtype=np.float32)
    return with_references(bundle, stages=stages)


def break_heatmap_bit(bundle: Bundle) -> Bundle:
    stage = "tflite/ptq-int8"
    maps = bundle.references.heatmaps[stage].copy()
    maps[5].flat[int(maps[5].argmax())] = np.nextafter(np.float32(1), np.float32(0))
    return with_references(bundle, heatmaps=dict(bundle.references.heatmaps) | {stage: maps})


def break_heatmap(bundle: Bundle) -> Bundle:
    maps = {key: values[:, ::-1].copy() for key, values in bundle.references.gradcam.items()}
    return with_references(bundle, gradcam=maps)


SABOTAGE: list[tuple[Callable[[Bundle], Bundle], str]] = [
    (break_decode, "decode"),
    (break_picture, "decode"),
    (break_view, "view"),
    (break_planes, "planes"),
    (break_quantising, "quantising"),
    (break_converting, "converting"),
    (break_runtime, "runtime"),
    (break_heatmap_bit, "heatmap"),
    (break_heatmap, "heatmap"),
]


@pytest.mark.parametrize(("sabotage", "stage"), SABOTAGE, ids=[f.__name__ for f, _ in SABOTAGE])
def test_the_first_stage_that_departs_is_named(tiny: Tiny, sabotage: Callable[[Bundle], Bundle], stage: str) -> None:
    parity = verify_bundle(sabotage(tiny.bundle), variant="ptq-int8", runtime=RUNTIMES["litert"])
    assert not parity.passed
    assert parity.first_departure == stage
    assert parity.sentence.startswith(f"ptq-int8 on litert differs first at {stage}: ")
    before = parity.stages[: STAGES.index(stage)]
    assert all(one.passed for one in before)


def test_one_departing_picture_is_counted_and_named(tiny: Tiny) -> None:
    parity = verify_bundle(break_view(tiny.bundle), variant="ptq-int8", runtime=RUNTIMES["litert"])
    view = parity.stages[1]
    assert view.numbers["different"] == 1
    assert tiny.bundle.references.names[5] in view.sentence


def flipping(tflite: bytes, views: np.ndarray) -> Output:
    output = RUNTIMES["litert"].call(tflite, views)
    return replace(output, scores=output.scores[:, ::-1].copy())


def blind(tflite: bytes, views: np.ndarray) -> Output:
    output = RUNTIMES["litert"].call(tflite, views)
    return replace(output, heatmaps=np.zeros_like(output.heatmaps))


def mute(tflite: bytes, views: np.ndarray) -> Output:
    output = RUNTIMES["litert"].call(tflite, views)
    return replace(output, scores=np.full_like(output.scores, np.nan))


def short(tflite: bytes, views: np.ndarray) -> Output:
    return RUNTIMES["litert"].call(tflite, views[1:])


def refusing(tflite: bytes, views: np.ndarray) -> Output:
    raise ExportError("This runtime is not here; install it.")


@pytest.mark.parametrize(
    ("call", "stage"),
    [(flipping, "runtime"), (blind, "heatmap"), (mute, "runtime"), (short, "runtime"), (refusing, "runtime")],
)
@pytest.mark.parametrize("runtime", ["litert-builtin", "litert"])
def test_a_runtime_that_lies_is_found(tiny: Tiny, call: Any, stage: str, runtime: str) -> None:
    parity = verify_bundle(tiny.bundle, variant="ptq-int8", runtime=replace(RUNTIMES[runtime], call=call))
    assert parity.first_departure == stage
    if call is flipping:
        assert parity.flips >= 12
        assert f"{parity.flips} of 16 verdicts flip." in parity.sentence
    as_json(parity)


def test_the_flips_of_a_noisy_runtime_are_counted_exactly(tiny: Tiny) -> None:
    stored = tiny.bundle.references.stages["tflite/ptq-int8"]
    chosen = [2, 9]

    def noisy(tflite: bytes, views: np.ndarray) -> Output:
        output = RUNTIMES["litert"].call(tflite, views)
        scores = output.scores.copy()
        scores[chosen] = scores[chosen][:, ::-1]
        return replace(output, scores=scores)

    assert all((stored[i] >= 0.5) != (1 - stored[i] >= 0.5) for i in chosen)
    parity = verify_bundle(tiny.bundle, variant="ptq-int8", runtime=replace(RUNTIMES["litert-builtin"], call=noisy))
    assert (parity.first_departure, parity.flips) == ("runtime", 2)
    lenient = Tolerances(runtime=StageLimits(flips=2 / 16, mean=1, p99=1))
    bundle = replace(tiny.bundle, tolerances=lenient)
    assert verify_bundle(bundle, variant="ptq-int8", runtime=replace(RUNTIMES["litert-builtin"], call=noisy)).passed


def test_heatmaps_that_were_never_compared_do_not_pass(tiny: Tiny) -> None:
    stages = {key: np.minimum(values, np.float32(0.25)) for key, values in tiny.bundle.references.stages.items()}
    bundle = with_references(tiny.bundle, stages=stages)
    parity = verify_bundle(bundle, variant="ptq-int8", runtime=RUNTIMES["litert"])
    assert not parity.stages[-1].passed


def test_a_runtime_s_own_trip_takes_the_place_of_what_happens_here(tiny: Tiny) -> None:
    """Only decode, view, runtime and heatmap are the runtime's; its guarantee comes with the run."""
    references = tiny.bundle.references
    views = tuple(hashlib.sha256(view.tobytes()).hexdigest() for view in references.views)
    output = RUNTIMES["litert"].call(tiny.sealed["ptq-int8"], references.views)
    errors = (None,) * len(views)
    whole = ParityRun(tiny.bundle.decoded, views, errors, output, "", "decisions", {"device": "a phone"})

    def evaluated(parity_run: ParityRun, bundle: Bundle = tiny.bundle) -> Parity:
        runtime = replace(RUNTIMES["device"], run_references=lambda bundle, variant: parity_run)
        return verify_bundle(bundle, variant="ptq-int8", runtime=runtime)

    # Pictures that cannot be decoded here are none of its business.
    parity = evaluated(whole, with_references(tiny.bundle, pictures=(b"",) * len(views)))
    assert parity.passed, parity.sentence
    assert parity.phone == {"device": "a phone"}
    assert json.loads(as_json(parity))["phone"] == {"device": "a phone"}
    assert evaluated(replace(whole, decoded=views)).first_departure == "decode"
    assert evaluated(replace(whole, views=tiny.bundle.decoded)).first_departure == "view"
    touched_scores = replace(output, scores=np.nextafter(output.scores, np.float32(0), dtype=np.float32))
    assert evaluated(replace(whole, output=touched_scores)).passed
    assert evaluated(replace(whole, output=touched_scores, guarantee="bits")).first_departure == "runtime"
    torn = replace(whole, decoded=("", *whole.decoded[1:]), errors=("No decoder.", *errors[1:]))
    assert evaluated(torn).stages[0].sentence == "It could not run: No decoder."
    mute = evaluated(replace(whole, output=None, failure="No memory."))
    assert [(one.name, one.sentence) for one in mute.stages if not one.passed] == [
        ("runtime", "It could not run: No memory."),
        ("heatmap", "It could not run: No memory."),
    ]
    assert mute.flips == len(views)


def test_the_finder_must_find_the_eyes_that_the_views_were_made_with(tiny: Tiny) -> None:
    pictures = [GOLDEN / f"{name}.jpg" for name in ("420", "422", "444")] * 6
    count = len(tiny.bundle.references.names)
    data = tuple(path.read_bytes() for path in pictures[:count])
    eyes = tuple(find_in_pixels(decode(path).pixels)[0].eyes for path in pictures[:count])

    def faces_of(eyes: tuple[Eyes | None, ...], *, has_finder: bool = True) -> list[bool]:
        bundle = replace(with_references(tiny.bundle, pictures=data, eyes=eyes), has_finder=has_finder)
        parity = verify_bundle(bundle, variant="ptq-int8", runtime=RUNTIMES["litert"])
        return [stage.passed for stage in parity.stages if stage.name == "faces"]

    assert faces_of(eyes) == [True]
    assert faces_of((replace(eyes[0], x=eyes[0].x + 0.01), *eyes[1:])) == [False]
    assert faces_of((*eyes[:-1], None)) == [False]
    assert faces_of(eyes, has_finder=False) == []


def test_an_unknown_variant_is_refused(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match="float32, ptq-int8"):
        verify_bundle(tiny.bundle, variant="qat-int8", runtime=RUNTIMES["litert"])


def test_half_a_percent_of_the_references_is_one_at_most() -> None:
    assert allowed_flips(Tolerances().converting, 32) == 1
    assert allowed_flips(Tolerances().converting, 200) == 1


@pytest.mark.parametrize("number", [-0.1, 1.1, float("nan"), True, "0.1"])
def test_impossible_tolerances_are_refused(number: Any) -> None:
    with pytest.raises(ExportError, match="Tolerances"):
        Tolerances(heatmap_mean=number)
