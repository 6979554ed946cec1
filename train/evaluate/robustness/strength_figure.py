"""The figure of a report's robustness section: AUC and changed verdicts over the strength of each corruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from train.common.svg import FAINT, SERIES, inline_svg
from train.evaluate.metrics import Interval
from train.evaluate.robustness.results import Condition

TITLES = {
    "jpeg": "JPEG quality",
    "downscale": "downscaled to",
    "blur": "blur, sigma in px",
    "noise": "noise, sigma",
}
FAKE, UNSEEN, CHANGED = SERIES[1], SERIES[2], SERIES[0]


def robustness_figure(conditions: Sequence[Condition]) -> str:
    """Two rows of panels as SVG text, a column a kind of corruption, each beginning with the pictures as they are.

    conditions: those of one model, the uncorrupted first; at least one more.
    """
    first, *others = conditions
    kinds = [(kind, [first, *group]) for kind, group in groupby(others, key=lambda one: one.kind)]
    seen = "fakes of seen generators" if first.fakes_are_seen else "fakes (none seen in training)"
    color = FAKE if first.fakes_are_seen else UNSEEN

    def draw(figure: Any) -> None:
        panels = figure.subplots(2, len(kinds), squeeze=False, sharex="col", sharey="row")
        for column, (kind, points) in enumerate(kinds):
            above, below = panels[:, column]
            above.set_title(TITLES.get(kind, kind), fontsize=9.5)
            _line(above, points, lambda one: one.overall.auc, color, "o-", seen, -0.06)
            if first.unseen is not None:
                _line(above, points, lambda one: _unseen(one).auc, UNSEEN, "o--", "fakes of unseen generators", 0.06)
            _line(below, points[1:], lambda one: one.flips.verdict, CHANGED, "o-", "verdicts changed", 0, start=1)
            below.set_xticks(range(len(points)), ["as is", *(_tick(one) for one in points[1:])])
            for axes in (above, below):
                axes.set_xlim(-0.4, len(points) - 0.6)
                axes.grid(axis="y")
            above.axhline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
        lowest = min(one.low for point in conditions for one in _aucs(point))
        panels[0, 0].set(ylabel="AUC", ylim=(min(0.48, lowest - 0.03), 1.01))
        panels[1, 0].set(ylabel="verdicts changed", ylim=(0, None))
        panels[1, 0].yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=2)

    return inline_svg("robustness", "AUC and changed verdicts under corruptions", draw, (8.6, 4.2))


def _line(
    axes: Any,
    points: Sequence[Condition],
    of: Callable[[Condition], Interval],
    color: str,
    style: str,
    label: str,
    shift: float,
    start: int = 0,
) -> None:
    found = [of(one) for one in points]
    x = [start + place + shift for place in range(len(found))]
    axes.plot(x, [one.value for one in found], style, color=color, label=label, markersize=4.5, linewidth=1.5)
    axes.vlines(x, [one.low for one in found], [one.high for one in found], color=color, linewidth=1.2)


def _aucs(one: Condition) -> list[Interval]:
    return [one.overall.auc, *([] if one.unseen is None else [one.unseen.auc])]


def _unseen(one: Condition) -> Any:
    return one.unseen


def _tick(one: Condition) -> str:
    return f"{100 * one.strength:g} %" if one.kind == "downscale" else f"{one.strength:g}"
