"""Mean heatmaps as one picture, and as illustrations for a report's page."""

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image

from export.explain.explain_picture import SENTENCE
from export.explain.mean_heatmaps import MeanHeatmap, MeanHeatmaps
from export.explain.sheet import PanelBand, Tile, draw_panel_sheet, enlarged, heat_tile
from export.inference.overlay import lay_over
from train.evaluate.report.html import Illustration

_COLOUR = (44, 52, 66)
_HEADINGS = {
    "class": "By class",
    "generator": "Fakes by generator",
    "source": "Real pictures by source",
}
_SMALLEST = 200
_ROWS = {
    "judged": "evaluated pictures: the test split of what was in training, and all of what was not",
    "all": "all pictures, those of the training among them",
}


def draw_mean_sheet(found: MeanHeatmaps, manifest_name: str) -> Image.Image:
    """Draw every group: the mean heatmap over the mean picture, its cells, and those of the pictures called fake."""
    size = found.detector.view.size
    side = size * max(1, -(-_SMALLEST // size))
    bands = []
    for kind, heading in _HEADINGS.items():
        tiles = [tile for group in found.groups if group.kind == kind for tile in _tiles(group, side)]
        if tiles:
            bands.append(PanelBand(tuple(tiles), columns=6, heading=heading))
    description = found.detector.description
    left_out = f"; {found.dropped} with no or several faces were left out" if found.dropped else ""
    title = (
        f"Mean heatmaps of {description.name}",
        f"{found.path.name} on {manifest_name}: {found.pictures} {_ROWS[found.rows]}{left_out}",
        f"called fake: {found.operating_point} point, threshold {100 * found.threshold:.1f} %",
    )
    footer = (
        SENTENCE,
        "Each heatmap is divided by its own largest value, so every picture has the same weight, whatever its score; "
        "empty ones count as zeros. Black is 0, the brightest colour 1, in all tiles.",
    )
    return draw_panel_sheet(title, _COLOUR, bands, footer)


def illustrations(groups: Iterable[MeanHeatmap], of: str = "") -> tuple[Illustration, ...]:
    """Each group's mean heatmap over its mean picture, for `report.html.write_report`; `of` which model."""
    return tuple(Illustration(f"{_who(group)}: {_words(group)}", _png(_over(group, 256)), of) for group in groups)


def _tiles(group: MeanHeatmap, side: int) -> Iterable[Tile]:
    yield Tile(_who(group), _over(group, side), "over the mean of their views")
    yield Tile("mean of all", heat_tile(group.mean, side), _words(group))
    if group.mean_called is None:
        yield Tile("of those called fake", np.full((side, side, 3), 225, np.uint8), "none of them is called fake")
    else:
        share = group.called_fake / group.n
        words = f"{group.called_fake} pictures, {100 * share:.1f} % of {group.n}"
        yield Tile("of those called fake", heat_tile(group.mean_called, side), words)


def _who(group: MeanHeatmap) -> str:
    return group.title if group.kind == "class" else f"{'fake' if group.kind == 'generator' else 'real'}: {group.title}"


def _words(group: MeanHeatmap) -> str:
    return f"{group.n} pictures, {100 * group.empty:.1f} % of them with an empty heatmap"


def _over(group: MeanHeatmap, side: int) -> np.ndarray:
    return lay_over(enlarged(group.picture, side), group.mean)


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
