"""From a quantised run to what ships: the detector variants, the bundle, and the table that says which is best."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from export.artifacts.bundle import write_bundle
from export.artifacts.metadata import attach, read_description
from export.artifacts.tolerances import Tolerances
from export.benchmark.latency import Latency, measure_latency, this_machine
from export.explain.localisation import Localised, measure_localisation
from export.explain.localisation_sheet import caption, draw_localisation_sheet
from export.explain.mean_heatmaps import mean_heatmaps_of
from export.explain.mean_sheet import illustrations
from export.inference.detector import detector_from
from export.parity.heatmap_similarity import compare_maps
from export.parity.references import choose_references, eyes_are_found, make_references
from export.quantize.describe import describe
from export.quantize.states import KerasState, load_states
from export.release.model_card import RECONSTRUCTIONS, Learned, render_card
from export.release.scoring import score_and_map
from export.release.variants import Variant, VariantComparison, choose_variant, reason, variants_document
from export.tflite.checks import Requirements, check_detector
from export.tflite.convert import Arithmetic, convert
from export.tflite.gpu_delegate import gpu_note
from export.tflite.intermediates import wrong_planes
from train.backbones.table import BACKBONES
from train.common.atomic import write_bytes, write_text
from train.common.errors import ExportError
from train.common.progress import LogCallback
from train.common.tf import load_tensorflow
from train.data.manifest import read_manifest
from train.data.store import Store, pack_beside
from train.evaluate.decision import POINTS
from train.evaluate.evaluation import Evaluation
from train.evaluate.flips import count_flips
from train.evaluate.metrics import compute_metrics
from train.evaluate.report.build import Scored, report
from train.evaluate.report.html import Illustration
from train.evaluate.scores import read_scores, write_scores
from train.evaluate.selection import (
    Pair,
    mark_manifest,
    pairs_of_recipe,
    reported,
    rows_in_training,
    rows_to_report,
    without_reconstructions,
)
from train.fit.average import read_averaged
from train.fit.pipeline import seen_baseline
from train.fit.run_folder import Run, scores_path
from train.fit.scoring import scored_rows

SOURCES: dict[str, tuple[str, Arithmetic]] = {
    "float32": ("float", "float32"),
    "float16": ("float", "float16"),
    "dynamic": ("float", "dynamic"),
    "ptq-int8": ("ptq", "int8"),
    "qat-int8": ("qat", "int8"),
}
"""Each variant: the Keras state it comes from and the converter's arithmetic. float32 comes first: the heatmaps of the
others are compared with its own."""

_PROBES = 8
"""Views on which the front end inside a file is compared with its reference."""


@dataclass(frozen=True)
class Exported:
    """What was made: paths, the table of variants, and evaluations of the float state to the shipped variant."""

    bundle: Path
    table: Path
    report: Path
    comparison: VariantComparison
    evaluations: tuple[Evaluation, ...]

    @property
    def default(self) -> str:
        """The variant that ships."""
        return self.comparison.default

    @property
    def why(self) -> str:
        """Why it is that one, in half a sentence."""
        return self.comparison.why


@dataclass(frozen=True)
class _Made:
    """A variant before it is described to the end: the converted model and what it made of the evaluated rows."""

    name: str
    state: KerasState
    raw: bytes
    partitions: int
    scored: Scored
    heatmaps: np.ndarray


def export_run(
    run: Run,
    folder: Path,
    *,
    reference_manifest: Path | None = None,
    local_fakes: Path | None = None,
    log: LogCallback = lambda line: None,
) -> Exported:
    """Convert, check, score, compare and bundle every variant of a run; `log` gets what is being done.

    Writes `NAME.tflite` for every variant, `variants.json`, `bundle.zip` and `report/` into `folder`;
    `variants.choose_variant` says which one ships. The references are pictures of the run's own manifest, or of
    `reference_manifest`: a bundle carries them, and not every picture may be handed on. `local_fakes` is a folder of
    `data reconstruct --regions`: report and card then say how well heatmaps point. Raises ExportError when a
    variant breaks a requirement of the detector file, TrainError when the run is unfinished.
    """
    states = load_states(run)
    store = run.store()
    rows = scored_rows(store, run)
    seen = pairs_of_recipe(store.manifest.frame, run.recipe.data)
    # Before the work: there may be none.
    carried, chosen_references = _carried(run, store, rows, reference_manifest)
    made = _make_all(run, store, rows, seen, states, log)
    keras = {
        name: Scored(f"{name} (Keras)", read_scores(scores_path(run, name)), state.points)
        for name, state in states.items()
    }
    log("timing")
    plain = {one.name: attach(one.raw, describe(run, seen, one.name, one.state)) for one in made}
    latency = measure_latency(plain, store.pixels[0])
    variants = tuple(_compare(one, made[0], keras, latency[one.name]) for one in made)
    best = choose_variant(variants)
    why = reason(best, variants)
    comparison = VariantComparison(variants, best.name, why, run.recipe.quantize.depthwise, this_machine())

    log("evaluating")
    chosen = next(one for one in made if one.name == best.name)
    shipped = chosen.scored
    side_by_side = [keras["float"], *([] if best.state == "float" else [keras[best.state]]), shipped]
    baseline = seen_baseline(run, store)
    probability = shipped.scores["probability"].to_numpy()
    means = mean_heatmaps_of(store, rows, probability, chosen.heatmaps, shipped.points.balanced)
    localised = _localised(attach(chosen.raw, describe(run, seen, best.name, chosen.state)), local_fakes)
    found = report(
        folder / "report",
        side_by_side,
        store.manifest,
        run.view,
        title=run.recipe.title,
        unclear=run.recipe.data.unclear_faces,
        recipe_text=run.recipe.text,
        baseline=baseline,
        illustrations=(*illustrations(means, shipped.name), *_localisation_sheet(localised, shipped.name)),
    )
    log("making references")
    detectors = {
        one.name: attach(one.raw, replace(describe(run, seen, one.name, one.state), figures=_figures(row, one.scored)))
        for one, row in zip(made, variants, strict=True)
    }
    references = make_references(carried, chosen_references, states, detectors)
    for name, tflite in detectors.items():
        write_bytes(folder / f"{name}.tflite", tflite)
    table = folder / "variants.json"
    write_text(table, json.dumps(variants_document(comparison), indent=1, allow_nan=False) + "\n")
    bundle = folder / "bundle.zip"
    write_bundle(
        bundle,
        variants=detectors,
        default=best.name,
        card=render_card(
            read_description(detectors[best.name]),
            found.evaluations[-1],
            comparison=comparison,
            learned=_learned(store, rows),
            baseline=baseline.verdict if baseline else None,
            localisation=localised.groups if localised else (),
            recipe_text=run.recipe.published_text,
            recipe_sha256=run.recipe.sha256,
            averaged=read_averaged(run),
        ),
        references=references,
        tolerances=Tolerances(),
    )
    return Exported(bundle, table, found.paths.html, comparison, found.evaluations)


def _localised(tflite: bytes, folder: Path | None) -> Localised | None:
    return None if folder is None else measure_localisation(detector_from(tflite, "the detector"), folder)


def _localisation_sheet(found: Localised | None, name: str) -> tuple[Illustration, ...]:
    if found is None:
        return ()
    out = io.BytesIO()
    draw_localisation_sheet(found, name).save(out, "PNG")
    return (Illustration(caption(found), out.getvalue(), name),)


def _carried(run: Run, store: Store, rows: pl.DataFrame, other: Path | None) -> tuple[Store, list[int]]:
    """The store that references are taken from, and the rows of it that they are."""
    if other is not None:
        seen = pairs_of_recipe(store.manifest.frame, run.recipe.data)
        store = pack_beside(read_manifest(other), other, run.view, unclear=run.recipe.data.unclear_faces)
        rows = rows_to_report(mark_manifest(store.manifest, seen))
    if not run.view.needs_eyes:
        return store, choose_references(rows)
    return store, choose_references(rows, suits=partial(eyes_are_found, store.manifest))


def _make_all(
    run: Run,
    store: Store,
    rows: pl.DataFrame,
    seen: tuple[Pair, ...],
    states: Mapping[str, KerasState],
    log: LogCallback,
) -> list[_Made]:
    """Convert, check and score every variant whose Keras state is there, but those that spoil their front end."""
    made = []
    probes = store.pixels[rows["row"].to_numpy()[:: max(1, rows.height // _PROBES)][:_PROBES]]
    for name, (state_name, arithmetic) in SOURCES.items():
        if state_name not in states:
            continue
        log(f"converting and scoring {name}")
        state = states[state_name]
        raw = convert(state.parts, arithmetic)
        sealed = attach(raw, describe(run, seen, name, state))
        facts = check_detector(sealed, name, _requirements(run, state, arithmetic))
        wrong = wrong_planes(sealed, state.parts.front_end.text, probes, name)
        if wrong and arithmetic in ("float16", "dynamic"):
            log(f"leaving out {name}: {wrong:.2%} of its front end's planes are not those of the reference")
            continue
        if wrong:
            raise ExportError(
                f"{name}: {wrong:.2%} of the planes of its front end {state.parts.front_end.text} differ from the "
                "reference; fix the graph or the reference first."
            )
        scores, heatmaps = score_and_map(store, rows, sealed)
        write_scores(scores, run.folder / "scores" / f"{name}.csv")
        made.append(_Made(name, state, raw, facts.partitions, Scored(name, scores, state.points), heatmaps))
    return made


def _requirements(run: Run, state: KerasState, arithmetic: Arithmetic) -> Requirements:
    """What is required of a variant: XNNPACK takes it in one piece, behind a front end in two.

    float16 has one more, which unpacks the weights; of `dynamic` it takes no depthwise convolution, so that none is
    required, nor of backbones that the table says it of.
    """
    pieces = (1 if state.parts.front_end.text == "rgb" else 2) + (arithmetic == "float16")
    in_pieces = arithmetic == "dynamic" or not BACKBONES[run.recipe.model.backbone].in_one_piece
    return Requirements(
        int8_convolutions=_convolutions(state.parts.backbone) if arithmetic == "int8" else None,
        partitions=None if in_pieces else pieces,
        depthwise=run.recipe.quantize.depthwise,
    )


def _convolutions(backbone: Any) -> int:
    """How many convolutions a flat, fake-quantised backbone has: 27 for MobileNet V1."""
    layers = load_tensorflow().keras.layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D)
    return sum(isinstance(getattr(layer, "layer", None), kinds) for layer in backbone.layers)


def _compare(one: _Made, base: _Made, keras: Mapping[str, Scored], latency: tuple[Latency, ...]) -> Variant:
    scores, points = one.scored.scores, one.scored.points
    # What chooses thresholds chooses the variant, too.
    splits: tuple[Literal["val", "test"], ...] = ("val", "test")
    seen = {split: without_reconstructions(rows_in_training(scores, split)) for split in splits}
    aucs = {
        split: compute_metrics(
            (part["label"] == "fake").to_numpy(), part["probability"].to_numpy(), points.balanced
        ).auc
        for split, part in seen.items()
    }
    origin, reference = keras[one.state.name], keras["float"]
    against_keras = count_flips(origin.scores, scores, points, names=(origin.name, one.name))
    against_float = count_flips(
        reference.scores, scores, points, names=(reference.name, one.name), first_points=reference.points
    )
    return Variant(
        name=one.name,
        state=one.state.name,
        bytes=len(one.raw),
        partitions=one.partitions,
        latency=latency,
        validation_auc=aucs["val"].value,
        auc=aucs["test"],
        against_float=against_float,
        against_keras=against_keras,
        heatmaps=compare_maps(*_called_fake(base, one)),
        gpu=gpu_note(one.raw),
    )


def _called_fake(base: _Made, one: _Made) -> tuple[np.ndarray, np.ndarray]:
    """The heatmaps of two variants where both call a picture fake that was not trained or validated on."""
    outside = reported(base.scored.scores).to_numpy()
    both = outside.copy()
    for made in (base, one):
        both &= made.scored.scores["probability"].to_numpy() >= made.scored.points.balanced
    return base.heatmaps[both], one.heatmaps[both]


def _figures(variant: Variant, scored: Scored) -> dict[str, float]:
    """What a detector file says of itself; real pictures are those that no decision of its training was based on."""
    reals = rows_to_report(scored.scores).filter(label="real")["probability"].to_numpy()
    rates = {point: float((reals >= scored.points.decision(point).fake_from).mean()) for point in POINTS}
    return {
        **{f"reals_called_fake {point}": rate for point, rate in rates.items()},
        "validation_auc": variant.validation_auc,
        "test_auc": variant.auc.value,
        "flips_against_keras": variant.against_keras.balanced.value,
        "mean_change_against_keras": variant.against_keras.mean_change,
        "p99_change_against_keras": variant.against_keras.p99_change,
        "flips_against_float": variant.against_float.balanced.value,
        "auc_minus_float": variant.against_float.auc_difference.value,
    }


def _learned(store: Store, rows: pl.DataFrame) -> tuple[Learned, ...]:
    """What was trained, validated and tested on, one row for each source and generator that was in training."""
    seen = rows.filter("seen").select("source", "generator", "label").unique()
    counted = store.manifest.frame.join(seen, on=["source", "generator", "label"], how="semi")
    # They have a source for every source of reals, which says nothing more.
    source = pl.when(pl.col("family") == "reconstruction").then(pl.lit(RECONSTRUCTIONS)).otherwise("source")
    table = (
        counted.with_columns(source=source)
        .group_by("source", "generator", "label")
        .agg(*(((pl.col("split") == split).sum()).alias(split) for split in ("train", "val", "test")))
    )
    return tuple(Learned(**row) for row in table.sort("label", "generator", "source").to_dicts())
