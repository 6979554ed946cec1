"""The face and what is in it: skin, eyes, brows, nose, mouth, ears, beard, glasses."""

import numpy as np

from .brush import Colour, closed_curve, ellipse, fill, mask, open_curve, strands, stroke
from .placement import Placement, light_on_head
from .scene import DrawnFace, Scene

_SHADE: Colour = (0.22, 0.09, 0.07)


def head_outline(face: DrawnFace) -> np.ndarray:
    """Give the outline of the head in head coordinates, float [160, 2]."""
    right = np.array(
        [
            (0.52, -0.88),
            (0.86, -0.58),
            (1.0, -0.15),
            (0.975, 0.20),
            (0.5 + 0.5 * face.jaw, 0.44),
            (face.jaw, 0.63),
            (0.5 * (face.jaw + face.chin), 0.83),
            (face.chin, 0.955),
        ]
    ) * (face.width, 1.0)
    left = right[::-1] * (-1.0, 1.0)
    return closed_curve(np.vstack([[(0.0, -1.0)], right, [(0.0, 1.0)], left]), 160)


def draw_ears(canvas: np.ndarray, scene: Scene, place: Placement) -> None:
    """Draw the ears that the turn of the head leaves in sight, in place; they belong behind the face."""
    face = scene.face
    for side in (-1.0, 1.0):
        # The ear the face turns towards slips behind the cheek.
        out = 0.02 - 0.16 * side * np.sin(scene.pose.yaw)
        centre = np.array([side * (face.width * 0.97 + out * face.ear), 0.14])
        lit = 0.80 + 0.16 * side * scene.light.direction[0]
        skin = _times(face.skin, lit)
        lobe = ellipse(centre, (0.10 * face.ear, 0.21 * face.ear))
        lobe[:, 0] -= side * 0.16 * (lobe[:, 1] - 0.14)
        fill(canvas, place.flat(lobe), skin)
        inner = ellipse(centre + (side * 0.01, -0.02), (0.055 * face.ear, 0.13 * face.ear))
        fill(canvas, place.flat(inner), _times(skin, 0.70), opacity=0.8, blur=0.025 * place.unit)
        if scene.earrings:
            drop = centre + (-side * 0.03, 0.24 * face.ear)
            fill(canvas, place.flat(ellipse(drop, (0.028, 0.035))), (0.93, 0.82, 0.55))
            fill(canvas, place.flat(ellipse(drop - 0.008, (0.010, 0.012))), (1.0, 0.98, 0.92))


def draw_face(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    """Draw the lit face with all its features, in place."""
    outline = place.flat(head_outline(scene.face))
    head = mask(canvas.shape[:2], outline)
    fill(canvas, outline, scene.face.skin)
    _draw_complexion(canvas, scene, place, rng)
    if scene.hair.beard > 0:
        _draw_beard(canvas, scene, place, rng, head)
    _draw_mouth(canvas, scene, place, head)
    for side in (-1.0, 1.0):
        _draw_eye(canvas, scene, place, side, head)
    tint, gloss = light_on_head(scene, place)
    canvas *= 1.0 + head[..., None] * (tint - 1.0)
    canvas += (head * gloss)[..., None]
    _draw_nose(canvas, scene, place, head)
    for side in (-1.0, 1.0):
        _draw_catchlight(canvas, scene, place, side)
        _draw_brow(canvas, scene, place, rng, side, head)
    if scene.glasses:
        _draw_glasses(canvas, scene, place)


def _times(colour: Colour, factor: float) -> Colour:
    red, green, blue = colour
    return red * factor, green * factor, blue * factor


def _toward(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _draw_complexion(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator) -> None:
    face, unit = scene.face, place.unit
    rosy = _toward(face.skin, (0.85, 0.25, 0.22), 0.45)
    base = 0.06 + face.nose_length
    for x, y, radius, strength in ((-0.42, 0.36, 0.17, 0.9), (0.42, 0.36, 0.17, 0.9), (0.0, base - 0.05, 0.08, 0.7)):
        spot = place.turned(ellipse((x, y), (radius, 0.8 * radius)))
        fill(canvas, spot, rosy, opacity=face.blush * strength, blur=0.09 * unit)
    for _ in range(face.freckles):
        at = np.array([rng.normal(0, 0.30), rng.normal(0.30, 0.09)])
        size = rng.uniform(0.008, 0.016)
        fill(canvas, place.turned(ellipse(at, (size, size), 10)), _times(face.skin, 0.72), opacity=0.7, blur=0.5)


def _draw_beard(canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator, head: np.ndarray) -> None:
    face, hair, unit = scene.face, scene.hair, place.unit
    w, base = face.width, 0.06 + face.nose_length
    left = np.array([(-w, 0.22), (-0.86 * w, 0.34), (-0.66 * w, 0.50), (-0.40 * w, 0.56), (-0.20, base + 0.11)])
    bottom = np.array([(0.0, base + 0.10)])
    upper = np.vstack([left, bottom, left[::-1] * (-1.0, 1.0)])
    lower = np.array([(w * 1.1, 0.9), (0.3, 1.25), (-0.3, 1.25), (-w * 1.1, 0.9)])
    outline = place.turned(np.vstack([open_curve(upper, 48), lower]))
    clip = mask((place.side, place.side), outline, 0.03 * unit) * head
    fill(canvas, outline, hair.brow_colour, opacity=0.25 + 0.35 * hair.beard, blur=0.035 * unit, clip=clip)
    number = int(250 + 350 * hair.beard)
    roots = np.column_stack([rng.uniform(-w, w, number), rng.uniform(0.2, 1.05, number)])
    reach = 0.03 + 0.05 * hair.beard
    tips = roots + np.column_stack([rng.normal(0, 0.015, number) + 0.3 * reach * roots[:, 0], np.full(number, reach)])
    lines = [place.turned(np.vstack([a, b])) for a, b in zip(roots, tips, strict=True)]
    colours = np.clip(np.asarray(hair.brow_colour, np.float32) * rng.uniform(0.6, 1.6, (number, 1)), 0, 1)
    strands(canvas, lines, colours, 0.012 * unit, clip, 0.25 + 0.5 * hair.beard)


def _eye_curves(face: DrawnFace, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size, opening = face.eye_size, face.eye_size * face.eye_open
    slant = -face.eye_slant * size
    inner, outer = (-size, 0.10 * size), (size, slant)
    upper = np.array(
        [inner, (-0.55 * size, -0.62 * opening), (0.05 * size, -opening), (0.62 * size, -0.62 * opening), outer]
    )
    lower = np.array(
        [inner, (-0.45 * size, 0.50 * opening), (0.15 * size, 0.68 * opening), (0.65 * size, 0.45 * opening), outer]
    )
    shift = np.array([side * face.eye_gap, 0.03])
    flip = np.array([side, 1.0])
    return open_curve(upper, 24) * flip + shift, open_curve(lower, 24) * flip + shift, shift


def _draw_eye(canvas: np.ndarray, scene: Scene, place: Placement, side: float, head: np.ndarray) -> None:
    face, unit = scene.face, place.unit
    upper, lower, centre = _eye_curves(face, side)
    lash = _toward(scene.hair.brow_colour, (0.06, 0.04, 0.04), 0.6)
    socket = ellipse(centre + (0.0, -0.05), (1.15 * face.eye_size, 0.6 * face.eye_size))
    fill(canvas, place.turned(socket), _times(face.skin, 0.72), opacity=0.35, blur=0.045 * unit, clip=head)
    outline = place.turned(np.vstack([upper, lower[::-1]]))
    inside = mask((place.side, place.side), outline) * head
    fill(canvas, outline, (0.93, 0.90, 0.88), clip=head)
    looks = centre + np.array(face.gaze) * face.eye_size + (0.0, -0.08 * face.eye_size)
    radius = 0.50 * face.eye_size
    for scale, colour in (
        (1.0, _times(face.iris, 0.45)),
        (0.88, face.iris),
        (0.62, _toward(_times(face.iris, 1.25), (0.9, 0.75, 0.5), 0.12)),
        (0.44, (0.03, 0.02, 0.02)),
    ):
        disc = place.turned(ellipse(looks, (radius * scale, radius * scale)))
        fill(canvas, disc, colour, blur=0.006 * unit, clip=inside)
    shadow = np.vstack([upper, upper[::-1] + (0.0, 0.30 * face.eye_size * face.eye_open)])
    fill(canvas, place.turned(shadow), (0.12, 0.08, 0.08), opacity=0.55, blur=0.015 * unit, clip=inside)
    crease = upper + (0.0, -0.050)
    stroke(
        canvas, place.turned(crease), _times(face.skin, 0.55), 0.012 * unit, opacity=0.65, blur=0.008 * unit, clip=head
    )
    stroke(
        canvas, place.turned(lower), _times(face.skin, 0.55), 0.010 * unit, opacity=0.6, blur=0.005 * unit, clip=head
    )
    wing = np.vstack([upper, upper[-1:] + (side * 0.020, -0.018)])
    stroke(canvas, place.turned(wing), lash, 0.030 * unit, opacity=0.9, blur=0.003 * unit, clip=head)


def _draw_catchlight(canvas: np.ndarray, scene: Scene, place: Placement, side: float) -> None:
    face = scene.face
    centre = np.array([side * face.eye_gap, 0.03]) + np.array(face.gaze) * face.eye_size
    at = centre + np.array([0.045 * np.sign(scene.light.direction[0]), -0.035])
    fill(canvas, place.turned(ellipse(at, (0.021, 0.021), 16)), (1.0, 1.0, 1.0), opacity=0.95, blur=0.004 * place.unit)


def _draw_brow(
    canvas: np.ndarray, scene: Scene, place: Placement, rng: np.random.Generator, side: float, head: np.ndarray
) -> None:
    face, unit = scene.face, place.unit
    gap, y = face.eye_gap, 0.03 - face.brow_height
    spine = np.array(
        [
            (gap - 0.20, y + 0.005),
            (gap - 0.03, y - 0.7 * face.brow_arch),
            (gap + 0.10, y - face.brow_arch),
            (gap + 0.23, y + 0.035),
        ]
    )
    line = open_curve(spine, 30)
    taper = face.brow_thickness * np.interp(np.linspace(0, 1, 30), (0, 0.15, 0.6, 1), (0.7, 1.0, 0.85, 0.25))
    body = np.vstack([line - np.column_stack([0 * taper, taper]), (line + np.column_stack([0 * taper, taper]))[::-1]])
    flip = np.array([side, 1.0])
    colour = scene.hair.brow_colour
    fill(canvas, place.turned(body * flip), colour, opacity=0.55, blur=0.012 * unit, clip=head)
    where = rng.integers(0, 29, 46)
    roots = line[where] + np.column_stack([np.zeros(46), taper[where] * rng.uniform(-0.7, 1.0, 46)])
    tips = roots + np.column_stack([rng.uniform(0.03, 0.06, 46), -rng.uniform(0.0, 0.035, 46) * (1.2 - where / 20)])
    hairs = [place.turned(np.vstack([a, b]) * flip) for a, b in zip(roots, tips, strict=True)]
    shades = np.clip(np.asarray(colour, np.float32) * rng.uniform(0.6, 1.15, (46, 1)), 0, 1)
    strands(canvas, hairs, shades, 0.011 * unit, head, 0.75)


def _draw_nose(canvas: np.ndarray, scene: Scene, place: Placement, head: np.ndarray) -> None:
    face, unit = scene.face, place.unit
    base = 0.06 + face.nose_length
    dark = _toward(_times(face.skin, 0.42), _SHADE, 0.35)
    for side in (-1.0, 1.0):
        hole = ellipse((side * 0.48 * face.nose_width, base), (0.042, 0.018), 20)
        fill(canvas, place.turned(hole), dark, opacity=0.8, blur=0.010 * unit, clip=head)
        wing = np.array([(side * 0.95, -0.085), (side * 1.12, -0.03), (side * 0.92, 0.012)]) * (face.nose_width, 1.0)
        stroke(
            canvas,
            place.turned(open_curve(wing + (0.0, base), 12)),
            dark,
            0.016 * unit,
            opacity=0.42,
            blur=0.012 * unit,
            clip=head,
        )
    under = np.array([(-0.75, 0.015), (-0.3, 0.032), (0.3, 0.032), (0.75, 0.015)]) * (face.nose_width, 1.0)
    stroke(
        canvas,
        place.turned(open_curve(under + (0.0, base), 16)),
        dark,
        0.02 * unit,
        opacity=0.35,
        blur=0.018 * unit,
        clip=head,
    )


def _draw_mouth(canvas: np.ndarray, scene: Scene, place: Placement, head: np.ndarray) -> None:
    face, unit = scene.face, place.unit
    y, w, full, smile, gape = (
        0.29 + face.nose_length,
        face.mouth_width,
        face.mouth_fullness,
        face.mouth_smile,
        face.mouth_open,
    )
    left, right = (-w, y - smile), (w, y - smile)
    top = np.array(
        [
            left,
            (-0.45 * w, y - 0.75 * full),
            (-0.13 * w, y - full),
            (0.0, y - 0.78 * full),
            (0.13 * w, y - full),
            (0.45 * w, y - 0.75 * full),
            right,
        ]
    )
    seam = np.array([left, (-0.4 * w, y + 0.005), (0.0, y + 0.015), (0.4 * w, y + 0.005), right])
    seam_low = seam + np.array([(0, 0), (0, 0.8 * gape), (0, gape), (0, 0.8 * gape), (0, 0)])
    low = np.array(
        [
            left,
            (-0.5 * w, y + 0.75 * full + gape),
            (0.0, y + 1.25 * full + gape),
            (0.5 * w, y + 0.75 * full + gape),
            right,
        ]
    )
    top, seam, seam_low, low = (open_curve(c, 40) for c in (top, seam, seam_low, low))
    upper_lip = place.turned(np.vstack([top, seam[::-1]]))
    lower_lip = place.turned(np.vstack([seam_low, low[::-1]]))
    fill(canvas, lower_lip, face.lip, opacity=0.95, blur=0.012 * unit, clip=head)
    fill(canvas, upper_lip, _times(face.lip, 0.84), opacity=0.95, blur=0.010 * unit, clip=head)
    shine = ellipse((0.0, y + gape + 0.62 * full), (0.35 * w, 0.22 * full))
    fill(
        canvas,
        place.turned(shine),
        _toward(face.lip, (1.0, 0.95, 0.92), 0.5),
        opacity=0.55,
        blur=0.02 * unit,
        clip=head,
    )
    dark = _toward(_times(face.lip, 0.35), _SHADE, 0.4)
    if gape > 0:
        inside = place.turned(np.vstack([seam, seam_low[::-1]]))
        fill(canvas, inside, (0.25, 0.08, 0.09), clip=head)
        hole = mask((place.side, place.side), inside) * head
        teeth = np.vstack([seam, seam[::-1] + (0.0, 0.72 * gape)])
        fill(canvas, place.turned(teeth), (0.95, 0.93, 0.90), blur=0.006 * unit, clip=hole)
    stroke(canvas, place.turned(seam), dark, 0.014 * unit, opacity=0.75, blur=0.006 * unit, clip=head)
    for side in (-1.0, 1.0):
        corner = ellipse((side * (w + 0.01), y - smile), (0.022, 0.018), 12)
        fill(canvas, place.turned(corner), dark, opacity=0.35, blur=0.014 * unit, clip=head)
    chin = ellipse((0.0, y + gape + 1.25 * full + 0.05), (0.12, 0.02))
    fill(canvas, place.turned(chin), _times(face.skin, 0.66), opacity=0.4, blur=0.025 * unit, clip=head)


def _draw_glasses(canvas: np.ndarray, scene: Scene, place: Placement) -> None:
    face, unit = scene.face, place.unit
    frame: Colour = (0.10, 0.09, 0.10) if scene.texture_seed % 2 else (0.42, 0.27, 0.16)
    width = 0.030 * unit
    for side in (-1.0, 1.0):
        rim = ellipse((side * face.eye_gap, 0.04), (0.235, 0.19))
        if scene.texture_seed % 3:
            corner = np.array([(-0.22, -0.15), (0.23, -0.17), (0.20, 0.15), (-0.16, 0.17)])
            rim = closed_curve(corner * (side, 1.0) + (side * face.eye_gap, 0.04), 60)
        placed = place.turned(rim)
        fill(canvas, placed, (0.85, 0.92, 0.97), opacity=0.07)
        stroke(canvas, np.vstack([placed, placed[:1]]), frame, width)
        arm = np.array([(side * (face.eye_gap + 0.225), -0.02), (side * face.width * 0.99, -0.01)])
        stroke(canvas, place.turned(arm), frame, width)
    bridge = open_curve(np.array([(-face.eye_gap + 0.22, 0.0), (0.0, -0.035), (face.eye_gap - 0.22, 0.0)]), 12)
    stroke(canvas, place.turned(bridge), frame, width)
