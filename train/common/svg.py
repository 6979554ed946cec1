"""Matplotlib figures as SVG inside a page, in the page's own colours.

Matplotlib draws in stand-in colours that nothing else has; `inline_svg` puts the page's CSS variables in their place,
so that one figure is right in the light and in the dark theme.
"""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

from train.common.text import harmless

INK, FAINT, PAPER = "#010101", "#020202", "#030303"
SERIES = ("#0a0101", "#0a0202", "#0a0303", "#0a0404")
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    PAPER: "var(--paper)",
    **{stand_in: f"var(--series-{place})" for place, stand_in in enumerate(SERIES, 1)},
}
STYLE: Any = {
    "svg.fonttype": "none",
    # A source's name is text, also with a dollar sign in it.
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


def inline_svg(name: str, label: str, draw: Callable[[Any], None], size: tuple[float, float]) -> str:
    """Let `draw` fill a Matplotlib figure of `size` inches and return it as SVG text for HTML.

    `name` keeps the ids of figures on one page apart, `label` (without quotes) is what a screen reader says.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The text stays text, and the browser has a font for it.
    warnings.filterwarnings("ignore", category=UserWarning, message=r"Glyph \d+ .* missing from")
    # The salt makes ids the same from run to run.
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    # A name that came through Matplotlib with control characters in it would turn lines of the page, too.
    svg = str(harmless(buffer.getvalue()))
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Matplotlib names its groups alike in every figure; nothing refers to those names.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*pt" ', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)height="[^"]*pt" ', r"\1", svg, count=1)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    for stand_in, variable in VARIABLES.items():
        svg = svg.replace(stand_in, variable)
    return svg
