"""The figures of a report as inline SVG whose colours follow the page's light or dark theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from train.common.svg import FAINT, INK, PAPER, SERIES, inline_svg
from train.evaluate.curves import HISTOGRAM_BINS, Curves
from train.evaluate.evaluation import Evaluation

REAL, FAKE, UNSEEN = SERIES[0], SERIES[1], SERIES[2]

Draw = Callable[[Any], None]


def roc_figure(evaluation: Evaluation) -> str:
    """ROC of the seen and the unseen fakes as SVG text, false alarms on a logarithmic axis."""

    def draw(axes: Any) -> None:
        floor = 1 / max(100, 2 * evaluation.overall.n_real)
        for name, color, style, curves in _sets(evaluation):
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


def precision_recall_figure(evaluation: Evaluation) -> str:
    """Precision-recall curves of the seen and the unseen fakes as SVG text."""

    def draw(axes: Any) -> None:
        for name, color, style, curves in _sets(evaluation):
            axes.plot(curves.precision_recall.x, curves.precision_recall.y, style, color=color, label=name)
        axes.set(xlabel="recall: fakes called fake", ylabel="precision: of those called fake", xlim=(0, 1))
        axes.set(ylim=(0, 1.01))
        axes.legend(loc="lower left")

    return _svg("precision-recall", draw)


def reliability_figure(evaluation: Evaluation) -> str:
    """Reliability diagram as SVG text: the area of a dot is the number of pictures in its bin."""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.2)
        for name, color, style, curves in _sets(evaluation):
            bins = curves.reliability
            size = 14 + 160 * np.asarray(bins.count) / sum(bins.count)
            axes.plot(bins.confidence, bins.fraction_fake, style, color=color, linewidth=1, alpha=0.35)
            axes.scatter(bins.confidence, bins.fraction_fake, s=size, color=color, label=name, linewidth=0)
        axes.set(xlabel="P(fake) it states", ylabel="fraction that is fake", xlim=(-0.02, 1.02))
        axes.set(ylim=(-0.02, 1.02))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8.5, columnspacing=1)

    return _svg("reliability", draw)


def risk_coverage_figure(evaluation: Evaluation) -> str:
    """Risk-coverage curves of the seen and the unseen fakes as SVG text, with the shipped `unsure` as dots."""

    def draw(axes: Any) -> None:
        for name, color, style, curve in (
            ("fakes of seen generators", FAKE, "-", evaluation.risk_coverage),
            ("fakes of unseen generators", UNSEEN, "--", evaluation.unseen_risk_coverage),
        ):
            if curve is None:
                continue
            if not evaluation.fakes_are_seen:
                name, color = "fakes (none seen in training)", UNSEEN
            axes.plot(curve.coverage, curve.risk, style, color=color, label=name, drawstyle="steps-pre")
            axes.plot(curve.shipped_coverage, curve.shipped_risk, "o", color=color, markersize=6)
        axes.set(xlabel="coverage: pictures that get a verdict", ylabel="risk: verdicts that are wrong", xlim=(0, 1.02))
        axes.set_ylim(bottom=0)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.legend(loc="upper left")

    return _svg("risk-coverage", draw)


def histogram_figure(evaluation: Evaluation) -> str:
    """Distribution of P(fake) for reals, seen and unseen fakes as SVG text, the unsure band shaded."""

    def draw(axes: Any) -> None:
        edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
        shares = evaluation.histograms
        decision = evaluation.points.decision("balanced")
        low, high = decision.unsure_from, decision.fake_from
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


def generators_figure(evaluations: Sequence[Evaluation]) -> str:
    """Fakes caught at the strict threshold by generator with intervals as SVG text; hollow means unseen."""
    groups = evaluations[0].generators
    places = {(group.name, group.seen): -i for i, group in enumerate(groups)}

    def draw(axes: Any) -> None:
        for k, evaluation in enumerate(evaluations):
            shift = 0.22 * (k - (len(evaluations) - 1) / 2)
            color = SERIES[k % len(SERIES)]
            for group in evaluation.generators:
                caught, place = group.called.fpr_1, places.get((group.name, group.seen))
                if place is None:
                    continue
                axes.plot([caught.low, caught.high], [place - shift] * 2, color=color, linewidth=1.6)
                axes.plot(
                    caught.value, place - shift, "o", color=color, markersize=7, markeredgewidth=1.6,
                    markerfacecolor=color if group.seen else PAPER,
                )  # fmt: skip
            axes.plot([], [], "o-", color=color, label=evaluation.name)
        axes.set_yticks(list(places.values()), [name + ("" if seen else "  (unseen)") for name, seen in places])
        axes.set(xlim=(-0.02, 1.02), ylim=(0.6 - len(places), 0.6))
        axes.set_xlabel("fakes caught at the strict threshold, with 95 % interval")
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        if len(evaluations) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(evaluations))

    rows = len(places) * (0.34 + 0.1 * len(evaluations))
    return _svg("generators", draw, size=(8.6, 0.8 + rows))


def _sets(evaluation: Evaluation) -> list[tuple[str, str, str, Curves]]:
    label = "fakes of seen generators" if evaluation.fakes_are_seen else "fakes (none seen in training)"
    sets = [(label, FAKE if evaluation.fakes_are_seen else UNSEEN, "-", evaluation.curves)]
    if evaluation.unseen_curves is not None:
        sets.append(("fakes of unseen generators", UNSEEN, "--", evaluation.unseen_curves))
    return sets


def _svg(name: str, draw: Draw, size: tuple[float, float] = (4.6, 3.3)) -> str:
    return inline_svg(name, name, lambda figure: draw(figure.add_subplot()), size)
