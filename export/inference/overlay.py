"""A verdict one can look at: the heatmap over the square the detector looked at, and a strip that says the verdict."""

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from export.inference.detector import LoadedDetector, Verdict
from train.evaluate.decision import WORDS
from train.image.decode import Picture
from train.image.view import Eyes, Step, View, apply_view

# Every fifteenth of the 256 colours of "inferno" (matplotlib/_cm_listed.py, CC0), linear in between, within 0.021 of
# it: perceptually uniform, and readable without colour vision.
_INFERNO = bytes.fromhex(
    """
    000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b
    c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 f2ea69 fcffa4
    """
)
_STRONGEST = 0.7
STRIP = {"real": (28, 94, 62), "fake": (150, 32, 38), "unsure": (92, 82, 40)}


def draw_overlay(
    detector: LoadedDetector, picture: Picture, verdict: Verdict, *, eyes: Eyes | None = None, side: int = 640
) -> Image.Image:
    """Draw the heatmap over the part of the picture that the view takes, with a strip below it.

    The square is cut from the picture itself, not enlarged from the small view. `side` is its width in pixels, 64 to
    4096; the result is RGB of side x (side + side // 8). Where nothing speaks for fake the picture shows unchanged.
    Raises DataError as `apply_view` does.
    """
    mixed = lay_over(source_square(detector.view, picture, eyes, side), verdict.heatmap)
    strip = side // 8
    canvas = Image.new("RGB", (side, side + strip), STRIP[verdict.label])
    canvas.paste(Image.fromarray(mixed), (0, 0))
    _write(ImageDraw.Draw(canvas), verdict, side, strip)
    return canvas


def source_square(view: View, picture: Picture, eyes: Eyes | None, side: int) -> np.ndarray:
    """What the view takes from the picture, at another resolution: uint8 [side, side, 3]."""
    return apply_view(replace(view, steps=(*view.steps[:-1], Step("resize", side))), picture, eyes)


def lay_over(square: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Lay a heatmap float32 [h, w], 0..1, over uint8 [side, side, 3]; where it is 0 the picture shows unchanged."""
    heat = expand(heatmap, len(square))
    weight = _STRONGEST * heat[..., np.newaxis]
    mixed = square.astype(np.float32) * (1 - weight) + 255 * colours(heat) * weight
    return np.rint(mixed).astype(np.uint8)


def expand(heatmap: np.ndarray, side: int) -> np.ndarray:
    """Enlarge float32 [h, w] to [side, side], bilinear with the corners aligned, as tf-keras-vis expands its maps.

    (tf_keras_vis/gradcam.py: scipy.ndimage.zoom of order 1, which maps the first cell's centre to the first pixel and
    the last to the last.)
    """
    rows, columns = heatmap.shape
    return np.asarray(_weights(rows, side) @ heatmap.astype(np.float64) @ _weights(columns, side).T, np.float32)


def colours(values: np.ndarray) -> np.ndarray:
    """Inferno colours, 0..1, shape [..., 3], of values in 0..1."""
    anchors = np.frombuffer(_INFERNO, np.uint8).reshape(-1, 3) / 255
    position = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(values, position, anchors[:, channel]) for channel in range(3)], axis=-1)


def _weights(cells: int, side: int) -> np.ndarray:
    """[side, cells]: how much of each cell is in each pixel."""
    position = np.linspace(0, cells - 1, side)
    return np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(cells)))


def _write(draw: ImageDraw.ImageDraw, verdict: Verdict, side: int, strip: int) -> None:
    margin = strip // 5
    percent = f"{100 * verdict.probability:.1f} %"
    lines = (
        (f"{WORDS[verdict.label]}: P(fake) {percent}", 0.38, margin),
        (f"{verdict.operating_point} point, threshold {100 * verdict.threshold:.1f} %", 0.24, strip // 2 + margin // 2),
    )
    for text, height, top in lines:
        size = strip * height
        font = ImageFont.load_default(size)
        while draw.textlength(text, font=font) > side - 2 * margin and size > 4:
            size *= 0.9
            font = ImageFont.load_default(size)
        draw.text((margin, side + top), text, font=font, fill="white", anchor="lt")
