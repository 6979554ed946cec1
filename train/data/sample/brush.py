"""Antialiased fills, strokes and strands on a float canvas, and smooth curves through a few points."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

Colour = tuple[float, float, float]
_SUBPIXEL_BITS = 4  # cv2 takes polygon corners as fixed point: 1/16 pixel


def closed_curve(points: np.ndarray, samples: int = 96) -> np.ndarray:
    """Give a smooth closed curve through `points` (float [N, 2]) as float [samples, 2]."""
    ring = np.vstack([points, points[:1]])
    where = np.linspace(0.0, 1.0, len(ring))
    spline = CubicSpline(where, ring, bc_type="periodic")
    return np.asarray(spline(np.linspace(0.0, 1.0, samples, endpoint=False)))


def open_curve(points: np.ndarray, samples: int = 32) -> np.ndarray:
    """Give a smooth curve from the first to the last of `points` (float [N, 2]) as float [samples, 2]."""
    spline = CubicSpline(np.linspace(0.0, 1.0, len(points)), points, bc_type="natural")
    return np.asarray(spline(np.linspace(0.0, 1.0, samples)))


def ellipse(centre: np.ndarray | Sequence[float], radii: Sequence[float], samples: int = 48) -> np.ndarray:
    """Give the outline of an upright ellipse as float [samples, 2]."""
    angle = np.linspace(0.0, 2.0 * np.pi, samples, endpoint=False)
    return np.column_stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)])


def fill(
    canvas: np.ndarray,
    outline: np.ndarray,
    colour: Colour | np.ndarray,
    *,
    opacity: float = 1.0,
    blur: float = 0.0,
    clip: np.ndarray | None = None,
) -> None:
    """Paint the inside of an outline onto the canvas, in place.

    `canvas` is float32 [H, W, 3] in 0..1; `outline` float [N, 2] in pixels (x, y); `colour` one RGB triple or an
    image of the canvas's shape; `blur` the standard deviation in pixels of the edge; `clip` an optional float32
    [H, W] in 0..1 that the paint is multiplied with.
    """
    _paint(canvas, outline, colour, opacity, blur, clip, margin=2.0, width=None)


def stroke(
    canvas: np.ndarray,
    line: np.ndarray,
    colour: Colour,
    width: float,
    *,
    opacity: float = 1.0,
    blur: float = 0.0,
    clip: np.ndarray | None = None,
) -> None:
    """Paint an open line of `width` pixels onto the canvas, in place; the rest as in `fill`."""
    _paint(canvas, line, colour, opacity, blur, clip, margin=width + 2.0, width=max(1, round(width)))


def mask(shape: tuple[int, int], outline: np.ndarray, blur: float = 0.0) -> np.ndarray:
    """Give the inside of an outline (float [N, 2], pixels) as float32 [H, W] in 0..1."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [_fixed_point(outline)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    soft = inside.astype(np.float32) / 255.0
    return cv2.GaussianBlur(soft, (0, 0), blur) if blur > 0 else soft


def strands(
    canvas: np.ndarray,
    lines: Sequence[np.ndarray],
    colours: np.ndarray,
    width: float,
    clip: np.ndarray,
    opacity: float,
) -> None:
    """Paint many thin lines, later over earlier, inside `clip` (float32 [H, W] in 0..1), in place.

    `colours` is float [len(lines), 3] RGB in 0..1.
    """
    layer = np.clip(canvas * 255.0, 0, 255).astype(np.uint8)
    for line, colour in zip(lines, colours, strict=True):
        rgb = tuple(float(v) * 255.0 for v in colour)
        cv2.polylines(layer, [_fixed_point(line)], False, rgb, max(1, round(width)), cv2.LINE_AA, _SUBPIXEL_BITS)
    weight = (clip * opacity)[..., None]
    canvas += weight * (layer.astype(np.float32) / 255.0 - canvas)


def _fixed_point(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _paint(
    canvas: np.ndarray,
    points: np.ndarray,
    colour: Colour | np.ndarray,
    opacity: float,
    blur: float,
    clip: np.ndarray | None,
    margin: float,
    width: int | None,
) -> None:
    # Only the box around the shape is touched: most shapes are small, and a portrait has some eighty of them.
    height, across = canvas.shape[:2]
    pad = margin + 3.0 * blur
    left, top = (max(0, int(v)) for v in np.floor(points.min(axis=0) - pad))
    right, bottom = (int(v) for v in np.ceil(points.max(axis=0) + pad))
    right, bottom = min(right, across), min(bottom, height)
    if right <= left or bottom <= top:
        return
    inside = np.zeros((bottom - top, right - left), np.uint8)
    corners = _fixed_point(points - (left, top))
    if width is None:
        cv2.fillPoly(inside, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    else:
        cv2.polylines(inside, [corners], False, 255, width, cv2.LINE_AA, _SUBPIXEL_BITS)
    weight = inside.astype(np.float32) * np.float32(opacity / 255.0)
    if blur > 0:
        weight = cv2.GaussianBlur(weight, (0, 0), blur)
    if clip is not None:
        weight *= clip[top:bottom, left:right]
    box = canvas[top:bottom, left:right]
    paint = colour[top:bottom, left:right] if isinstance(colour, np.ndarray) else np.asarray(colour, np.float32)
    box += weight[..., None] * (paint - box)
