"""From a quantised run to what ships: the detector variants, the bundle, and the table that says which is best."""

import io
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from export.artifacts.bundle import write_bundle
from export.artifacts.metadata import attach, read_description
from export.artifacts.tolerances import Tolerances
from export.benchmark.latency import measure_latency, this_machine
from export.explain.localisation import Localised, check_local_fakes, measure_localisation
from export.explain.localisation_sheet import caption, draw_localisation_sheet
from export.explain.mean_heatmaps import mean_heatmaps_of
from export.explain.mean_sheet import illustrations
from export.inference.detector import detector_from
from export.parity.references import choose_references, eyes_are_found, make_references
from export.quantize.states import load_states
from export.release.make_variants import compare_made, make_variants
from export.release.model_card import RECONSTRUCTIONS, Learned, render_card
from export.release.variants import Variant, VariantComparison, choose_variant, reason, variants_document
from train.common.atomic import write_bytes, write_text
from train.common.progress import LogCallback
from train.data.manifest import read_manifest
from train.data.store import Store, pack_beside
from train.evaluate.decision import POINTS
from train.evaluate.evaluation import Evaluation
from train.evaluate.report.build import Scored, report
from train.evaluate.report.html import Illustration
from train.evaluate.scores import read_scores
from train.evaluate.selection import (
    mark_manifest,
    pairs_of_recipe,
    rows_to_report,
)
from train.fit.average import read_averaged
from train.fit.pipeline import seen_baseline
from train.fit.run_folder import Run, scores_path
from train.fit.scoring import scored_rows


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
    # Before the work, like the references below.
    if local_fakes is not None:
        check_local_fakes(local_fakes, run.view.needs_eyes)
    states = load_states(run)
    store = run.store()
    rows = scored_rows(store, run)
    seen = pairs_of_recipe(store.manifest.frame, run.recipe.data)
    # Before the work: there may be none.
    carried, chosen_references = _carried(run, store, rows, reference_manifest)
    made = make_variants(run, store, rows, seen, states, log)
    keras = {
        name: Scored(f"{name} (Keras)", read_scores(scores_path(run, name)), state.points)
        for name, state in states.items()
    }
    log("timing")
    latency = measure_latency({one.name: one.sealed for one in made}, store.pixels[0])
    variants = tuple(compare_made(one, made[0], keras, latency[one.name]) for one in made)
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
    localised = _localised(chosen.sealed, local_fakes)
    found = report(
        folder / "report",
        side_by_side,
        store.manifest,
        run.view,
        store=store,
        title=run.recipe.title,
        unclear=run.recipe.data.unclear_faces,
        recipe_text=run.recipe.text,
        baseline=baseline,
        illustrations=(*illustrations(means, shipped.name), *_localisation_sheet(localised, shipped.name)),
    )
    log("making references")
    detectors = {
        one.name: attach(one.raw, replace(one.description, figures=_figures(row, one.scored)))
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
