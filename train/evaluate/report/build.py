"""From score tables to a run's report: every model side by side, with pictures of the worst mistakes."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from train.data.audit.audit import AuditLimits, baseline_verdict
from train.data.audit.metadata_baseline import MetadataBaseline, fit_metadata_baseline
from train.data.manifest import Manifest
from train.data.rows import view_row
from train.data.store import Store
from train.evaluate.by_attribute import Attributes, ByAttribute, compare_groups
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.flips import Flips, count_flips
from train.evaluate.report.html import BaselineNote, Illustration, ReportPaths, Thumbnails, write_report
from train.evaluate.robustness.results import Robustness
from train.evaluate.selection import Which
from train.evaluate.shortcuts.explain import Shortcuts
from train.image.view import Unclear, View


@dataclass(frozen=True)
class Scored:
    """One model's scores table and the operating points that go with it."""

    name: str
    scores: pl.DataFrame
    points: OperatingPoints


@dataclass(frozen=True)
class Reported:
    """What was found, and the files that say so."""

    evaluations: tuple[Evaluation, ...]
    flips: tuple[Flips, ...]
    paths: ReportPaths
    robustness: Robustness | None = None
    notes: tuple[str, ...] = ()
    by_attribute: tuple[ByAttribute, ...] = ()
    shortcuts: Shortcuts | None = None


def report(
    folder: Path,
    scored: Sequence[Scored],
    manifest: Manifest,
    view: View,
    *,
    store: Store | None = None,
    title: str,
    unclear: Unclear = "drop",
    recipe_text: str = "",
    baseline: BaselineNote | None = None,
    robustness: Robustness | None = None,
    illustrations: Sequence[Illustration] = (),
    by: Sequence[Attributes] = (),
    shortcuts: Callable[[Evaluation], Shortcuts] | None = None,
    which: Which = "test",
) -> Reported:
    """Evaluate every model, count the flips of each against the one before it, and write report.html, .json and .csv.

    The page shows pictures as `view` makes them: out of `store`, which holds them so, else decoded once more.

    Each model's verdicts are those at its own operating points, as it would ship. `robustness` is what
    `train.evaluate.robustness.apply` found of the same models, `illustrations` are further pictures, such as mean
    heatmaps; `shortcuts` says of the first evaluation what else explains it; `by` are attributes of the manifest whose
    groups are compared, for each model.
    """
    evaluations = tuple(evaluate_scores(one.scores, one.points, name=one.name, which=which) for one in scored)
    flips = tuple(
        count_flips(
            first.scores,
            second.scores,
            second.points,
            names=(first.name, second.name),
            first_points=first.points,
            which=which,
        )
        for first, second in pairwise(scored)
    )
    by_attribute = tuple(
        compare_groups(one.scores, manifest.frame, names, one.points, name=one.name, which=which)
        for one in scored
        for names in by
    )
    explained = None if shortcuts is None else shortcuts(evaluations[0])
    paths = write_report(
        folder,
        evaluations,
        title=title,
        flips=flips,
        recipe_text=recipe_text,
        baseline=baseline,
        robustness=robustness,
        illustrations=illustrations,
        by_attribute=by_attribute,
        shortcuts=explained,
        thumbnails=store_thumbnails(store) if store else view_thumbnails(manifest, view, unclear),
    )
    return Reported(evaluations, flips, paths, robustness, by_attribute=by_attribute, shortcuts=explained)


def metadata_baseline(frame: pl.DataFrame) -> BaselineNote | None:
    """What file metadata alone reaches on these manifest rows, in words and AUC; None where there are too few."""
    return baseline_note(fit_metadata_baseline(frame))


def baseline_note(found: MetadataBaseline | None) -> BaselineNote | None:
    """A metadata baseline in words and AUC."""
    return None if found is None else BaselineNote(found.auc, baseline_verdict(found, AuditLimits()))


def view_thumbnails(manifest: Manifest, view: View, unclear: Unclear) -> Thumbnails:
    """Pictures for the page, through the view: what the detector saw is what the reader should see."""

    def thumbnail(path: str) -> bytes | None:
        row = manifest.frame.row(by_predicate=pl.col("path") == path, named=True)
        return _jpeg(view_row(manifest, row, view, unclear))

    return thumbnail


def store_thumbnails(store: Store) -> Thumbnails:
    """The same out of a store, which has them decoded."""
    places = {path: place for place, path in enumerate(store.manifest.frame["path"])}
    return lambda path: _jpeg(store.pixels[places[path]])


def _jpeg(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()
