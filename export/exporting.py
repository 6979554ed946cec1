"""From a quantised run to what ships: the detector variants, the bundle, and the report that says which is best."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from export.bundle import Tolerances, write_bundle
from export.card import render_card
from export.checks import check_detector
from export.convert import Arithmetic, convert
from export.description import CalibrationNote, Description
from export.evaluating import score_detector
from export.metadata import attach, read_description
from export.references import choose_references, make_references
from export.states import KerasState, load_states
from train.data.files import write_bytes
from train.data.store import Store
from train.evaluate.flips import Flips, count_flips
from train.evaluate.judgement import Judgement
from train.evaluate.scores import read_scores, write_scores
from train.judging import Scored, report
from train.run import PACKAGES, Run, scores_path
from train.score import judged_rows
from train.training import seen_baseline

SOURCES: dict[str, tuple[str, Arithmetic]] = {
    "qat-int8": ("qat", "int8"),
    "ptq-int8": ("ptq", "int8"),
    "float16": ("float", "float16"),
    "float32": ("float", "float32"),
}
"""Each variant: the Keras state it comes from and the converter's arithmetic."""


MOBILENET_CONVOLUTIONS = 27
"""One ordinary, 13 depthwise and 13 pointwise convolutions (Howard et al. 2017, table 1)."""


@dataclass(frozen=True)
class Variant:
    """One detector file with how it did: validation AUC, and its flips against the Keras state it was made from."""

    name: str
    tflite: bytes
    scored: Scored
    val_auc: float
    against_keras: Flips
    against_float: Flips


@dataclass(frozen=True)
class Exported:
    """What was made: paths, the shipped variant and why it, and one row a variant for a table."""

    bundle: Path
    report: Path
    default: str
    why: str
    variants: tuple[Variant, ...]
    judgements: tuple[Judgement, ...]


def export_run(run: Run, folder: Path, *, say: Callable[[str], None] = lambda line: None) -> Exported:
    """Convert, check, score, describe and bundle every variant of a run; `say` hears what is being done.

    Writes `NAME.tflite` for every variant, `bundle.zip` and `report/` into `folder`; `choose` says which one ships.
    Raises ExportError when a variant breaks a promise of the detector file, TrainError when the run is unfinished.
    """
    states = load_states(run)
    store = run.store()
    rows = judged_rows(store, run)
    keras = {
        name: Scored(f"{name} (Keras)", read_scores(scores_path(run, name)), state.points)
        for name, state in states.items()
    }
    variants = []
    exact_front_end = states["float"].parts.front_end.text != "rgb"
    for name, (state_name, arithmetic) in SOURCES.items():
        if arithmetic == "float16" and exact_front_end:
            say("leaving out float16: it would round the front end's integers")
        elif state_name in states:
            say(f"converting and scoring {name}")
            variants.append(_make(run, store, rows, name, arithmetic, states[state_name], keras))
    int8 = [one for one in variants if one.name.endswith("int8")]
    best = choose(int8 or variants)

    say("judging")
    origin = SOURCES[best.name][0]
    side_by_side = [keras["float"], best.scored] if origin == "float" else [keras["float"], keras[origin], best.scored]
    found = report(
        folder / "report",
        side_by_side,
        store.manifest,
        run.view,
        title=run.recipe.title,
        unclear=run.recipe.data.unclear_faces,
        recipe_text=run.recipe.text,
        null_model=seen_baseline(run, store),
    )
    say("making references")
    detectors = {one.name: one.tflite for one in variants}
    references = make_references(store, choose_references(rows), states, detectors)
    for name, tflite in detectors.items():
        write_bytes(folder / f"{name}.tflite", tflite)
    why = _reason(best, int8)
    bundle = folder / "bundle.zip"
    write_bundle(
        bundle,
        variants=detectors,
        default=best.name,
        card=render_card(read_description(best.tflite), found.judgements[-1], why=why, recipe_text=run.recipe.text),
        references=references,
        tolerances=Tolerances(),
    )
    return Exported(bundle, found.paths.html, best.name, why, tuple(variants), found.judgements)


def choose(candidates: list[Variant]) -> Variant:
    """The variant to ship: of those within 0.002 of the best validation AUC the one with fewest flips against float.

    Fine-tuning has to earn its place: differences below 0.002 are within the noise of some hundred pictures.
    """
    best = max(one.val_auc for one in candidates)
    close = [one for one in candidates if one.val_auc >= best - 0.002]
    return min(close, key=lambda one: one.against_float.balanced.value)


def _make(
    run: Run,
    store: Store,
    rows: pl.DataFrame,
    name: str,
    arithmetic: Arithmetic,
    state: KerasState,
    keras: Mapping[str, Scored],
) -> Variant:
    from sklearn.metrics import roc_auc_score

    raw = convert(state.parts, arithmetic)
    plain = attach(raw, _describe(run, rows, name, state))
    int8 = MOBILENET_CONVOLUTIONS if arithmetic == "int8" else None
    check_detector(plain, name, int8_convolutions=int8, partitions=1 if arithmetic == "int8" else None)
    scores = score_detector(store, rows, plain)
    write_scores(scores, run.folder / "scores" / f"{name}.csv")
    val = scores.filter(pl.col("seen") & (pl.col("split") == "val"))
    val_auc = float(roc_auc_score((val["label"] == "fake").to_numpy(), val["probability"].to_numpy()))
    origin, reference = keras[state.name], keras["float"]
    against_keras = count_flips(origin.scores, scores, state.points, names=(origin.name, name))
    against_float = count_flips(
        reference.scores, scores, state.points, names=(reference.name, name), first_points=reference.points
    )
    figures = {
        "validation_auc": val_auc,
        "flips_against_keras": against_keras.balanced.value,
        "mean_change_against_keras": against_keras.mean_change,
        "p99_change_against_keras": against_keras.p99_change,
        "auc_minus_float": against_float.auc_difference.value,
    }
    sealed = attach(raw, replace(_describe(run, rows, name, state), figures=figures))
    return Variant(name, sealed, Scored(name, scores, state.points), val_auc, against_keras, against_float)


def _describe(run: Run, rows: pl.DataFrame, variant: str, state: KerasState) -> Description:
    seen = rows.filter(pl.col("seen"))
    _, height, width, _ = state.parts.backbone.output_shape
    points = state.points
    return Description(
        name=run.recipe.title,
        variant=variant,
        view=run.view.text,
        front_end=state.parts.front_end.text,
        size=run.view.size,
        heatmap=(height, width),
        operating_points={"balanced": points.balanced, "fpr-1%": points.fpr_1, "fpr-0.5%": points.fpr_05},
        unsure=points.unsure,
        calibration=CalibrationNote(state.parts.calibration.scale, state.parts.calibration.bias),
        generators_seen=tuple(sorted(set(seen["generator"]))),
        sources_seen=tuple(sorted(set(seen["source"]))),
        training_sha256=run.manifest_sha256,
        created_by={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        licences=run.recipe.data.licences,
    )


def _reason(best: Variant, int8: list[Variant]) -> str:
    if len(int8) < 2:
        return "it is the only candidate"
    other = next(one for one in int8 if one is not best)
    return (
        f"validation AUC {best.val_auc:.4f} against {other.val_auc:.4f} of {other.name}, flips against float "
        f"{best.against_float.balanced.value:.2%} against {other.against_float.balanced.value:.2%}"
    )
