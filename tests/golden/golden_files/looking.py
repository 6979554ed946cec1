"""Golden views: of the drawn pictures, of computed pixels in random sizes, and where face squares lie."""

import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np

from train.common.errors import DataError
from train.image.decode import Picture, decode
from train.image.view import Eyes, apply_view, parse_view

from .pixels import KINDS, pixels

# Views of every drawn picture; eyes are fractions of the upright picture, the last two beyond its border.
VIEWS: tuple[tuple[str, tuple[float, float, float] | None], ...] = (
    ("upright|square|resize(32)", None),
    ("square|resize(24)", None),
    ("upright|resize(200)", None),
    ("upright|face(2.4)|resize(48)", (0.5, 0.4, 0.2)),
    ("upright|face(3)|resize(40)", (0.1, 0.95, 0.3)),
    ("upright|face(8)|resize(16)", (1.0, 0.0, 0.5)),
)
RAW = ("plain.png", "wide_6.png", "tall_8.jpg")
RANDOM_CASES = 160
SIZES: tuple[tuple[int, int, int], ...] = (
    # width, height, S: axes that keep their length, single lines, and the ends of what a view may ask for.
    (64, 64, 64), (64, 100, 64), (100, 64, 64), (1, 1, 8), (1, 300, 20), (300, 1, 20), (16, 16, 1500), (2, 3, 4096),
    (4096, 4096, 224), (4096, 16, 300), (16, 4096, 300), (4096, 3000, 8), (224, 225, 224), (223, 224, 224),
    (3000, 1000, 999), (1000, 3000, 1001), (65535, 20, 64), (20, 65535, 64),
    # Around the limit from which Pillow 13 resizes columns first.
    (150, 200, 100), (150, 201, 100), (101, 102, 100), (101, 103, 100), (99, 100, 100), (99, 101, 100), (99, 99, 100),
)  # fmt: skip


def views_of_pictures(folder: Path) -> list[dict[str, Any]]:
    """One case a drawn picture: its decoded pixels and its views."""
    return [_picture_case(path) for path in sorted(folder.iterdir())]


def _picture_case(path: Path) -> dict[str, Any]:
    picture = decode(path)
    height, width = picture.pixels.shape[:2]
    upright = (height, width) if picture.orientation >= 5 else (width, height)
    views = []
    for number, (text, fractions) in enumerate(VIEWS):
        eyes = fractions and Eyes(fractions[0] * upright[0], fractions[1] * upright[1], fractions[2] * min(upright))
        view = apply_view(parse_view(text), picture, eyes or None)
        case = {"view": text, "eyes": _numbers(eyes or None), "sha256": _sha256(view)}
        if path.name in RAW and number == 0:
            case["rgb"] = view.tobytes().hex()
        views.append(case)
    return {
        "file": path.name,
        "width": width,
        "height": height,
        "orientation": picture.orientation,
        "decoded_sha256": _sha256(picture.pixels),
        "views": views,
    }


def synthetic_views() -> list[dict[str, Any]]:
    """Views of computed pixels: fixed sizes that are special, and random ones, 16 to 4096 by the logarithm."""
    rng = random.Random(6)
    cases = [_synthetic(KINDS[i % 3], i, w, h, 1, f"resize({s})", None) for i, (w, h, s) in enumerate(SIZES)]
    for seed in range(100, 100 + RANDOM_CASES):
        width, height = _size(rng), _size(rng)
        orientation, kind = rng.randint(1, 8), rng.choices(KINDS, (6, 3, 1))[0]
        size = min(_size(rng), 1024) if seed % 40 else 4096
        step, eyes = rng.choice(("", "square|", "face")), None
        if step == "face":
            step = f"face({rng.choice((1, 2.4, 3, 3.75, 8))})|"
            upright = (height, width) if orientation >= 5 else (width, height)
            eyes = Eyes(rng.uniform(0, upright[0]), rng.uniform(0, upright[1]), rng.uniform(0.05, 0.6) * min(upright))
        turn = "upright|" if eyes or rng.random() < 0.8 else ""
        cases.append(_synthetic(kind, seed, width, height, orientation, f"{turn}{step}resize({size})", eyes))
    return cases


def _size(rng: random.Random) -> int:
    return round(16 * 256 ** rng.random())


def _synthetic(
    kind: str, seed: int, width: int, height: int, orientation: int, text: str, eyes: Eyes | None
) -> dict[str, Any]:
    picture = Picture(pixels(kind, seed, width, height), orientation, "PNG", None, ())
    return {
        "kind": kind,
        "seed": seed,
        "width": width,
        "height": height,
        "orientation": orientation,
        "view": text,
        "eyes": _numbers(eyes),
        "sha256": _sha256(apply_view(parse_view(text), picture, eyes)),
    }


def square_cases() -> list[dict[str, Any]]:
    """Which square a view takes: [left, top, side], or null where it is refused.

    Found by the public function alone: of a picture that holds its own coordinates, a view as large as its square is
    the square itself, and what it shows says where it lies.
    """
    rng = random.Random(7)
    cases: list[dict[str, Any]] = []
    for factor, x, y, distance in _eyes(rng):
        width, height = rng.randint(30, 250), rng.randint(30, 250)
        eyes = Eyes(x * width if x < 2 else x - 2, y * height if y < 2 else y - 2, distance)
        cases += _square_case(f"face({factor:g})", width, height, eyes)
    for width, height in ((30, 30), (31, 30), (30, 33), (101, 250)):
        cases += _square_case("square", width, height, None)
    bad = ((-0.001, 5, 9), (5, -0.001, 9), (100.001, 5, 9), (5, 80.001, 9), (5, 5, 0), (5, 5, -1), (5, 5, 1e9))
    for numbers in bad:
        cases += _square_case("face(2)", 100, 80, Eyes(*numbers))
    return cases


def _eyes(rng: random.Random) -> list[tuple[float, float, float, float]]:
    """Factor, x, y, distance; x and y are fractions of the picture below 2, else pixels + 2."""
    anywhere = [
        (rng.choice((1, 2.4, 3, 3.3333, 8)), rng.random(), rng.random(), rng.uniform(8, 70)) for _ in range(150)
    ]
    corners = [(2.0, x, y, 20.0) for x in (0, 1) for y in (0, 1)]
    # k x distance, and the corners of the square, at or next to a half.
    halves = [(2.0, 2 + x / 4, 2 + y / 5, d / 4) for x in range(80, 88) for y in range(75, 85) for d in (40, 41, 42)]
    return anywhere + corners + halves


def _square_case(step: str, width: int, height: int, eyes: Eyes | None) -> list[dict[str, Any]]:
    """One case, or none where the repeated border hides where the square lies."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = Picture(np.stack([columns, rows, 0 * rows], -1).astype(np.uint8), 1, "PNG", None, ())
    found: list[list[int] | None] = []
    for side in _sides(step, width, height, eyes):
        try:
            shown = apply_view(parse_view(f"upright|{step}|resize({side})"), picture, eyes).astype(int)
        except DataError:
            found = [None]
            break
        left, top = _start(shown[0, :, 0], width), _start(shown[:, 0, 1], height)
        if left is not None and top is not None:
            found.append([left, top, side])
    view = f"upright|{step}|resize(8)"
    case = {"view": view, "width": width, "height": height, "eyes": _numbers(eyes)}
    return [case | {"square": found[0]}] if len(found) == 1 else []


def _sides(step: str, width: int, height: int, eyes: Eyes | None) -> list[int]:
    if eyes is None:
        return [min(width, height)]
    about = max(9, min(4000, int(float(step[5:-1]) * eyes.distance)))
    return [about - 1, about, about + 1, about + 2]


def _start(line: np.ndarray, length: int) -> int | None:
    """Where a line of consecutive coordinates, repeated at the border, begins; None if it is not one, or hides it."""
    inner = np.flatnonzero((line > 0) & (line < length - 1))
    start = int(line[inner[0]] - inner[0]) if len(inner) else None
    if start is None or not np.array_equal(line, np.clip(np.arange(start, start + len(line)), 0, length - 1)):
        return None
    return start


def _numbers(eyes: Eyes | None) -> list[float] | None:
    return None if eyes is None else [eyes.x, eyes.y, eyes.distance]


def _sha256(view: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(view).tobytes()).hexdigest()
