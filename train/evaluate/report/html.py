"""Evaluations as one self-contained HTML page, a JSON document and a CSV table."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from train.common.atomic import write_text
from train.common.documents import read_json
from train.common.errors import TrainError
from train.common.text import harmless
from train.evaluate.by_attribute import ByAttribute
from train.evaluate.evaluation import Evaluation
from train.evaluate.flips import Flips
from train.evaluate.formatting import percent
from train.evaluate.plain import from_plain, to_plain
from train.evaluate.prior_shift import alarm_sentences
from train.evaluate.report import figures, summary
from train.evaluate.report.attribute_tables import group_findings, group_tables, groups_csv
from train.evaluate.report.csv_table import report_csv, risk_coverage_csv
from train.evaluate.robustness.results import Condition, Robustness, hardest
from train.evaluate.robustness.strength_figure import robustness_figure
from train.evaluate.shortcuts.explain import WORDS, Shortcuts

FORMAT = 1
"""Version of report.json; a reader refuses another one."""

MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

Thumbnails = Callable[[str], bytes | None]


@dataclass(frozen=True)
class BaselineNote:
    """What a model that sees only metadata (size, format, JPEG quality, bytes) reaches on the same split."""

    auc: float
    verdict: str


@dataclass(frozen=True)
class Illustration:
    """A further picture for the page, JPEG or PNG bytes, for instance the mean heatmap of a class; `of` which model."""

    caption: str
    data: bytes
    of: str = ""


@dataclass(frozen=True)
class ReportPaths:
    """The files of a report; `groups` only where groups of people were asked for."""

    html: Path
    json: Path
    csv: Path
    risk_coverage: Path
    groups: Path | None = None


def write_report(
    folder: Path,
    evaluations: Sequence[Evaluation],
    *,
    title: str,
    flips: Sequence[Flips] = (),
    recipe_text: str = "",
    baseline: BaselineNote | None = None,
    robustness: Robustness | None = None,
    illustrations: Sequence[Illustration] = (),
    by_attribute: Sequence[ByAttribute] = (),
    shortcuts: Shortcuts | None = None,
    thumbnails: Thumbnails | None = None,
) -> ReportPaths:
    """Writes report.html, report.json, report.csv and risk_coverage.csv into `folder`, each whole or not at all; with
    `by_attribute` also groups.csv, without it that of an earlier report there is removed.

    The first evaluation leads: the words on top, the curves and the worst mistakes are its own; the tables show all
    of them side by side. `thumbnails` gives JPEG or PNG bytes for the path of a mistake, or None.
    Raises TrainError when there is no evaluation or two share a name.
    """
    names = [evaluation.name for evaluation in evaluations]
    if not names:
        raise TrainError(f"Nothing to report in {folder}: give at least one evaluation.")
    if len(set(names)) < len(names):
        raise TrainError(f"Two evaluations of the report in {folder} share a name ({', '.join(names)}): rename one.")
    groups = folder / "groups.csv" if by_attribute else None
    html_path, json_path, csv_path, risk_path = (
        folder / name for name in ("report.html", "report.json", "report.csv", "risk_coverage.csv")
    )
    paths = ReportPaths(html_path, json_path, csv_path, risk_path, groups)
    page = _environment().get_template("report.html.j2")
    html = page.render(
        title=title,
        style=page_style(),
        lead=evaluations[0],
        evaluations=evaluations,
        flips=flips,
        recipe_text=recipe_text,
        baseline=baseline,
        shortcuts=shortcuts,
        shortcut_words=WORDS,
        robustness=robustness,
        corrupted=_by_corruption(robustness),
        figures=_figures(evaluations, robustness),
        side_by_side={part: _side_by_side(evaluations, part) for part in ("generators", "families", "real_sources")},
        illustrations=[(item, _data_uri(item.data)) for item in illustrations],
        people=[(found, group_tables(found), group_findings(found)) for found in by_attribute],
        mistakes=_mistakes(evaluations[0], thumbnails),
        point_words={"balanced": "balanced", "fpr_1": "1 % false alarms", "fpr_05": "0.5 % false alarms"},
    )
    document = {
        "format": FORMAT,
        "title": title,
        "judgements": [to_plain(evaluation) for evaluation in evaluations],
        "flips": [to_plain(item) for item in flips],
        "audit": None if baseline is None else to_plain(baseline),
        "shortcuts": None if shortcuts is None else to_plain(shortcuts),
        "prior_shift": list(alarm_sentences(evaluations[0])),
        "robustness": None if robustness is None else to_plain(robustness),
        "by_attribute": [to_plain(found) for found in by_attribute],
        "illustrations": [{"of": item.of, "caption": item.caption} for item in illustrations],
        "recipe": recipe_text,
    }
    stale = _stale_groups(folder) if paths.groups is None else None
    write_text(paths.json, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_text(paths.csv, report_csv(evaluations, robustness))
    write_text(paths.risk_coverage, risk_coverage_csv(evaluations))
    if paths.groups is not None:
        write_text(paths.groups, groups_csv(by_attribute))
    write_text(paths.html, html)
    if stale is not None:
        stale.unlink(missing_ok=True)
    return paths


def page_style() -> Markup:
    """The style sheet of this page, for others of the same looks."""
    return Markup(files("train.evaluate.report").joinpath("style.css").read_text(encoding="utf-8").rstrip())


def _stale_groups(folder: Path) -> Path | None:
    """The groups.csv that the report before this one in the folder wrote; None for one of somebody else, or none."""
    path = folder / "groups.csv"
    try:
        before = read_json(folder / "report.json", error=TrainError, remedy="write the report again")
    except (FileNotFoundError, TrainError):
        return None
    return path if isinstance(before, dict) and before.get("by_attribute") and path.is_file() else None


def read_evaluations(path: Path) -> tuple[Evaluation, ...]:
    """The evaluations of a report.json; raises TrainError when it is missing, not JSON or of another version."""
    try:
        document = read_json(path, error=TrainError, remedy="write the report again")
    except FileNotFoundError as error:
        raise TrainError(f"{path} does not exist: write it with `fauxlens evaluate`.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TrainError(f"{path} is not a report in format {FORMAT}: write it again with this version.")
    try:
        return tuple(from_plain(Evaluation, item) for item in document.get("judgements") or [])
    except TrainError as error:
        raise TrainError(f"{path}: {error}") from error


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("train.evaluate.report", ""),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.globals["DECIMALS"] = DECIMALS
    environment.globals.update(
        catches=summary.catches, misses=summary.misses, cautions=summary.cautions, alarms=alarm_sentences
    )
    environment.globals.update(hardest=hardest, METRICS=METRICS)
    return environment


METRICS = (
    ("auc", "AUC", "chance that a fake scores above a real one; 0.5 is guessing"),
    ("ap", "Average precision", "mean precision over all recalls; depends on the mix of the set"),
    ("eer", "Equal error rate", "where misses equal false alarms; lower is better"),
    ("tpr_at_1", "TPR at 1 % FPR", "fakes caught by the threshold that gives 1 % false alarms on these pictures"),
    ("tpr_at_05", "TPR at 0.5 % FPR", "the same at 0.5 %"),
    (
        "ece",
        "Calibration error (ECE)",
        "mean gap between stated and true fraction, 15 bins, both classes weighted equally",
    ),
    ("accuracy", "Accuracy", "verdicts that are right; depends on the mix of the set"),
    ("balanced_accuracy", "Balanced accuracy", "mean of recall and of reals left alone"),
    ("precision", "Precision", "of those called fake, how many are; depends on the mix of the set"),
    ("recall", "Recall", "fakes called fake"),
    ("f1", "F1", "harmonic mean of precision and recall"),
    ("false_alarms", "False alarms", "reals called fake"),
)
"""Field of Metrics, heading, meaning."""

DECIMALS = ("auc", "ap", "ece", "f1")
"""Figures by custom written 0.987 and not in per cent."""


def _figures(evaluations: Sequence[Evaluation], robustness: Robustness | None) -> dict[str, Markup]:
    lead = evaluations[0]
    withstood = () if robustness is None else robustness.of(lead.name)
    # Drawn by Matplotlib from numbers and names that it escapes itself.
    return {
        "generators": Markup(figures.generators_figure(evaluations)),
        "histogram": Markup(figures.histogram_figure(lead)),
        "roc": Markup(figures.roc_figure(lead)),
        "precision_recall": Markup(figures.precision_recall_figure(lead)),
        "reliability": Markup(figures.reliability_figure(lead)),
        "risk_coverage": Markup(figures.risk_coverage_figure(lead)),
        "robustness": Markup(robustness_figure(withstood)) if len(withstood) > 1 else Markup(),
    }


def _side_by_side(evaluations: Sequence[Evaluation], part: str) -> list[list[tuple[Evaluation, Any]]]:
    """Groups of the same name and kind, one list for each, in the order in which they first come."""
    rows: dict[tuple[str, bool], list[tuple[Evaluation, Any]]] = {}
    for evaluation in evaluations:
        for group in getattr(evaluation, part):
            rows.setdefault((group.name, group.seen), []).append((evaluation, group))
    return list(rows.values())


def _by_corruption(robustness: Robustness | None) -> list[list[Condition]]:
    """Conditions of the same corruption, one list for each, in the order in which they first come."""
    rows: dict[str, list[Condition]] = {}
    for condition in () if robustness is None else robustness.conditions:
        rows.setdefault(condition.text, []).append(condition)
    return list(rows.values())


def _mistakes(evaluation: Evaluation, thumbnails: Thumbnails | None) -> list[tuple[Any, str | None]]:
    shown = []
    for mistake in evaluation.mistakes:
        data = None if thumbnails is None else thumbnails(mistake.path)
        shown.append((mistake, None if data is None else _data_uri(data)))
    return shown


def _data_uri(data: bytes) -> str | None:
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return None
