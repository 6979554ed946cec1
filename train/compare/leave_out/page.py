"""Left-out figures as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from train.common.svg import FAINT, INK, PAPER, SERIES, inline_svg
from train.common.text import harmless
from train.compare.leave_out.figures import LeftOutRow, SchemeResult
from train.compare.leave_out.tables import HOW_TO_READ, leave_out_findings, title_of, trainings_of, wide_table
from train.evaluate.report.html import page_style


def page(results: Sequence[SchemeResult], title: str, recipe_text: str) -> str:
    """The page of all schemes: sentences, a figure and the whole table of each."""
    environment = Environment(
        loader=PackageLoader("train.compare.leave_out", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=harmless,
    )
    return environment.get_template("page.html.j2").render(
        title=title,
        style=page_style(),
        how_to_read=HOW_TO_READ,
        # Drawn by Matplotlib from names that it escapes itself.
        parts=[
            (trainings_of(one), title_of(one.scheme), wide_table(one), leave_out_findings(one), Markup(_figure(one)))
            for one in results
        ],
        recipe_text=recipe_text,
    )


def _figure(result: SchemeResult) -> str:
    rows = [row for row in result.rows if row.auc is not None]
    names = [_label(result, row) for row in rows]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            if row.auc is None:
                continue
            color = SERIES[0 if row.label == "fake" else 1]
            axes.plot([row.auc.low, row.auc.high], [-place] * 2, color=color, linewidth=1.6)
            axes.plot(row.auc.value, -place, "o", color=color, markersize=7)
            if row.metadata is not None:
                axes.plot(row.metadata.value, -place, "D", color=INK, markersize=4.5)
            if row.when_seen is not None and row.label == "fake":
                axes.plot(row.when_seen, -place, "o", color=color, markersize=7, markerfacecolor=PAPER)
        axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
        axes.set_yticks([-place for place in range(len(rows))], names)
        axes.set(ylim=(0.6 - max(1, len(rows)), 0.6), xlabel="AUC; 0.5 is guessing")
        axes.set_xlim(right=1.02)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    return inline_svg(
        f"leave-out-{result.scheme}", f"{title_of(result.scheme)}: AUC", draw, (8.6, 0.9 + 0.3 * len(rows))
    )


def _label(result: SchemeResult, row: LeftOutRow) -> str:
    if result.scheme == "matrix":
        return f"{', '.join(result.trained_on[row.plan])} → {row.name}{' (seen)' if row.seen else ''}"
    return f"{row.name}, {row.label}s" + (" / reals left out" if row.against == "reals left out" else "")
