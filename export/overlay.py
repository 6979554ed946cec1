"""A verdict one can look at: the heatmap over the square the detector looked at, and a strip that says the verdict."""

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from export.detector import Verdict
from train.data.picture import Picture
from train.data.view import Eyes, Step, View, apply_view

# Matplotlib's "inferno" as polynomials of degree 6 in 0..1, rows c0..c6, columns red, green, blue: perceptually uniform
# and readable without colour vision. Fit by Matt Zucker, public domain: https://www.shadertoy.com/view/WlfXRN
_INFERNO = np.array(
    [
        [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
        [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
        [11.60249308247187, -3.972853965665698, -15.9423941062914],
        [-41.70399613139459, 17.43639888205313, 44.35414519872813],
        [77.162935699427, -33.40235894210092, -81.80730925738993],
        [-71.31942824499214, 32.62606426397723, 73.20951985803202],
        [25.13112622477341, -12.24266895238567, -23.07032500287172],
    ]
)
_STRONGEST = 0.7
_STRIP = {"real": (28, 94, 62), "fake": (150, 32, 38), "unsure": (92, 82, 40)}
_SAYS = {"real": "looks real", "fake": "looks AI-generated", "unsure": "cannot tell"}


def draw_overlay(
    picture: Picture, view: View, verdict: Verdict, *, eyes: Eyes | None = None, side: int = 640
) -> Image.Image:
    """Draw the heatmap over the part of the picture that the view takes, with a strip below it.

    The square is cut from the picture itself, not enlarged from the small view. `side` is its width in pixels, 64 to
    4096; the result is RGB of side x (side + side // 8). Where nothing speaks for fake the picture shows unchanged.
    Raises DataError as `apply_view` does.
    """
    square = source_square(view, picture, eyes, side).astype(np.float32)
    heat = expand(verdict.heatmap, side)
    weight = _STRONGEST * heat[..., np.newaxis]
    mixed = square * (1 - weight) + 255 * colours(heat) * weight
    strip = side // 8
    canvas = Image.new("RGB", (side, side + strip), _STRIP[verdict.label])
    canvas.paste(Image.fromarray(np.rint(mixed).astype(np.uint8)), (0, 0))
    _write(ImageDraw.Draw(canvas), verdict, side, strip)
    return canvas


def source_square(view: View, picture: Picture, eyes: Eyes | None, side: int) -> np.ndarray:
    """What the view takes from the picture, at another resolution: uint8 [side, side, 3]."""
    return apply_view(replace(view, steps=(*view.steps[:-1], Step("resize", side))), picture, eyes)


def expand(heatmap: np.ndarray, side: int) -> np.ndarray:
    """Enlarge float32 [h, w] to [side, side], bilinear with the corners aligned, as tf-keras-vis expands its maps.

    (tf_keras_vis/gradcam.py: scipy.ndimage.zoom of order 1, which maps the first cell's centre to the first pixel and
    the last to the last.)
    """
    rows, columns = heatmap.shape
    return np.asarray(_weights(rows, side) @ heatmap.astype(np.float64) @ _weights(columns, side).T, np.float32)


def colours(values: np.ndarray) -> np.ndarray:
    """Inferno colours, 0..1, shape [..., 3], of values in 0..1."""
    powers = np.clip(values, 0, 1)[..., np.newaxis].astype(np.float64) ** np.arange(7)
    return np.clip(powers @ _INFERNO, 0, 1)


def _weights(cells: int, side: int) -> np.ndarray:
    """[side, cells]: how much of each cell is in each pixel."""
    position = np.linspace(0, cells - 1, side)
    return np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(cells)))


def _write(draw: ImageDraw.ImageDraw, verdict: Verdict, side: int, strip: int) -> None:
    margin = strip // 5
    percent = f"{100 * verdict.probability:.1f} %"
    lines = (
        (f"{_SAYS[verdict.label]}: {percent} fake", 0.38, margin),
        (f"{verdict.operating_point} point: fake from {100 * verdict.threshold:.1f} %", 0.24, strip // 2 + margin // 2),
    )
    for text, height, top in lines:
        size = strip * height
        font = ImageFont.load_default(size)
        while draw.textlength(text, font=font) > side - 2 * margin and size > 4:
            size *= 0.9
            font = ImageFont.load_default(size)
        draw.text((margin, top), text, font=font, fill="white", anchor="lt")
