"""A figure of every generator and camera of a report, as one SVG for a results page.

    .venv/bin/python tests/benchmarks/kinds_figure.py REPORT/report.json docs/results/detector.svg [--model NAME]

Left: of each generator's pictures, the share called fake at the balanced and the 1 % setting; right: the same of each
source of real photographs. Bars are 95 % intervals (Wilson), read from the report; the lowest lines are the worst.
"""

import argparse
from html import escape
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.documents import read_json
from train.common.errors import TrainError
from train.common.svg import INK, SERIES, inline_svg
from train.compare.forest_plot import STYLE

SETTINGS = (("balanced", "balanced setting"), ("fpr_1", "1 % setting"))


def main() -> None:
    """Draw the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("figure", type=Path)
    parser.add_argument("--model", help="name in the report; the last model if not given")
    options = parser.parse_args()
    document = read_json(options.report, error=TrainError, remedy="give the report.json of `fauxlens evaluate`")
    found = document["judgements"]
    chosen = next(one for one in found if one["name"] == options.model) if options.model else found[-1]
    write_text(options.figure, figure_of(chosen))


def figure_of(evaluation: dict[str, Any]) -> str:
    """The two panels as SVG text that stands alone, in light and dark colours."""
    panels = (
        ("generated pictures called fake, %", sorted(evaluation["generators"], key=_balanced)),
        ("real photographs called fake, %", sorted(evaluation["real_sources"], key=_balanced, reverse=True)),
    )
    rows = max(len(groups) for _, groups in panels)

    def draw(figure: Any) -> None:
        for axes, (title, groups) in zip(figure.subplots(1, 2), panels, strict=True):
            _panel(axes, title, groups)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)

    label = escape(f"What {evaluation['name']} calls fake, by generator and by source of real photographs")
    svg = inline_svg("kinds", label, draw, (11, 0.34 * rows + 1.4))
    head, tail = svg.split(">", 1)
    return f"{head}>{STYLE}{tail}"


def _panel(axes: Any, title: str, groups: list[dict[str, Any]]) -> None:
    for number, (key, words) in enumerate(SETTINGS):
        for row, group in enumerate(groups):
            share = group["called"][key]
            value, low, high = (100 * share[name] for name in ("value", "low", "high"))
            place = row + 0.15 - 0.3 * number
            axes.plot([low, high], [place, place], color=SERIES[number], linewidth=1.5)
            axes.plot(value, place, "os"[number], color=SERIES[number], markersize=5, label=words if row == 0 else None)
    axes.set_yticks(range(len(groups)), [_title(group) for group in groups], color=INK)
    axes.set_xlabel(title)
    axes.set_xlim(left=0)
    axes.grid(axis="x")


def _title(group: dict[str, Any]) -> str:
    return f"{group['name']}{'' if group['seen'] else ' (unseen)'}"


def _balanced(group: dict[str, Any]) -> float:
    return float(group["called"]["balanced"]["value"])


if __name__ == "__main__":
    main()
