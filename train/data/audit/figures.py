"""The figures of an audit's page: file facts by class and by part, and what each tells alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from train.common.svg import FAINT, INK, SERIES, inline_svg
from train.data.audit.file_statistics import MEASURES, WORDS, Part
from train.data.audit.metadata_baseline import FeatureAlone, MetadataBaseline

# Real and fake differ in hue, in lightness and in the stroke.
_STYLE = {"real": (SERIES[0], "-"), "fake": (SERIES[1], "--")}
_MAX_PARTS = 24
_BINS = 40
_RIDGE = 0.85


def measure_figures(measured: pl.DataFrame, parts: Sequence[Part]) -> dict[str, str]:
    """Draw each measure of a table by `with_measures`: SVG text by measure, without those that no picture has.

    On top the share of each class by value, below a row for each part (at most 24). Values beyond the 0.5 % and
    99.5 % quantiles are drawn at the edge.
    """
    figures = {}
    for measure in MEASURES:
        rows = measured.select("label", "part", pl.col(measure).cast(pl.Float64).alias("value")).drop_nulls()
        if not rows.is_empty():
            figures[measure] = _measure_figure(measure, rows, parts[:_MAX_PARTS])
    return figures


def alone_figure(
    alone: Sequence[FeatureAlone], together: MetadataBaseline | None, framing: MetadataBaseline | None
) -> str:
    """Draw the AUC of each feature alone, of all together and of framing, with intervals, as SVG text."""
    rows = [("all file facts together", together), ("place of the eyes", framing)]
    rows += [(one.words, one.model) for one in alone]
    known = [(name, model) for name, model in rows if model is not None]

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
        for place, (_, model) in enumerate(known):
            color = SERIES[2] if place == 0 and together is not None else SERIES[0]
            axes.plot([model.low, model.high], [-place] * 2, color=color, linewidth=1.8)
            axes.plot(model.auc, -place, "o", color=color, markersize=6)
            axes.annotate(
                f"{model.auc:.2f}", (model.auc, -place), (0, 5), textcoords="offset points", ha="center", fontsize=8
            )
        axes.set_yticks([-place for place in range(len(known))], [name for name, _ in known])
        axes.set(xlim=(0.38, 1.03), ylim=(0.4 - len(known), 0.7), xlabel="AUC: 0.5 is guessing, 1 is perfect")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    return inline_svg("alone", "AUC of each file fact alone", draw, (6.4, 0.8 + 0.3 * len(known)))


def _measure_figure(measure: str, rows: pl.DataFrame, parts: Sequence[Part]) -> str:
    values = rows["value"].to_numpy()
    low, high = np.quantile(values, (0.005, 0.995))
    if low == high:
        low, high = low - max(0.5, abs(low) / 20), high + max(0.5, abs(high) / 20)
    use_log = measure in ("width", "height", "bytes") and high > 4 * low > 0
    edges = np.geomspace(low, high, _BINS + 1) if use_log else np.linspace(low, high, _BINS + 1)
    shown = rows.with_columns(pl.col("value").clip(float(edges[0]), float(edges[-1])))

    def share(subset: pl.DataFrame) -> np.ndarray:
        counts = np.histogram(subset["value"].to_numpy(), edges)[0]
        return counts / max(1, counts.sum())

    def draw(figure: Any) -> None:
        height = 1.6
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(height, 0.27 * max(1, len(parts))))
        for label, (color, stroke) in _STYLE.items():
            top.stairs(
                share(shown.filter(label=label)), edges, color=color, linestyle=stroke, linewidth=1.8, label=label
            )
        top.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        top.set_ylabel("share of its class")
        top.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        for place, part in enumerate(parts):
            color, alpha = _STYLE[part.label][0], 0.45 if part.label == "real" else 0.1
            ridge = share(shown.filter(part=part.name))
            ridge = -place + _RIDGE * ridge / max(ridge.max(), 1e-9)
            bottom.stairs(ridge, edges, baseline=-place, fill=True, color=color, alpha=alpha, linewidth=0)
            bottom.stairs(ridge, edges, baseline=None, color=color, linewidth=1.1)
        bottom.set_yticks([0.25 - place for place in range(len(parts))], [part.name[:28] for part in parts])
        bottom.tick_params(axis="y", length=0)
        bottom.spines["left"].set_visible(False)
        bottom.set(xlabel=WORDS[measure], ylim=(0.9 - len(parts), 1.0), xlim=_wider(edges, use_log))
        if use_log:
            _label_log_axis(bottom, edges)
        elif measure == "bytes":
            bottom.xaxis.set_major_formatter(lambda value, _: _bytes(value))
        bottom.tick_params(colors=INK)

    return inline_svg(
        f"measure-{measure}", f"{WORDS[measure]} by class and source", draw, (4.9, 2.1 + 0.24 * len(parts))
    )


def _wider(edges: np.ndarray, use_log: bool) -> tuple[float, float]:
    # So that the strokes of the outermost bars are whole.
    low, high = (np.log(edges) if use_log else edges)[[0, -1]]
    ends = np.array([low - 0.01 * (high - low), high + 0.01 * (high - low)])
    low, high = np.exp(ends) if use_log else ends
    return float(low), float(high)


def _label_log_axis(axes: Any, edges: np.ndarray) -> None:
    axes.set_xscale("log", base=2)
    exponents = np.arange(np.ceil(np.log2(edges[0])), np.floor(np.log2(edges[-1])) + 1)
    ticks = 2.0**exponents
    axes.set_xticks(ticks[:: max(1, len(ticks) // 6)])
    is_bytes = edges[-1] > 20_000
    axes.xaxis.set_major_formatter(lambda value, _: _bytes(value) if is_bytes else f"{value:.0f}")
    axes.minorticks_off()


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GB"
