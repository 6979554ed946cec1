"""What is around the face: backdrop, neck, shoulders and clothes."""

import cv2
import numpy as np

from .brush import Colour, ellipse, fill, mask, open_curve, stroke
from .placement import Placement
from .scene import Scene


def draw_backdrop(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the out-of-focus place behind the person: float32 [side, side, 3] in 0..1."""
    first, second, third = (np.asarray(c, np.float32) for c in scene.backdrop_colours)
    x, y = np.meshgrid(*(np.linspace(0, 1, side, dtype=np.float32),) * 2)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip(0.5 + (x - 0.5) * np.float32(np.cos(angle)) + (y - 0.5) * np.float32(np.sin(angle)), 0, 1)
    canvas = first + along[..., None] * (second - first)
    canvas += 0.05 * (_clouds(rng, side, (3, 6, 12)) - 0.5)[..., None]
    if scene.backdrop == "studio":
        cx, cy = rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.6)
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.08, 0.3))
        canvas += 0.55 * glow[..., None] * (third - canvas)
    elif scene.backdrop == "bokeh":
        for _ in range(int(rng.integers(12, 30))):
            radius = side * rng.uniform(0.02, 0.08)
            spot = ellipse(rng.uniform(0, side, 2), (radius, radius), 40)
            glow = np.clip(third * rng.uniform(0.7, 1.3, 3), 0, 1)
            fill(canvas, spot, _colour(glow), opacity=rng.uniform(0.15, 0.6), blur=side * rng.uniform(0.003, 0.012))
    elif scene.backdrop == "wall":
        grain = _clouds(rng, side, (10, 24, 60, 110))
        canvas *= (0.82 + 0.36 * grain)[..., None]
    elif scene.backdrop == "window":
        _draw_bars(canvas, rng, third, rng.uniform(0.10, 0.26), True)
    elif scene.backdrop == "outdoors":
        horizon = rng.uniform(0.35, 0.65)
        below = 1 / (1 + np.exp(-(y - horizon + 0.08 * (_clouds(rng, side, (2, 4)) - 0.5)) * 40))
        canvas += below[..., None] * (third * 0.6 - canvas) * 0.8
        leaves = _clouds(rng, side, (8, 16, 30))
        canvas *= (0.85 + 0.30 * leaves)[..., None]
    else:
        _draw_bars(canvas, rng, third, rng.uniform(0.04, 0.08), False)
    vignette = 1.0 - rng.uniform(0.05, 0.35) * ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2
    return np.ascontiguousarray(np.clip(canvas * vignette[..., None], 0.02, 0.99), dtype=np.float32)


def draw_shoulders(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    """Draw neck, shoulders and clothes, in place; they belong behind the face."""
    face, unit = scene.face, place.unit
    base = np.array([scene.pose.x, scene.pose.y]) * place.side + place.unit * np.array([-np.sin(scene.pose.tilt), 0.0])
    lit = scene.light.direction[0]

    def body(points: np.ndarray) -> np.ndarray:
        # Shoulders stay level when the head tilts.
        return points * unit + base

    neck = face.neck
    left = np.array([(-neck, 0.4), (-neck * 0.97, 1.05), (-neck * 1.05, 1.28), (-neck * 1.55, 1.48)])
    outline = np.vstack([open_curve(left, 24), (open_curve(left, 24) * (-1.0, 1.0))[::-1]])
    skin = _colour(
        np.asarray(face.skin, np.float32) * np.asarray(scene.light.shadow, np.float32) * 0.45
        + np.asarray(face.skin, np.float32) * 0.48
    )
    fill(canvas, body(outline), skin)
    inside = mask(canvas.shape[:2], body(outline))
    chin = place.flat(ellipse((0.03 * lit, 0.78), (0.62, 0.44)))
    fill(
        canvas,
        chin,
        _colour(np.asarray(skin, np.float32) * (0.50, 0.42, 0.42)),
        opacity=0.75,
        blur=0.08 * unit,
        clip=inside,
    )
    dark_side = body(np.array([(-np.sign(lit) * neck, 0.5), (-np.sign(lit) * neck, 1.5)]))
    stroke(
        canvas,
        dark_side,
        _colour(np.asarray(skin, np.float32) * 0.5),
        0.3 * unit,
        opacity=0.5,
        blur=0.12 * unit,
        clip=inside,
    )

    half = 1.45 + 0.25 * face.neck
    drop = 0.10 if scene.collar == "turtleneck" else 0.0
    shoulder = np.array(
        [(-half - 0.25, 3.6), (-half, 2.2), (-half * 0.86, 1.80), (-0.9, 1.56), (-neck * 1.18, 1.36 - drop)]
    )
    edge = open_curve(shoulder, 40)
    dip = {"crew": 1.62, "vee": 2.05, "shirt": 1.85, "turtleneck": 1.18}[scene.collar]
    sharp = scene.collar in ("vee", "shirt")
    neckline = np.array([(-neck * 1.18, 1.36 - drop), (0.0, dip), (neck * 1.18, 1.36 - drop)])
    if not sharp:
        neckline = open_curve(
            np.array(
                [
                    neckline[0],
                    (-0.62 * neck, 0.25 * neckline[0, 1] + 0.75 * dip),
                    (0.0, dip),
                    (0.62 * neck, 0.25 * neckline[0, 1] + 0.75 * dip),
                    neckline[2],
                ]
            ),
            30,
        )
    garment = body(np.vstack([edge, neckline, (edge * (-1.0, 1.0))[::-1]]))
    fill(canvas, garment, _cloth(scene, place, rng))
    cloth_mask = mask(canvas.shape[:2], garment)
    rim = _colour(np.asarray(scene.cloth, np.float32) * 0.55)
    stroke(canvas, body(neckline), rim, 0.045 * unit, opacity=0.6, blur=0.012 * unit)
    if scene.collar == "shirt":
        for side in (-1.0, 1.0):
            flap = np.array(
                [
                    (side * neck * 1.15, 1.28),
                    (side * 0.05, dip - 0.02),
                    (side * 0.42, dip + 0.06),
                    (side * neck * 1.45, 1.44),
                ]
            )
            fill(canvas, body(flap), _colour(np.asarray(scene.cloth, np.float32) * (1.1 + 0.1 * side * lit)))
            stroke(canvas, body(flap[1:]), rim, 0.02 * unit, opacity=0.6, blur=0.006 * unit)
    if scene.collar == "turtleneck":
        for y in (1.22, 1.30):
            roll = open_curve(np.array([(-neck * 1.1, y), (0.0, y + 0.13), (neck * 1.1, y)]), 20)
            stroke(canvas, body(roll), rim, 0.03 * unit, opacity=0.4, blur=0.02 * unit, clip=cloth_mask)


def _cloth(scene: Scene, place: Placement, rng: np.random.Generator) -> np.ndarray:
    side = place.side
    x, y = np.meshgrid(*(np.linspace(0, 1, side, dtype=np.float32),) * 2)
    colour = np.broadcast_to(np.asarray(scene.cloth, np.float32), (side, side, 3))
    if scene.cloth_pattern:
        run = y + 0.15 * (x - scene.pose.x) ** 2 if scene.cloth_pattern == 1 else x
        band = np.clip(np.sin(run * rng.uniform(60, 130)) * 4, 0, 1)
        colour = colour + 0.5 * band[..., None] * (np.asarray(scene.cloth_second, np.float32) - colour)
    folds = 0.72 + 0.5 * _clouds(rng, side, (3, 7, 14))
    weave = 1.0 + 0.10 * (_clouds(rng, side, (60, 128)) - 0.5)
    lean = 1.0 + 0.30 * scene.light.direction[0] * (x - scene.pose.x)
    return np.clip(colour * (folds * weave * lean)[..., None], 0, 1).astype(np.float32)


def _draw_bars(canvas: np.ndarray, rng: np.random.Generator, colour: np.ndarray, width: float, bright: bool) -> None:
    side = canvas.shape[0]
    at = rng.uniform(-width, 0)
    while at < 1:
        span = width * rng.uniform(0.5, 1.2)
        low, high = (0.9, 1.25) if bright else (0.35, 1.15)
        hue = 1.0 + rng.normal(0, 0.0 if bright else 0.12, 3)
        shade = np.clip(colour * rng.uniform(low, high) * hue, 0, 1)
        top = rng.uniform(-0.2, 0.15)
        corners = np.array([(at, top), (at + span, top), (at + span, 1.1), (at, 1.1)]) * side
        fill(canvas, corners, _colour(shade), opacity=0.55, blur=side * 0.012)
        at += span + width * (0.35 if bright else 0.02)


def _clouds(rng: np.random.Generator, side: int, scales: tuple[int, ...]) -> np.ndarray:
    """Sum smooth noise of several grid sizes: float32 [side, side], about 0..1 around 0.5."""
    total = np.zeros((side, side), np.float32)
    for scale in scales:
        coarse = rng.random((scale + 2, scale + 2), dtype=np.float32)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    spread = np.float32(1.0 / np.sqrt(len(scales)))
    return 0.5 + (total / len(scales) - 0.5) / spread


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (float(v) for v in values)
    return red, green, blue
