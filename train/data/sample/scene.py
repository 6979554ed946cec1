"""What a drawn portrait shows, chosen at random: everything but the pixels.

These are stand-ins to see the pipeline work, not faces to learn from: no person, no population and no
proportion among people is modelled here.
"""

from dataclasses import dataclass

import numpy as np

from .brush import Colour

SKINS: tuple[Colour, ...] = (
    (0.98, 0.84, 0.75),
    (0.95, 0.78, 0.67),
    (0.91, 0.72, 0.58),
    (0.84, 0.63, 0.48),
    (0.73, 0.52, 0.38),
    (0.60, 0.41, 0.29),
    (0.47, 0.31, 0.22),
    (0.37, 0.24, 0.18),
)
HAIRS: tuple[Colour, ...] = (
    (0.10, 0.08, 0.08),
    (0.20, 0.13, 0.10),
    (0.34, 0.21, 0.13),
    (0.46, 0.29, 0.17),
    (0.62, 0.41, 0.22),
    (0.82, 0.64, 0.38),
    (0.62, 0.27, 0.13),
    (0.66, 0.65, 0.66),
)
IRISES: tuple[Colour, ...] = (
    (0.25, 0.15, 0.09),
    (0.38, 0.23, 0.11),
    (0.40, 0.36, 0.17),
    (0.28, 0.42, 0.27),
    (0.28, 0.45, 0.60),
    (0.42, 0.50, 0.55),
)
STYLES = ("cropped", "short", "swept", "bob", "long", "curly", "bun", "bald")
BACKDROPS = ("studio", "bokeh", "wall", "window", "outdoors", "shelves")
COLLARS = ("crew", "vee", "shirt", "turtleneck")


@dataclass(frozen=True)
class Pose:
    """Where the head is: picture fractions for `x`, `y`, `scale` (half a head's height), radians for the turns."""

    x: float
    y: float
    scale: float
    tilt: float
    yaw: float
    pitch: float


@dataclass(frozen=True)
class DrawnFace:
    """Shape and colour of head and features; lengths in half heads (chin to crown is 2)."""

    skin: Colour
    width: float
    jaw: float
    chin: float
    blush: float
    freckles: int
    eye_gap: float
    eye_size: float
    eye_open: float
    eye_slant: float
    iris: Colour
    gaze: tuple[float, float]
    brow_height: float
    brow_arch: float
    brow_thickness: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_fullness: float
    mouth_smile: float
    mouth_open: float
    lip: Colour
    ear: float
    neck: float


@dataclass(frozen=True)
class Hair:
    """Style, colour and cut; `beard` in 0..1 is how dense, `part` in -1..1 where the parting is."""

    style: str
    colour: Colour
    volume: float
    hairline: float
    part: float
    length: float
    wave: float
    beard: float
    brow_colour: Colour


@dataclass(frozen=True)
class Light:
    """Direction the main light comes from (unit vector, x right, y down, z to the viewer), strength and tints."""

    direction: tuple[float, float, float]
    ambient: float
    key: Colour
    shadow: Colour
    gloss: float


@dataclass(frozen=True)
class Scene:
    """One portrait; `texture_seed` feeds what is drawn strand by strand and speck by speck."""

    pose: Pose
    face: DrawnFace
    hair: Hair
    light: Light
    backdrop: str
    backdrop_colours: tuple[Colour, Colour, Colour]
    collar: str
    cloth: Colour
    cloth_second: Colour
    cloth_pattern: int
    glasses: bool
    earrings: bool
    texture_seed: int


def choose_scene(rng: np.random.Generator) -> Scene:
    """Choose a portrait; two generators in the same state give the same scene."""
    skin_row = int(rng.integers(len(SKINS)))
    skin = _vary(rng, SKINS[skin_row])
    # Darker skins draw from the darker hairs: pale hair there reads as a drawing mistake, not as variety.
    hair_colour = _vary(rng, HAIRS[int(rng.integers(len(HAIRS) if skin_row < 4 else 3))])
    style = STYLES[int(rng.choice(len(STYLES), p=(0.13, 0.16, 0.16, 0.14, 0.17, 0.12, 0.08, 0.04)))]
    side = float(rng.choice((-1.0, 1.0)))
    return Scene(
        pose=Pose(
            x=0.5 + rng.normal(0, 0.035),
            y=0.455 + rng.normal(0, 0.025),
            scale=rng.uniform(0.26, 0.345),
            tilt=rng.normal(0, 0.10),
            yaw=float(np.clip(rng.normal(0, 0.24), -0.5, 0.5)),
            pitch=float(np.clip(rng.normal(0.02, 0.07), -0.15, 0.18)),
        ),
        face=_choose_face(rng, skin, style),
        hair=Hair(
            style=style,
            colour=hair_colour,
            volume=rng.uniform(0.10, 0.24),
            hairline=rng.uniform(-0.74, -0.57),
            part=side * rng.uniform(0.1, 0.6),
            length=rng.uniform(0.0, 1.0),
            wave=rng.uniform(0.0, 1.0),
            beard=float(rng.uniform(0.3, 1.0))
            if style in ("cropped", "short", "bald") and rng.random() < 0.45
            else 0.0,
            brow_colour=_mix(hair_colour, (0.12, 0.08, 0.07), 0.45),
        ),
        light=_choose_light(rng),
        backdrop=BACKDROPS[int(rng.integers(len(BACKDROPS)))],
        backdrop_colours=_choose_palette(rng),
        collar=COLLARS[int(rng.integers(len(COLLARS)))],
        cloth=_from_hsv(rng.uniform(), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.85)),
        cloth_second=_from_hsv(rng.uniform(), rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.95)),
        cloth_pattern=int(rng.choice(3, p=(0.6, 0.25, 0.15))),
        glasses=bool(rng.random() < 0.16),
        earrings=bool(rng.random() < 0.35) and style in ("bob", "long", "bun", "swept"),
        texture_seed=int(rng.integers(2**31)),
    )


def _choose_face(rng: np.random.Generator, skin: Colour, style: str) -> DrawnFace:
    soft = style in ("bob", "long", "bun")
    lip = _mix(skin, (0.72, 0.22, 0.26), rng.uniform(0.35, 0.75) if soft else rng.uniform(0.22, 0.4))
    return DrawnFace(
        skin=skin,
        width=rng.uniform(0.70, 0.80),
        jaw=rng.uniform(0.68, 0.80) if soft else rng.uniform(0.74, 0.88),
        chin=rng.uniform(0.26, 0.36) if soft else rng.uniform(0.32, 0.46),
        blush=rng.uniform(0.10, 0.40),
        freckles=int(rng.integers(20, 60)) if rng.random() < 0.15 else 0,
        eye_gap=rng.uniform(0.30, 0.36),
        eye_size=rng.uniform(0.155, 0.19),
        eye_open=rng.uniform(0.40, 0.60),
        eye_slant=rng.uniform(-0.10, 0.16),
        iris=_vary(rng, IRISES[int(rng.integers(len(IRISES)))]),
        gaze=(float(rng.normal(0, 0.08)), float(rng.normal(0, 0.04))),
        brow_height=rng.uniform(0.19, 0.25),
        brow_arch=rng.uniform(0.02, 0.08),
        brow_thickness=rng.uniform(0.025, 0.04) if soft else rng.uniform(0.035, 0.06),
        nose_width=rng.uniform(0.13, 0.19),
        nose_length=rng.uniform(0.36, 0.46),
        mouth_width=rng.uniform(0.24, 0.33),
        mouth_fullness=rng.uniform(0.05, 0.09),
        mouth_smile=rng.uniform(0.015, 0.10),
        mouth_open=float(rng.uniform(0.035, 0.075)) if rng.random() < 0.35 else 0.0,
        lip=lip,
        ear=rng.uniform(0.85, 1.15),
        neck=rng.uniform(0.35, 0.42) if soft else rng.uniform(0.42, 0.52),
    )


def _choose_light(rng: np.random.Generator) -> Light:
    angle = rng.uniform(-1.15, 1.15)
    raised = rng.uniform(0.15, 0.75)
    vector = np.array([np.sin(angle), -raised, np.cos(angle) * 0.9 + 0.15])
    x, y, z = (float(v) for v in vector / np.linalg.norm(vector))
    warmth = rng.normal(0, 0.035)
    return Light(
        direction=(x, y, z),
        ambient=rng.uniform(0.30, 0.55),
        key=(1.09 + warmth, 1.06, 1.02 - warmth),
        shadow=(0.58 - warmth, 0.52, 0.53 + 1.5 * warmth),
        gloss=rng.uniform(0.04, 0.16),
    )


def _choose_palette(rng: np.random.Generator) -> tuple[Colour, Colour, Colour]:
    hue = rng.uniform()
    near = hue + rng.normal(0, 0.06)
    far = hue + rng.choice((-0.33, 0.33, 0.5, 0.08))
    level = rng.uniform(0.25, 0.9)
    return (
        _from_hsv(hue, rng.uniform(0.08, 0.45), level),
        _from_hsv(near, rng.uniform(0.08, 0.45), float(np.clip(level + rng.uniform(-0.3, 0.2), 0.12, 0.95))),
        _from_hsv(far, rng.uniform(0.10, 0.50), float(np.clip(level + rng.uniform(-0.1, 0.4), 0.2, 0.98))),
    )


def _from_hsv(hue: float, saturation: float, value: float) -> Colour:
    sector = np.array([5.0, 3.0, 1.0]) + (hue % 1.0) * 6.0
    wheel = np.clip(np.minimum(sector % 6.0, 4.0 - sector % 6.0), 0.0, 1.0)
    red, green, blue = (float(v) for v in value - value * saturation * wheel)
    return red, green, blue


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (float(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _vary(rng: np.random.Generator, colour: Colour) -> Colour:
    varied = np.asarray(colour) * (1.0 + rng.normal(0, 0.05)) * (1.0 + rng.normal(0, 0.02, 3))
    red, green, blue = (float(v) for v in np.clip(varied, 0.03, 0.99))
    return red, green, blue
