"""The CSV table of a report: every figure with its interval, one a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any

from train.common.documents import quote_formula
from train.evaluate.evaluation import POINTS, Called, Evaluation
from train.evaluate.metrics import Interval, Metrics
from train.evaluate.robustness.results import Condition, Robustness


def report_csv(evaluations: Sequence[Evaluation], robustness: Robustness | None) -> str:
    """Every figure of every evaluation, and of every corruption, one a line with its interval.

    `set` says of which pictures a figure is: all, a generator's or family's fakes, a source's reals; `disturbed` and
    `disturbed reals` are those of `name`, and `disturbed all` counts changed verdicts over both classes.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["model", "set", "name", "seen", "n_real", "n_fake", "metric", "value", "low", "high"])
    for evaluation in evaluations:
        for row in _csv_rows(evaluation):
            writer.writerow(_safe([evaluation.name, *row]))
    for condition in () if robustness is None else robustness.conditions:
        for row in _corrupted_rows(condition):
            writer.writerow(_safe([condition.model, *row]))
    return buffer.getvalue()


def risk_coverage_csv(evaluations: Sequence[Evaluation]) -> str:
    """The points of each risk-coverage curve, one a line, from the surest picture to all of them.

    `set` is `overall` or `unseen`, as in report.csv. `shipped` marks the point that the shipped `unsure` gives.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["model", "set", "coverage", "risk", "shipped"])
    for evaluation in evaluations:
        for name, curve in (("overall", evaluation.risk_coverage), ("unseen", evaluation.unseen_risk_coverage)):
            if curve is None:
                continue
            for coverage, risk in zip(curve.coverage, curve.risk, strict=True):
                writer.writerow(_safe([evaluation.name, name, coverage, risk, False]))
            writer.writerow(_safe([evaluation.name, name, curve.shipped_coverage, curve.shipped_risk, True]))
    return buffer.getvalue()


def _safe(row: list[Any]) -> list[Any]:
    return [quote_formula(cell) if isinstance(cell, str) else cell for cell in row]


def _corrupted_rows(one: Condition) -> Iterator[list[Any]]:
    seen = one.fakes_are_seen
    yield from _metric_rows(["disturbed", one.text, seen], one.overall)
    yield from _called_rows(["disturbed", one.text, seen, 0, one.fakes.n], one.fakes)
    if one.unseen is not None and one.unseen_fakes is not None:
        yield from _metric_rows(["disturbed", one.text, False], one.unseen)
        yield from _called_rows(["disturbed", one.text, False, 0, one.unseen_fakes.n], one.unseen_fakes)
    yield from _called_rows(["disturbed reals", one.text, "", one.reals.n, 0], one.reals)
    n_fake = one.fakes.n + (0 if one.unseen_fakes is None else one.unseen_fakes.n)
    for name in ("balanced", "fpr_1", "fpr_05", "verdict"):
        head = ["disturbed all", one.text, "", one.flips.n - n_fake, n_fake, f"changed_{name}"]
        yield [*head, *asdict(getattr(one.flips, name)).values()]


def _csv_rows(evaluation: Evaluation) -> Iterator[list[Any]]:
    seen = evaluation.fakes_are_seen
    yield from _metric_rows(["overall", "", seen], evaluation.overall)
    if evaluation.unseen is not None:
        yield from _metric_rows(["unseen", "", False], evaluation.unseen)
    for name, known, curve, metrics in (
        ("overall", seen, evaluation.risk_coverage, evaluation.overall),
        ("unseen", False, evaluation.unseen_risk_coverage, evaluation.unseen),
    ):
        if curve is not None and metrics is not None:
            yield [name, "", known, metrics.n_real, metrics.n_fake, "aurc", curve.aurc, "", ""]
    for kind, groups in (("generator", evaluation.generators), ("family", evaluation.families)):
        for group in groups:
            yield from _metric_rows([kind, group.name, group.seen], group.metrics)
            yield from _called_rows([kind, group.name, group.seen, 0, group.called.n], group.called)
    for source in evaluation.real_sources:
        yield from _called_rows(["real source", source.name, source.seen, source.called.n, 0], source.called)


def _metric_rows(head: list[Any], metrics: Metrics) -> Iterator[list[Any]]:
    for field in fields(metrics):
        value = getattr(metrics, field.name)
        if isinstance(value, Interval):
            yield [*head, metrics.n_real, metrics.n_fake, field.name, *asdict(value).values()]


def _called_rows(head: list[Any], called: Called) -> Iterator[list[Any]]:
    for point in POINTS:
        yield [*head, f"called_fake_{point}", *asdict(getattr(called, point)).values()]
    for name in ("unsure", "unsure_fpr_1", "unsure_fpr_05"):
        yield [*head, name, *asdict(getattr(called, name)).values()]
