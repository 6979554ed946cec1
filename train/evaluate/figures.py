"""The figures of a report as inline SVG whose colours follow the page's light or dark theme."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from train.evaluate.curves import HISTOGRAM_BINS, Curves
from train.evaluate.judgement import Judgement

# Stand-ins drawn by Matplotlib and replaced by the page's own variables, see report.html.j2.
INK, FAINT, PAPER = "#010101", "#020202", "#030303"
SERIES = ("#0a0101", "#0a0202", "#0a0303", "#0a0404")
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    PAPER: "var(--paper)",
    **{stand_in: f"var(--series-{i + 1})" for i, stand_in in enumerate(SERIES)},
}
REAL, FAKE, UNSEEN = SERIES[0], SERIES[1], SERIES[2]

STYLE: Any = {
    "svg.fonttype": "none",
    # a generator's name is text, also with a dollar sign in it
    "text.parse_math": False,
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "grid.alpha": 0.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}

Draw = Callable[[Any], None]


def roc_figure(judgement: Judgement) -> str:
    """ROC of the seen and the unseen fakes as SVG text, false alarms on a logarithmic axis."""

    def draw(axes: Any) -> None:
        floor = 1 / max(100, 2 * judgement.overall.n_real)
        for name, color, style, curves in _sets(judgement):
            x = np.maximum(curves.roc.x, floor)
            axes.plot(x, curves.roc.y, style, color=color, label=name, drawstyle="steps-post")
        axes.axvline(0.01, color=FAINT, linestyle=":", linewidth=1.2)
        axes.text(0.0105, 0.02, "1 %", color=INK, fontsize=8)
        axes.set(xscale="log", xlim=(floor, 1), ylim=(0, 1.01))
        axes.set(xlabel="false alarms: reals called fake", ylabel="caught: fakes called fake")
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.06))

    return _svg("roc", draw)


def precision_recall_figure(judgement: Judgement) -> str:
    """Precision-recall curves of the seen and the unseen fakes as SVG text."""

    def draw(axes: Any) -> None:
        for name, color, style, curves in _sets(judgement):
            axes.plot(curves.precision_recall.x, curves.precision_recall.y, style, color=color, label=name)
        axes.set(xlabel="recall: fakes called fake", ylabel="precision: of those called fake", xlim=(0, 1))
        axes.set(ylim=(0, 1.01))
        axes.legend(loc="lower left")

    return _svg("precision-recall", draw)


def reliability_figure(judgement: Judgement) -> str:
    """Reliability diagram as SVG text: the area of a dot is the number of pictures in its bin."""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.2)
        for name, color, style, curves in _sets(judgement):
            bins = curves.reliability
            size = 14 + 160 * np.asarray(bins.count) / sum(bins.count)
            axes.plot(bins.confidence, bins.fraction_fake, style, color=color, linewidth=1, alpha=0.35)
            axes.scatter(bins.confidence, bins.fraction_fake, s=size, color=color, label=name, linewidth=0)
        axes.set(xlabel="P(fake) it states", ylabel="fraction that is fake", xlim=(-0.02, 1.02))
        axes.set(ylim=(-0.02, 1.02))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8.5, columnspacing=1)

    return _svg("reliability", draw)


def histogram_figure(judgement: Judgement) -> str:
    """Distribution of P(fake) for reals, seen and unseen fakes as SVG text, the unsure band shaded."""

    def draw(axes: Any) -> None:
        edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
        shares = judgement.histograms
        low, high = judgement.points.unsure
        if low < high:
            axes.axvspan(low, high, color=FAINT, alpha=0.25, linewidth=0, label="unsure band")
        else:
            axes.axvline(low, color=FAINT, linewidth=1.2, label="threshold")
        for name, color, style, share in (
            ("real", REAL, "-", shares.real),
            ("fake, seen generator", FAKE, "-", shares.seen_fake),
            ("fake, unseen generator", UNSEEN, "--", shares.unseen_fake),
        ):
            if any(share):
                axes.stairs(share, edges, color=color, linestyle=style, linewidth=1.8, label=name)
        axes.set(xlabel="P(fake)", ylabel="share of its kind", xlim=(0, 1))
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8.5)

    return _svg("histogram", draw)


def generators_figure(judgements: Sequence[Judgement]) -> str:
    """Fakes caught at the strict threshold by generator with intervals as SVG text; hollow means unseen."""
    groups = judgements[0].generators
    places = {(group.name, group.seen): -i for i, group in enumerate(groups)}

    def draw(axes: Any) -> None:
        for k, judgement in enumerate(judgements):
            shift = 0.22 * (k - (len(judgements) - 1) / 2)
            color = SERIES[k % len(SERIES)]
            for group in judgement.generators:
                caught, place = group.called.fpr_1, places.get((group.name, group.seen))
                if place is None:
                    continue
                axes.plot([caught.low, caught.high], [place - shift] * 2, color=color, linewidth=1.6)
                axes.plot(
                    caught.value, place - shift, "o", color=color, markersize=7, markeredgewidth=1.6,
                    markerfacecolor=color if group.seen else PAPER,
                )  # fmt: skip
            axes.plot([], [], "o-", color=color, label=judgement.name)
        axes.set_yticks(list(places.values()), [name + ("" if seen else "  (unseen)") for name, seen in places])
        axes.set(xlim=(-0.02, 1.02), ylim=(0.6 - len(places), 0.6))
        axes.set_xlabel("fakes caught at the strict threshold, with 95 % interval")
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        if len(judgements) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(judgements))

    rows = len(places) * (0.34 + 0.1 * len(judgements))
    return _svg("generators", draw, size=(8.6, 0.8 + rows))


def _sets(judgement: Judgement) -> list[tuple[str, str, str, Curves]]:
    label = "fakes of seen generators" if judgement.fakes_are_seen else "fakes (none seen in training)"
    sets = [(label, FAKE if judgement.fakes_are_seen else UNSEEN, "-", judgement.curves)]
    if judgement.unseen_curves is not None:
        sets.append(("fakes of unseen generators", UNSEEN, "--", judgement.unseen_curves))
    return sets


def _svg(name: str, draw: Draw, size: tuple[float, float] = (4.6, 3.3)) -> str:
    # the salt keeps the ids of two figures on one page apart, and the same from run to run
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue(), name)


def _inline(svg: str, name: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Matplotlib names its groups alike in every figure; nothing refers to those names.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*pt" ', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)height="[^"]*pt" ', r"\1", svg, count=1)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)
    for stand_in, variable in VARIABLES.items():
        svg = svg.replace(stand_in, variable)
    return svg
