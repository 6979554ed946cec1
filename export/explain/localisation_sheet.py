"""Local fakes with their masks and heatmaps as one picture."""

import numpy as np
from PIL import Image

from export.explain.localisation import LocalFake, Localised
from export.explain.sheet import PanelBand, Tile, draw_panel_sheet, enlarged, heat_tile
from export.inference.overlay import lay_over

_COLOUR = (44, 52, 66)
_OUTLINE = np.array([80, 200, 255], np.uint8)
_SIDE = 240


def draw_localisation_sheet(found: Localised, detector: str) -> Image.Image:
    """Draw each example twice: its heatmap over what the detector saw, its mask outlined, and the heatmap's cells."""
    tiles = [tile for example in found.examples for tile in _tiles(example)]
    title = (f"Where the heatmaps of {detector} point", caption(found))
    footer = (
        "Blue outline: what was replaced. The examples are the local fakes of the highest probability of fake; the "
        "figures above are of all.",
    )
    return draw_panel_sheet(title, _COLOUR, [PanelBand(tuple(tiles), columns=4)], footer)


def caption(found: Localised) -> str:
    """The figures of all local fakes in a sentence."""
    whole = found.groups[0]
    return (
        f"Of {whole.pictures} local fakes the highest cell of the heatmap lies in the replaced region in "
        f"{whole.pointing.value:.0%} [{whole.pointing.low:.0%}, {whole.pointing.high:.0%}], by chance in "
        f"{whole.chance_pointing:.0%}; overlap (IoU) {whole.overlap:.2f}, by chance {whole.chance_overlap:.2f}"
    )


def _tiles(example: LocalFake) -> tuple[Tile, Tile]:
    shown = enlarged(lay_over(example.view, example.heatmap), _SIDE)
    shown[_edge(enlarged(np.repeat(example.mask[..., np.newaxis], 3, axis=2), _SIDE)[..., 0] >= 128)] = _OUTLINE
    words = f"P(fake) {example.probability:.2f}; highest cell {'inside' if example.hit else 'outside'}"
    return Tile("heatmap and mask", shown, words), Tile("cells", heat_tile(example.heatmap, _SIDE), example.path)


def _edge(inside: np.ndarray) -> np.ndarray:
    """The pixels of a region, bool [S, S], that have a neighbour outside it, two pixels wide."""
    core = inside.copy()
    for _ in range(2):
        padded = np.pad(core, 1, constant_values=False)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core
