"""A forest plot of a comparison: every difference from the baseline with its interval, as a picture of its own."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.errors import TrainError
from train.common.svg import FAINT, INK, PAPER, SERIES, inline_svg
from train.compare.bootstrap import METRICS, Metric
from train.compare.seeds import NOTHING_FOUND, ArmComparison, BlockFigures, Difference
from train.compare.tables import MINUS, TITLES, set_name

MARKERS = "osD^vP"
GAINS = {"auc": "higher is better", "tpr_at_1": "higher is better", "false_alarms": "lower is better"}
# The colours of the report (report.html.j2), for a file that stands alone.
STYLE = """<style>
svg { --paper: #fdfdfc; --ink: #1d2126; --faint: #b9bec4; background: var(--paper);
 --series-1: #0072b2; --series-2: #d55e00; --series-3: #8f4f86; --series-4: #00795a; }
@media (prefers-color-scheme: dark) { svg { --paper: #15181c; --ink: #e6e8ea; --faint: #565e66;
 --series-1: #56b4e9; --series-2: #f0884a; --series-3: #d79bcb; --series-4: #35c79b; } }
text { font-family: system-ui, sans-serif !important; }
</style>"""


def check_figure_path(path: Path) -> None:
    """Raise TrainError unless a figure can be written there; call it before the work."""
    if path.suffix.lower() != ".svg":
        raise TrainError(f"{path}: the figure is written as SVG: give a name that ends in .svg.")


def write_figure(comparison: ArmComparison, path: Path) -> None:
    """Write the forest plot as one SVG file in the report's colours, light or dark as the reader's theme is.

    A filled mark is a difference that holds after Holm's adjustment, a hollow one is none that could be called.
    Raises TrainError where nothing is compared, or the name does not end in .svg.
    """
    check_figure_path(path)
    write_text(path, forest(comparison))


def forest(comparison: ArmComparison) -> str:
    """The forest plot as SVG text: blocks down, metrics across, one colour and mark an arm."""
    blocks = [block for block in comparison.blocks if block.differences]
    if not blocks:
        raise TrainError(f"Nothing to draw: every run has {comparison.key} = {comparison.baseline}.")
    arms = list(dict.fromkeys(one.arm for block in blocks for one in block.differences))
    heights = [_rows(block) * (0.24 + 0.13 * len(arms)) + 1.0 for block in blocks]

    def draw(figure: Any) -> None:
        grid = figure.subplots(
            len(blocks), len(METRICS), squeeze=False, sharex="col",
            gridspec_kw={"height_ratios": heights, "width_ratios": [1, 1, 0.8]},
        )  # fmt: skip
        for row, block in zip(grid, blocks, strict=True):
            for axes, metric in zip(row, METRICS, strict=True):
                _panel(axes, block, metric, arms)
            row[1].set_yticklabels([])
            if block.name:
                row[0].set_title(block.name, loc="left", fontsize=10, fontweight="bold", color=INK)
        for axes, metric in zip(grid[-1], METRICS, strict=True):
            unit = "" if metric == "auc" else "percentage points, "
            axes.set_xlabel(f"{TITLES[metric]}, minus {comparison.baseline}'s\n({unit}{GAINS[metric]})")
        for face, meaning in ((INK, "holds after Holm's adjustment"), (PAPER, NOTHING_FOUND)):
            grid[0][0].plot([], [], "o", color=INK, markersize=5.5, markerfacecolor=face, label=meaning)
        handles, names = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=8)

    label = escape(f"Differences from {comparison.key} = {comparison.baseline} with 95 % intervals")
    svg = inline_svg("forest", label, draw, (12.5, sum(heights) + 0.5))
    head, tail = svg.split(">", 1)
    return f"{head}>{STYLE}{tail}"


def _rows(block: BlockFigures) -> int:
    return max(len({one.set for one in block.differences if one.metric == metric}) for metric in METRICS)


def _panel(axes: Any, block: BlockFigures, metric: Metric, arms: list[str]) -> None:
    mine = [one for one in block.differences if one.metric == metric]
    places = {one: -place for place, one in enumerate(dict.fromkeys(one.set for one in mine))}
    axes.axvline(0, color=INK, linewidth=1)
    for number, arm in enumerate(arms):
        shift = 0.7 * ((number + 0.5) / len(arms) - 0.5)
        color, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        for one in mine:
            if one.arm == arm:
                _mark(axes, one, places[one.set] - shift, color, marker)
        axes.plot([], [], marker=marker, color=color, markersize=5.5, label=arm)
    for edge in range(1, len(places)):
        axes.axhline(0.5 - edge, color=FAINT, linewidth=0.5, alpha=0.5)
    axes.set_yticks(list(places.values()), [set_name(one, metric) for one in places])
    axes.set_ylim(0.5 - _rows(block), 0.5)
    axes.xaxis.set_major_formatter(lambda value, _: _tick(value, metric))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _mark(axes: Any, one: Difference, place: float, color: str, marker: str) -> None:
    axes.plot([one.contrast.low, one.contrast.high], [place] * 2, color=color, linewidth=1.5)
    axes.plot(
        one.contrast.value, place, marker, color=color, markersize=5.5, markeredgewidth=1.5,
        markerfacecolor=PAPER if one.verdict == NOTHING_FOUND else color,
    )  # fmt: skip


def _tick(value: float, metric: Metric) -> str:
    text = f"{value:+.2g}" if metric == "auc" else f"{100 * value:+.3g}"
    return ("0" if abs(value) < 1e-9 else text).replace("-", MINUS)
