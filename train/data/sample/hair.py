"""Hair: a mass behind the head, and a cap and locks in front of it, drawn strand by strand."""

from dataclasses import dataclass

import numpy as np

from .brush import ellipse, fill, mask, open_curve, strands
from .placement import Placement
from .scene import Scene

_FALLING = ("bob", "long")
_POINTS = 64


@dataclass(frozen=True)
class _Cut:
    """Curves in pixels, each float [64, 2]: the cap's outer edge and the hairline, both left temple to right."""

    outer: np.ndarray
    hairline: np.ndarray
    crown: np.ndarray


def draw_hair_behind(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    """Draw the hair that hangs or stands behind the head, in place."""
    style, w = scene.hair.style, scene.face.width
    if style in _FALLING:
        sides = [_fall(scene, side) for side in (-1.0, 1.0)]
        top = np.array([(-0.9 * w, -0.75), (0.0, -1.02), (0.9 * w, -0.75)])
        outline = place.flat(np.vstack([sides[0][0][::-1], top, sides[1][0]]))
        fill(canvas, outline, _dark(scene, 0.55))
        clip = mask(canvas.shape[:2], outline)
        lines = []
        for _ in range(120):
            u = rng.uniform(-1.0, 1.0)
            drop = np.array([(u * w, 0.2), (u * w * 1.15, 0.8), (u * (w + 0.2), 1.5), (u * (w + 0.25), 2.4)])
            lines.append(place.flat(open_curve(drop + rng.normal(0, 0.03, (4, 2)), 16)))
        strands(canvas, lines, _shades(scene, rng, 120, 0.35, 0.8), 0.014 * place.unit, clip, 0.8)
    elif style == "curly":
        _draw_curly_mass(canvas, scene, place, rng)
    elif style == "bun":
        centre = np.array([0.12 * scene.hair.part, -1.10 - 0.5 * scene.hair.volume])
        radius = 0.26 + 0.10 * scene.hair.length
        outline = place.flat(ellipse(centre, (radius * 1.1, radius)))
        fill(canvas, outline, _dark(scene, 0.75))
        clip = mask(canvas.shape[:2], outline)
        lines = []
        for _ in range(90):
            turn, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0) * radius
            angle = turn + np.linspace(0, rng.uniform(0.8, 2.0), 10)
            ring = np.column_stack([np.cos(angle) * 1.1, np.sin(angle)]) * size
            lines.append(place.flat(ring + centre))
        strands(canvas, lines, _shades(scene, rng, 90, 0.6, 1.5), 0.014 * place.unit, clip, 0.8)


def draw_hair_before(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    """Draw the hair that lies on the head and in front of the face, in place."""
    if scene.hair.style == "bald":
        return
    cut = _cut(scene, place)
    outline = np.vstack([cut.outer, cut.hairline[::-1]])
    unit = place.unit
    shadow = np.vstack([cut.hairline, (cut.hairline + np.array([0.0, 0.09 * unit]))[::-1]])
    fill(canvas, shadow, _dark(scene, 0.35), opacity=0.33, blur=0.035 * unit)
    if scene.hair.style == "curly":
        fill(canvas, outline, _dark(scene, 0.55), blur=0.02 * unit)
        row, share = rng.integers(_POINTS, size=260), np.sqrt(rng.uniform(0.02, 1.0, (260, 1)))
        _draw_curls(canvas, scene, place, rng, cut.hairline[row] * (1 - share) + cut.outer[row] * share)
        return
    soft = 0.025 * unit if scene.hair.style == "cropped" else 0.008 * unit
    fill(canvas, outline, _dark(scene, 0.62), blur=soft, opacity=0.96)
    clip = mask(canvas.shape[:2], outline, soft)
    _draw_cap_strands(canvas, scene, cut, rng, clip, unit)
    if scene.hair.style in _FALLING:
        for side in (-1.0, 1.0):
            clip = np.maximum(clip, _draw_lock(canvas, scene, place, rng, side))
    _light_hair(canvas, scene, place, clip)


def _cut(scene: Scene, place: Placement) -> _Cut:
    hair, w = scene.hair, scene.face.width
    full = {"cropped": 0.35, "short": 0.9, "swept": 1.3, "bun": 0.3, "curly": 1.2}.get(hair.style, 0.8) * hair.volume
    ends = {"cropped": 0.02, "short": 0.12, "swept": 0.10, "bun": 0.05}.get(hair.style, 0.25)
    part = hair.part
    outer = np.array(
        [
            (-w * 1.01, ends),
            (-w * (1.03 + 0.5 * full), -0.35),
            (-w * (0.86 + 0.8 * full), -0.72 - 0.5 * full),
            (-0.42 * w, -0.97 - full * (1.0 - 0.25 * part)),
            (0.05 * part, -1.02 - full),
            (0.42 * w, -0.97 - full * (1.0 + 0.25 * part)),
            (w * (0.86 + 0.8 * full), -0.72 - 0.5 * full),
            (w * (1.03 + 0.5 * full), -0.35),
            (w * 1.01, ends),
        ]
    )
    line = hair.hairline
    # A fringe: the hairline drops on the side away from the parting.
    drop = 0.0 if hair.style in ("cropped", "bun", "curly") else 0.22 * hair.wave
    left, right = drop * max(part, 0.0), drop * max(-part, 0.0)
    hairline = np.array(
        [
            (-w * 1.0, ends),
            (-w * 0.93, -0.16),
            (-w * 0.84, 0.66 * line + left),
            (-w * 0.48, 0.94 * line + 1.2 * left),
            (part * 0.5 * w, line),
            (w * 0.48, 0.94 * line + 1.2 * right),
            (w * 0.84, 0.66 * line + right),
            (w * 0.93, -0.16),
            (w * 1.0, ends),
        ]
    )
    # The parting can lie left or right of the neighbouring points: keep the curve from folding back.
    hairline[:, 0] = np.sort(hairline[:, 0])
    crown = np.array([[0.45 * part * w, -0.99 - 0.55 * full]])
    bent = place.slide(hairline)
    fixed = np.linspace(-1, 1, len(hairline))[:, None] ** 6  # temples keep to the outline, the forehead turns
    return _Cut(
        outer=place.flat(open_curve(outer, _POINTS)),
        hairline=place.flat(open_curve(bent * (1 - fixed) + hairline * fixed, _POINTS)),
        crown=place.flat(crown)[0],
    )


def _draw_cap_strands(
    canvas: np.ndarray, scene: Scene, cut: _Cut, rng: np.random.Generator, clip: np.ndarray, unit: float
) -> None:
    number = 420
    where = rng.uniform(0, _POINTS - 1, number)
    share = rng.uniform(-0.05, 1.0, number)[:, None]
    row = where.astype(int)
    tips = cut.hairline[row] * (1 - share) + cut.outer[row] * share
    tips = tips + rng.normal(0, 0.02 * unit, tips.shape)
    if scene.hair.style in ("cropped", "short"):
        grow = (tips - cut.crown) * rng.uniform(0.5, 0.85, (number, 1))
        roots = cut.crown + grow + rng.normal(0, 0.02 * unit, tips.shape)
    else:
        roots = cut.crown + rng.normal(0, 0.035 * unit, tips.shape)
    middle = (roots + tips) / 2
    lift = (middle - cut.hairline.mean(axis=0)) * np.array([0.16, 0.10]) + rng.normal(0, 0.015 * unit, tips.shape)
    bend = np.linspace(0, 1, 12)[:, None]
    lines = [
        (1 - bend) ** 2 * a + 2 * bend * (1 - bend) * b + bend**2 * c
        for a, b, c in zip(roots, middle + lift, tips, strict=True)
    ]
    strands(canvas, lines, _shades(scene, rng, number, 0.55, 1.45), 0.013 * unit, clip, 0.85)


def _fall(scene: Scene, side: float) -> tuple[np.ndarray, np.ndarray]:
    hair, w = scene.hair, scene.face.width
    bottom = 0.62 + 0.45 * hair.length if hair.style == "bob" else 1.35 + 0.9 * hair.length
    out = w + 0.9 * hair.volume
    flare = 0.10 + 0.16 * hair.wave
    curl = -0.12 if hair.style == "bob" else 0.06
    outer = np.array(
        [
            (w * 0.92, -0.72),
            (out, -0.30),
            (out + flare * 0.7, 0.35),
            (out + flare, 0.75 * bottom),
            (out + flare + curl, bottom),
        ]
    )
    inner = np.array(
        [(w * 0.55, -0.70), (w * 0.90, -0.30), (w * 0.90, 0.30), (w * 0.84, 0.70 * bottom), (w * 0.62, bottom)]
    )
    flip = np.array([side, 1.0])
    return open_curve(outer, 40) * flip, open_curve(inner, 40) * flip


def _draw_lock(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator, side: float) -> np.ndarray:
    outer, inner = _fall(scene, side)
    unit, number = place.unit, 170
    ripple = np.linspace(0, 1, 40)
    swing = 0.05 * scene.hair.wave * np.sin(ripple * 13 + rng.uniform(0, 6)) * ripple
    lines = []
    for share in rng.uniform(-0.03, 1.03, number):
        line = inner * (1 - share) + outer * share
        jitter = 0.02 * np.sin(ripple * rng.uniform(3, 9) + rng.uniform(0, 6)) * ripple
        lines.append(place.flat(line + np.column_stack([swing + jitter, 0 * ripple])))
    body = np.column_stack([swing, 0 * ripple])
    outline = place.flat(np.vstack([outer + body, (inner + body)[::-1]]))
    shadow = place.flat(np.vstack([inner + body, (inner + body - (side * 0.07, 0.0))[::-1]]))
    fill(canvas, shadow, _dark(scene, 0.3), opacity=0.30, blur=0.035 * unit)
    fill(canvas, outline, _dark(scene, 0.66), blur=0.012 * unit)
    clip = mask(canvas.shape[:2], outline, 0.012 * unit)
    strands(canvas, lines, _shades(scene, rng, number, 0.55, 1.4), 0.013 * unit, clip, 0.85)
    return clip


def _draw_curly_mass(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    w, swell = scene.face.width, 0.10 + 1.3 * scene.hair.volume
    low = np.pi * (0.10 + 0.22 * scene.hair.length)
    reach = np.linspace(np.pi - low, 2 * np.pi + low, 40)
    rim = np.column_stack([np.cos(reach) * (w + swell), np.sin(reach) * (1.0 + swell)])
    fill(canvas, place.flat(0.95 * rim), _dark(scene, 0.5), blur=0.02 * place.unit)
    centres = rim[rng.integers(len(rim), size=220)] * np.sqrt(rng.uniform(0.6, 1.0, (220, 1)))
    _draw_curls(canvas, scene, place, rng, place.flat(centres))


def _draw_curls(
    canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator, centres: np.ndarray
) -> None:
    unit = place.unit
    size = (0.055 + 0.05 * scene.hair.wave) * unit
    middle = place.flat(np.zeros((1, 2)))[0]
    for centre in centres:
        lit = 1.0 + 0.35 * float(np.dot((centre - middle) / unit, scene.light.direction[:2]))
        around = ellipse(centre, (size * rng.uniform(0.8, 1.3),) * 2, 18)
        colour = _dark(scene, 0.62 * lit * rng.uniform(0.75, 1.25))
        fill(canvas, around, colour, opacity=0.85, blur=0.006 * unit)
        turn = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(2.0, 4.5), 12)
        spiral = np.column_stack([np.cos(turn), np.sin(turn)]) * (size * np.linspace(0.95, 0.35, 12))[:, None]
        curl = np.vstack([spiral, (spiral * 0.72)[::-1]]) + centre
        fill(canvas, curl, _dark(scene, rng.uniform(0.95, 1.65) * lit), opacity=0.55, blur=0.006 * unit)


def _light_hair(canvas: np.ndarray, scene: Scene, place: Placement, clip: np.ndarray) -> None:
    u, v = place.grid(1)
    x, y, _ = scene.light.direction
    slope = 1.0 + 0.32 * x * u / scene.face.width + 0.10 * y * v
    band = np.exp(-0.5 * ((v + 0.80 - 0.25 * (u - 0.35 * x) ** 2) / 0.10) ** 2)
    amount = np.clip(slope * (0.95 + (0.25 + 2 * scene.light.gloss) * band), 0.35, 1.9)
    canvas *= 1.0 + (clip * (amount - 1.0))[..., None].astype(np.float32)


def _dark(scene: Scene, factor: float) -> tuple[float, float, float]:
    red, green, blue = (min(1.0, max(0.0, v * factor)) for v in scene.hair.colour)
    return red, green, blue


def _shades(scene: Scene, rng: np.random.Generator, number: int, low: float, high: float) -> np.ndarray:
    shade = np.asarray(scene.hair.colour, np.float32) * rng.uniform(low, high, (number, 1))
    return np.clip(shade + rng.normal(0, 0.012, (number, 3)), 0.0, 1.0)
