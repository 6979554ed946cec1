"""Operating points chosen anew on pictures of one's own, and written into a copy of a detector or bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from export.artifacts.bundle import LINEAGE, Bundle, parse_bundle
from export.artifacts.description import Description
from export.artifacts.metadata import read_description
from export.artifacts.new_points import bundle_with, description_with, detector_with
from export.artifacts.seal import digest_of, read_file
from export.artifacts.vouched import is_shipped, vouch
from export.release.model_card import markdown_environment
from export.release.scoring import points_of, score_and_map
from train.common.atomic import write_bytes
from train.common.errors import ExportError, TrainError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, read_manifest
from train.data.store import Store, pack_beside
from train.evaluate import prior_shift
from train.evaluate.calibration import FPR_05, FPR_1, OperatingPoints
from train.evaluate.decision import POINTS, WORDS, Decision
from train.evaluate.evaluation import Called, call
from train.evaluate.metrics import wilson
from train.evaluate.selection import mark_manifest
from train.evaluate.thresholds import Conformal, FalseAlarms, Goal, Recall, choose_for
from train.image.view import parse_view

POINT_FIELDS = {
    "balanced": ("balanced", "unsure"),
    "fpr-1%": ("fpr_1", "unsure_fpr_1"),
    "fpr-0.5%": ("fpr_05", "unsure_fpr_05"),
}
"""Operating point: the fields of `Called` with what it calls fake and unsure."""

_OWN_POINTS = "## Operating points chosen for a setting\n"
_OLD_POINTS, _OLD_TITLE = "## Operating points\n", "## Operating points of the original, not of this copy\n"
_SPLITS = ("all", "train", "val", "test")


@dataclass(frozen=True)
class Rechosen:
    """What was chosen and on what.

    note: who chose, when, on what, for what. before, after: the decision at each of POINTS. reals, fakes: what the new
    points make of the pictures that they were chosen on, None without any. sentences: what a person should know.
    written: the copy.
    """

    note: str
    goal_sentence: str
    n_real: int
    n_fake: int
    before: Mapping[str, Decision]
    after: Mapping[str, Decision]
    reals: Called | None
    fakes: Called | None
    sentences: tuple[str, ...]
    written: Path


def rechoose(
    detector: Path,
    manifest_path: Path,
    target: Path,
    goal: Goal,
    *,
    who: str,
    today: date,
    split: str = "all",
    prevalence: float = 0.02,
    on_progress: ProgressCallback | None = None,
) -> Rechosen:
    """Choose operating points for a goal on a manifest and write `target`, a copy of `detector` that has them.

    detector: a detector file or bundle. target: of a bundle a bundle, or with the suffix .tflite its default variant
    alone. Rows that the detector was trained on, and the test split of their kinds, are left out; `split` takes one
    split only. The variants of each Keras state of a bundle get points of their own, chosen by one of them.
    `prevalence` is the fraction of fakes, 0..1, that the sentence on false alarms speaks of. Raises ExportError where
    the detector cannot be read or copied so, TrainError where the pictures do not suffice, DataError as
    `read_manifest`.
    """
    data = read_file(detector)
    bundle = parse_bundle(data, str(detector)) if data[:4] == b"PK\x03\x04" else None
    _check_target(detector, target, bundle is not None)
    if split not in _SPLITS:
        raise TrainError(f"Unknown split {split!r}: choose one of {', '.join(_SPLITS)}.")
    files = bundle.variants if bundle else {read_description(data, str(detector)).variant: data}
    if is_shipped(detector):
        for one in files.values():
            vouch(digest_of(one))
    default = bundle.default if bundle else next(iter(files))
    if target.suffix == ".tflite":
        files = {default: files[default]}
    described = {name: read_description(one, f"{detector}: {name}") for name, one in files.items()}
    manifest = read_manifest(manifest_path)
    about = described[default]
    store = pack_beside(manifest, manifest_path, parse_view(about.view), unclear=about.unclear_faces)
    rows, notes = _rows(store, about, manifest, split)
    chosen: dict[str, tuple[OperatingPoints, pl.DataFrame]] = {}
    for variant in (default, *files):
        if LINEAGE[variant] not in chosen:
            scores, _ = score_and_map(store, rows, files[variant], on_progress)
            points = choose_for(
                goal, scores["probability"].to_numpy(), (scores["label"] == "fake").to_numpy(), points_of(about)
            )
            chosen[LINEAGE[variant]] = points, scores
    points, scores = chosen[LINEAGE[default]]
    reals, fakes = (_called(scores, label, points) for label in ("real", "fake"))
    found = Rechosen(
        note=_note(goal, manifest_path, manifest, rows, who, today),
        goal_sentence=_goal_sentence(goal),
        n_real=reals.n if reals else 0,
        n_fake=fakes.n if fakes else 0,
        before=dict(about.operating_points),
        after=_table(points),
        reals=reals,
        fakes=fakes,
        sentences=(*notes, *_sentences(goal, reals, fakes, prevalence)),
        written=target,
    )
    fresh = {name: _described(described[name], *chosen[LINEAGE[name]], found.note) for name in files}
    write_bytes(target, _copy(data, bundle, files, fresh, default, found, str(detector), target))
    return found


def card_with(card: str, found: Rechosen) -> str:
    """A model card with a section on the new operating points ahead of the original's, which is named so."""
    environment = markdown_environment()
    section = environment.get_template("points.md.j2").render(r=found, words=WORDS, points=POINT_FIELDS) + "\n"
    if _OWN_POINTS in card:
        # A copy of a copy: the newest points only.
        start = card.index(_OWN_POINTS)
        end = card.find(_OLD_TITLE, start)
        return card[:start] + section + (card[end:] if end >= 0 else "")
    if _OLD_POINTS in card:
        return card.replace(_OLD_POINTS, section + _OLD_TITLE, 1)
    return f"{card.rstrip()}\n\n{section}"


def _check_target(detector: Path, target: Path, is_bundle: bool) -> None:
    if target.exists() and target.samefile(detector):
        raise ExportError(f"{target} is the detector itself, which is not overwritten: give another path with --out.")
    wanted = (".zip", ".tflite") if is_bundle else (".tflite",)
    if target.suffix not in wanted:
        raise ExportError(f"{target} must end in {' or '.join(wanted)}, as {detector} is a copy of that kind.")


def _rows(store: Store, about: Description, manifest: Manifest, split: str) -> tuple[pl.DataFrame, list[str]]:
    """The rows to choose on, each picture once, and sentences on those left out."""
    marked = mark_manifest(store.manifest, about.seen)
    usable = marked.filter(~pl.col("seen") | (pl.col("split") == "val"))
    notes = []
    if used := marked.height - usable.height:
        notes.append(f"{used:,} rows are of kinds that were in its training, and not in the validation split: skipped.")
    if store.dropped:
        notes.append(f"{store.dropped:,} of {manifest.frame.height:,} rows have no face or several: skipped.")
    if split != "all":
        usable = usable.filter(pl.col("split") == split)
    labels = usable.group_by("sha256").agg(pl.col("label").n_unique(), pl.col("path").first())
    if not (both := labels.filter(pl.col("label") > 1)).is_empty():
        raise TrainError(f"{both['path'].sort()[0]} is in the manifest both as real and as fake: correct its label.")
    once = usable.unique("sha256", keep="first", maintain_order=True)
    if again := usable.height - once.height:
        notes.append(f"{again:,} rows are the same file as another row: each file is counted once.")
    if once.is_empty():
        raise TrainError(
            "No row of the manifest may be used: what the detector was trained on, and the test split of its kinds, "
            "cannot choose its operating points. Give pictures of other sources."
        )
    return once, notes


def _called(scores: pl.DataFrame, label: str, points: OperatingPoints) -> Called | None:
    rows = scores.filter(label=label)
    return None if rows.is_empty() else call(rows, points)


def _table(points: OperatingPoints) -> dict[str, Decision]:
    return {name: points.decision(name) for name in POINTS}


def _described(about: Description, points: OperatingPoints, scores: pl.DataFrame, note: str) -> Description:
    reals = _called(scores, "real", points)
    measured = {name: getattr(reals, fake).value for name, (fake, _) in POINT_FIELDS.items()} if reals else {}
    return description_with(about, _table(points), note, measured)


def _copy(
    data: bytes,
    bundle: Bundle | None,
    files: Mapping[str, bytes],
    fresh: Mapping[str, Description],
    default: str,
    found: Rechosen,
    name: str,
    target: Path,
) -> bytes:
    if bundle is None or target.suffix == ".tflite":
        return detector_with(files[default], fresh[default], name)
    return bundle_with(data, fresh, card_with(bundle.card, found), name)


def _note(goal: Goal, path: Path, manifest: Manifest, rows: pl.DataFrame, who: str, today: date) -> str:
    counts = {label: rows.filter(label=label).height for label in ("real", "fake")}
    of = ", ".join(f"{count:,} {label}" for label, count in counts.items() if count)
    author = " ".join(who.split()) or "somebody unnamed"
    return (
        f"Its operating points were chosen by {author} on {today.isoformat()}, {_goal_words(goal)}, on {path.name} "
        f"({of} pictures, SHA-256 {manifest.sha256[:16]})"
    )


def _goal_words(goal: Goal) -> str:
    if isinstance(goal, FalseAlarms):
        return f"for at most {100 * goal.rate:g} % false alarms"
    if isinstance(goal, Recall):
        return f"for at least {100 * goal.rate:g} % of the fakes"
    if isinstance(goal, Conformal):
        return f"with a conformal guarantee at {100 * goal.rate:g} %"
    return (
        f"for the least cost, a false alarm costing {goal.false_alarm:g} and a missed fake {goal.miss:g}, where "
        f"{prior_shift.of_pictures(goal.prevalence)} fake"
    )


def _goal_sentence(goal: Goal) -> str:
    if isinstance(goal, Conformal):
        return (
            f"Of new pictures like these at most {100 * goal.rate:g} % of the reals are called fake at the balanced "
            f"point and at most {100 * goal.rate:g} % of the fakes real, on average over such sets of pictures; for "
            "other cameras and generators nothing is guaranteed."
        )
    return f"The balanced point was chosen {_goal_words(goal)}; the others for 1 % and 0.5 % false alarms, never below."


def _sentences(goal: Goal, reals: Called | None, fakes: Called | None, prevalence: float) -> tuple[str, ...]:
    said: list[str] = []
    if reals:
        rates = sorted({FPR_1, FPR_05} | ({goal.rate} if isinstance(goal, FalseAlarms) else set()), reverse=True)
        if few := [rate for rate in rates if rate * reals.n < 1]:
            said.append(_under_one(few, reals.n, "real"))
    else:
        said.append(
            "There are no reals: the false alarm rate was not measured, and the 1 % and 0.5 % points are unchanged."
        )
    if not fakes:
        said.append(
            "There are no fakes: the detection rate was not measured, and the start of “cannot tell” is unchanged."
        )
    elif isinstance(goal, Recall) and (1 - goal.rate) * fakes.n < 1:
        said.append(
            f"{100 * (1 - goal.rate):g} % of {fakes.n} fakes is under one picture: the threshold lies below all of "
            "them."
        )
    if reals:
        for name, (fake, _) in POINT_FIELDS.items():
            alarms = prior_shift.prevalence_sentence(
                prevalence, getattr(reals, fake), getattr(fakes, fake) if fakes else None
            )
            said.append(f"At {name}: {alarms[0].lower()}{alarms[1:]}")
    return tuple(said)


def _under_one(rates: Sequence[float], count: int, kind: str) -> str:
    listed = " and ".join(f"{100 * rate:g} %" for rate in rates)
    most = 100 * wilson(0, count).high
    return (
        f"{listed} of {count} {kind} picture{'s' if count > 1 else ''} is under one picture: that point lies above all "
        f"of them, and up to {most:.1f} % of such pictures may still be called fake (95 %)."
    )
