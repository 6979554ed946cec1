"""An explanation as one picture that a person can read: a panel."""

import numpy as np
from PIL import Image

from export.explain.explain_picture import MAPS, SENTENCE, CellEvidence, ExplainedModel, Explanation, cosine_if_any
from export.explain.sheet import PanelBand, Tile, draw_panel_sheet, enlarged, heat_tile, signed_tile, tile_side
from export.inference.overlay import STRIP, lay_over
from train.evaluate.decision import WORDS

_NAMES = {"gradcam": "Grad-CAM", "gradcam++": "Grad-CAM++", "scorecam": "Score-CAM"}
_REMARKS = {"gradcam++": " It leaves out what speaks for real, so it lights up in real pictures, too."}
_EMPTY = "All zero: no evidence for fake."
_SCALE = "Activations: black is zero, and the brightest colour of each tile its own largest value."
_SMALL = 112


def draw_panel(
    subject: ExplainedModel, explanation: Explanation, what: tuple[str, ...], name: str, notes: tuple[str, ...] = ()
) -> Image.Image:
    """Draw what was asked for of one picture, called `name`; `explanation.square` must be of `panel_side(subject)`."""
    verdict, description = explanation.verdict, subject.detector.description
    side = panel_side(subject)
    tiles = [Tile("What the model saw", enlarged(verdict.view, side), f"{description.view}, exact pixels")]
    if "heatmap" in what:
        tiles.append(Tile("Heatmap", heat_tile(verdict.heatmap, side), _heatmap_words(explanation)))
    if "overlay" in what:
        words = "the heatmap over the picture, smoothly enlarged" if verdict.heatmap.any() else _EMPTY
        tiles.append(Tile("Overlay", lay_over(explanation.square, verdict.heatmap), words))
    for text, plane in explanation.planes:
        words = f"what the backbone saw, exact values: mean {plane.mean():.1f}, largest {plane.max()} of 255"
        tiles.append(Tile(f"Planes of {text}", enlarged(plane, side), words))
    tiles += [
        _map_tile(key, explanation.maps[key], verdict.heatmap, explanation.square)
        for key in MAPS
        if key in explanation.maps
    ]
    tiles += _gradient_tiles(subject, explanation, side)
    bands = [PanelBand(tuple(tiles)), *_activation_bands(explanation, description.size)]
    title = (
        f"{WORDS[verdict.label]}: P(fake) {100 * verdict.probability:.1f} %",
        f"{verdict.operating_point} point, threshold {100 * verdict.threshold:.1f} % - {name}",
        f"{description.name}, {'float Keras' if subject.classifier else description.variant} - {subject.path.name}",
    )
    scale = (_SCALE,) if explanation.activations else ()
    return draw_panel_sheet(title, STRIP[verdict.label], bands, (SENTENCE, *scale, *notes))


def panel_side(subject: ExplainedModel) -> int:
    """The side of a panel's tiles in pixels, a multiple of the view's."""
    return tile_side(subject.detector.view.size)


def _heatmap_words(explanation: Explanation) -> str:
    spread, (rows, columns) = explanation.spread, explanation.verdict.heatmap.shape
    if spread.strongest is None:
        words = _EMPTY
    else:
        words = (
            f"Divided by its largest. Mean {spread.mean:.2f}; {100 * spread.above_half:.0f} % of the "
            f"{rows} x {columns} cells are above half."
        )
    return words if explanation.evidence is None else f"{words} {_evidence_words(explanation.evidence)}"


def _evidence_words(evidence: CellEvidence) -> str:
    return (
        f"Evidence {evidence.cells.min():+.2f} to {evidence.cells.max():+.2f}, mean {evidence.cells.mean():+.2f}; "
        f"with the bias {evidence.bias:+.2f} that is the logit {evidence.logit:+.2f}."
    )


def _map_tile(key: str, found: np.ndarray, heatmap: np.ndarray, square: np.ndarray) -> Tile:
    highest = float(found.max())
    if highest <= 0:
        return Tile(_NAMES[key], square, _EMPTY)
    agreement = cosine_if_any(found, heatmap)
    compared = "no cosine to an empty heatmap" if agreement is None else f"cosine to the heatmap {agreement:.4f}"
    return Tile(_NAMES[key], lay_over(square, found / highest), f"By tf-keras-vis; {compared}.{_REMARKS.get(key, '')}")


def _gradient_tiles(subject: ExplainedModel, explanation: Explanation, side: int) -> list[Tile]:
    found = explanation.gradients
    if found is None:
        return []
    parts = subject.preprocessing.parts
    tiles = []
    for text, values in zip(parts, np.split(found.attributions, len(parts), axis=2), strict=True):
        words = (
            f"Red for fake, blue for real, against an evenly grey view. Sum {found.total:+.3f}; logit "
            f"{found.logit:+.3f} less {found.blank_logit:+.3f}: off by {found.residual:+.3f} after {found.steps} steps."
        )
        if len(parts) > 1:
            words += f" This part: {values.sum():+.3f}."
        if not found.complete:
            words += " It does not add up: read it with care."
        heading = "Integrated gradients" if len(parts) == 1 else f"Integrated gradients, {text}"
        tiles.append(Tile(heading, signed_tile(values.sum(axis=2), side), words))
    return tiles


def _activation_bands(explanation: Explanation, size: int) -> list[PanelBand]:
    # A multiple of the first layer's side, and so of the sides of all.
    side = max(1, size // 2) * max(1, -(-_SMALL // max(1, size // 2)))
    bands = []
    for one in explanation.activations:
        maps = [("mean", one.mean), ("highest", one.highest)]
        maps += [(f"channel {number}", values) for number, values in one.strongest]
        tiles = tuple(
            Tile(
                heading,
                heat_tile(values / (float(values.max()) or 1.0), side, numbers=False),
                f"up to {values.max():.2f}",
            )
            for heading, values in maps
        )
        rows, columns = one.mean.shape
        heading = (
            f"{one.layer}: {one.channels} channels of {rows} x {columns}; over all of them, and the "
            f"{len(one.strongest)} of the highest mean"
        )
        bands.append(PanelBand(tiles, columns=len(tiles), heading=heading))
    return bands
