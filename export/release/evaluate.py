"""Evaluate finished detector files: the same door for a Keras run and a `.tflite`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from export.release.merged_scores import score_merged
from export.release.score_path import check_model, score_path
from export.release.scored_model import ScoredModel
from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.common.text import first_names
from train.data.audit.metadata_baseline import MetadataBaseline, fit_metadata_baseline
from train.data.manifest import Manifest, read_manifest
from train.data.store import Store
from train.evaluate.by_attribute import parse_by
from train.evaluate.evaluation import Evaluation
from train.evaluate.report.build import Reported, baseline_note, report
from train.evaluate.report.html import read_evaluations
from train.evaluate.robustness.apply import PICTURES, RobustnessSubject, find_robustness
from train.evaluate.robustness.corruptions import SETS, Corruption
from train.evaluate.robustness.results import Robustness
from train.evaluate.scores import write_scores
from train.evaluate.selection import Which, reported, rows_to_report
from train.evaluate.shortcuts.bias_score import find_bias_score
from train.evaluate.shortcuts.explain import (
    ShortcutBaseline,
    Shortcuts,
    explain_auc,
    framing_baseline,
    low_frequency_baseline,
)

# So many kinds are named in a sentence.
_NAMED = 6


def evaluate_models(
    models: Sequence[Path],
    manifest_path: Path,
    folder: Path,
    on_progress: ProgressCallback | None = None,
    *,
    robustness: str = "none",
    pictures: int = PICTURES,
    by: str = "",
    which: Which = "test",
    names: Sequence[str] = (),
    scores_at: str = "",
    view: str = "",
    pixels_range: str = "",
    bias_score: bool = False,
    parquet: bool = False,
    scores: Path | None = None,
) -> Reported:
    """Evaluate run folders, detector files or bundles on one manifest; write a report, and scores.csv with each
    picture's.

    Of a second model the scores go to scores-2.csv. With `parquet` they are also written as Parquet. Scores that an
    earlier report of the folder had and this one has not are removed.

    What a model was trained on decides which rows count as seen. `robustness` names a set of corruptions
    (train.evaluate.robustness.corruptions.SETS), which at most so many `pictures` go through. `by` names attributes of
    the manifest whose groups are compared (train.evaluate.by_attribute.parse_by). With `which` "all" the rows that a
    model was trained on are evaluated, too, but for robustness. `names` are what the report calls the models, else the
    names of their files. A model may also be a table of another tool's scores (train.evaluate.foreign_scores), whose
    column is `scores_at` where it has another name than usual. `bias_score`: at most so many `pictures` are also shown
    as files of the other class are. `scores` is a table of a single model's scores that was put together from parts:
    then the model is not run on all pictures again, and what takes all of their pixels is not in the report.

    Raises TrainError when models of different views are asked for side by side, and what is wrong with a model or the
    manifest.
    """
    if robustness not in SETS:
        raise TrainError(f"Unknown set of corruptions {robustness!r}: choose one of {', '.join(SETS)}.")
    called = model_names(models, names)
    manifest = read_manifest(manifest_path)
    groups = parse_by(by, manifest.frame, str(manifest_path)) if by else ()
    if scores is not None and len(models) > 1:
        raise TrainError(f"{scores} has the scores of one model, but two are given: evaluate them separately.")
    for path in models[1:]:
        # Before the first one has scored every picture.
        check_model(path, view)
    found = [
        score_merged(path, name, manifest, which, scores)
        if scores is not None
        else score_path(path, name, manifest, manifest_path, which, scores_at, view, pixels_range, on_progress)
        for path, name in zip(models, called, strict=True)
    ]
    views = [one.view.text for one in found]
    if len({one.open_model is None for one in found}) > 1:
        raise TrainError(
            "A table of scores and a detector are not reported on the same rows: evaluate them separately, or give "
            "the detector's scores.csv with the table."
        )
    if len(set(views)) > 1:
        raise TrainError(f"The models have different views ({', '.join(views)}): evaluate them separately.")
    if len({one.unclear for one in found}) > 1 and found[0].view.needs_eyes:
        raise TrainError("The models treat pictures with no or several faces differently: evaluate them separately.")
    # What is read now may be a table that an earlier report wrote there.
    stale = {path for path in _scores_of_before(folder) if path.resolve() not in [one.resolve() for one in models]}
    for number, one in enumerate(found, 1):
        for suffix in (".csv", ".parquet") if parquet else (".csv",):
            path = folder / f"scores{f'-{number}' if number > 1 else ''}{suffix}"
            write_scores(one.scored.scores, path)
            stale.discard(path)
    metadata = fit_metadata_baseline(manifest.frame)
    lead_store = None if found[0].open_store is None else found[0].open_store()
    reported = report(
        folder,
        [one.scored for one in found],
        manifest,
        found[0].view,
        store=lead_store,
        unclear=found[0].unclear,
        title=f"{', '.join(called if names else map(str, models))} on {manifest_path.name}",
        baseline=baseline_note(metadata),
        robustness=_robustness(found, manifest, SETS[robustness], pictures, on_progress),
        illustrations=next((one.illustrations for one in found if one.illustrations), ()),
        by=groups,
        shortcuts=lambda lead: _shortcuts(
            lead, found[0], lead_store, manifest, metadata, pictures if bias_score else 0, on_progress
        ),
        which=which,
    )
    for path in stale:
        path.unlink(missing_ok=True)
    notes = (sentence for one in found for sentence in (*one.notes, _note(one, manifest, which)))
    return replace(reported, notes=tuple(filter(None, notes)))


def _scores_of_before(folder: Path) -> set[Path]:
    """The scores beside the report that a folder holds already; none where there is no report of ours."""
    try:
        count = len(read_evaluations(folder / "report.json"))
    except TrainError:
        return set()
    names = ["scores", *(f"scores-{number}" for number in range(2, count + 1))]
    return {path for name in names for kind in ("csv", "parquet") if (path := folder / f"{name}.{kind}").is_file()}


def model_names(models: Sequence[Path], given: Sequence[str] = ()) -> list[str]:
    """Return what models are called: as `given`, else by their files, or by their paths where two files have one name.

    Raises TrainError where as many names are not given as there are models, or one twice.
    """
    if given:
        if len(given) != len(models) or len(set(given)) < len(given) or not all(map(str.strip, given)):
            raise TrainError(
                f"There are {len(models)} models and the names {', '.join(map(repr, given))}: give --name once per "
                "model, all different and not empty."
            )
        return list(given)
    names = [path.resolve().name if path.name in ("", "..") else path.name for path in models]
    return names if len(set(names)) == len(names) else [str(path) for path in models]


def _note(one: ScoredModel, manifest: Manifest, which: Which) -> str:
    """Which rows of a manifest a model was not evaluated on, and why, or which it was trained on; else empty."""
    name, frame = one.scored.name, manifest.frame
    if one.notes:
        return ""
    evaluated = rows_to_report(one.scored.scores, which)
    trained = one.marked.filter(~reported(one.marked))
    notes = []
    if which == "all" and trained.height:
        notes.append(
            f"{trained.height:,} of {evaluated.height:,} rows are of generators and sources it was trained on "
            f"({_pairs(trained)}): results on them do not hold for other pictures."
        )
    elif trained.height:
        notes.append(
            f"{trained.height:,} of {frame.height:,} rows were not evaluated: {_pairs(trained)} was in its training, "
            "and they are not in the test split. Use --split all to include them."
        )
    unclear = frame.height - one.marked.height
    if unclear:
        notes.append(f"{unclear:,} of {frame.height:,} rows have no face or several, and its view needs one.")
    return f"{name}: {' '.join(notes)}" if notes else ""


def _pairs(rows: pl.DataFrame) -> str:
    """The kinds of some rows, as `generator of source`."""
    pairs = rows.select("generator", "source").unique().sort("generator", "source").rows()
    return first_names([f"{generator} of {source}" for generator, source in pairs], _NAMED)


def _robustness(
    found: Sequence[ScoredModel],
    manifest: Manifest,
    corruptions: Sequence[Corruption],
    pictures: int,
    on_progress: ProgressCallback | None,
) -> Robustness | None:
    if not corruptions:
        return None
    subjects = []
    for one in found:
        if one.open_model is None:
            raise TrainError(
                f"{one.scored.name} is a table of scores and cannot score corrupted pictures: omit --robustness."
            )
        subjects.append(RobustnessSubject(one.scored.name, one.scored.scores, one.scored.points, one.open_model()))
    return find_robustness(
        subjects,
        manifest,
        found[0].view,
        corruptions,
        unclear=found[0].unclear,
        pictures=pictures,
        on_progress=on_progress,
    )


def _shortcuts(
    lead: Evaluation,
    found: ScoredModel,
    store: Store | None,
    manifest: Manifest,
    metadata: MetadataBaseline | None,
    pictures: int,
    on_progress: ProgressCallback | None,
) -> Shortcuts:
    """What else explains the leading model's figure; the bias score of so many pictures, 0 for none."""
    baselines = (
        None if metadata is None else ShortcutBaseline("metadata", metadata.auc, metadata.low, metadata.high),
        framing_baseline(manifest.frame),
        None if store is None else low_frequency_baseline(store.manifest.frame, store.pixels),
    )
    bias = None
    if pictures:
        if found.open_model is None:
            raise TrainError(f"{found.scored.name} is a table of scores and cannot score pictures: omit --bias-score.")
        reported_paths = rows_to_report(found.scored.scores).select("path")
        bias = find_bias_score(
            found.open_model(),
            reported_paths.join(manifest.frame, on="path", maintain_order="left"),
            manifest,
            found.view,
            unclear=found.unclear,
            pictures=pictures,
            on_progress=on_progress,
        )
    return explain_auc(lead.overall.auc.value, [one for one in baselines if one], bias, aligned=found.view.needs_eyes)
