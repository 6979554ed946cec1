"""The view: one readable line that says exactly what happens to pixels before the graph.

    upright|face(2.4)|resize(224)

Steps are joined by "|" and run from left to right:

- `upright` turns the picture as its EXIF orientation says. First, if it is there.
- `square` is the centre crop to the shorter side.
- `face(k)` is a square of side k x eye distance around a point below the midpoint of the eyes. Needs
  `upright`, because eyes are given in the upright picture.
- `resize(S)` makes S x S pixels with Pillow's antialiased BILINEAR (8-bit fixed point, the same on every
  machine). Last, and always there.

At most one of `square` and `face`. Every position is rounded half up in double precision, so that another
language arrives at the same pixels.

`face(k)` asks for the eyes of one face. What it means for a picture in which none or several faces were found is not
in the text but in a policy beside it (UNCLEAR, the recipe's `unclear_faces`):

| faces | `drop`   | `centre`  | `keep`                         |
|-------|----------|-----------|--------------------------------|
| 1     | `face(k)` | `face(k)` | `face(k)`                     |
| 0     | left out | `square`  | `square`                       |
| 2...  | left out | `square`  | `face(k)` of the largest face  |

`square` stands in the place of `face(k)`; all other steps stay. It is the centre square and not the whole picture, so
that no picture is squeezed where all others keep their proportions. Views without `face(k)` know no policy.
"""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from PIL import Image

from train.common.errors import DataError
from train.image.decode import MAX_PIXELS, Picture
from train.image.to_pillow import picture_image

# The centre of the face square lies this fraction of its side below the midpoint of the eyes. Our choice:
# at k = 3 the square then reaches from 0.9 eye distances above the eyes (forehead) to 2.1 below (under the
# chin, at about 1.8).
FACE_DROP = 0.2
MIN_FACE, MAX_FACE = 1.0, 8.0
MIN_SIZE, MAX_SIZE = 8, 4096

Unclear = Literal["drop", "centre", "keep"]
UNCLEAR: tuple[Unclear, ...] = get_args(Unclear)

_GRAMMAR = "upright, square, face(K), resize(S)"
_STEP = re.compile(r"(?P<verb>[a-z]+)(?:\((?P<number>[^()]*)\))?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,5}")
_DECIMAL = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?")


@dataclass(frozen=True)
class Eyes:
    """The midpoint of the eyes and their distance, in pixels of the upright picture.

    0, 0 is the top left corner of the top left pixel.
    """

    x: float
    y: float
    distance: float


@dataclass(frozen=True)
class Step:
    """One step of a view: `verb` is upright, square, face or resize; `number` is K, S or None."""

    verb: str
    number: float | None = None

    @property
    def text(self) -> str:
        """The step as a view writes it, without needless zeros."""
        if self.number is None:
            return self.verb
        return f"{self.verb}({f'{self.number:.4f}'.rstrip('0').rstrip('.')})"


@dataclass(frozen=True)
class View:
    """A parsed view; make it with `parse_view`, which checks it."""

    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """The one canonical way to write this view."""
        return "|".join(step.text for step in self.steps)

    @property
    def size(self) -> int:
        """Side S of the result, in pixels."""
        return int(self.steps[-1].number or 0)

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Shape of the result: (S, S, 3)."""
        return (self.size, self.size, 3)

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical text."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    @property
    def needs_eyes(self) -> bool:
        """Whether `apply_view` needs eyes."""
        return any(step.verb == "face" for step in self.steps)


def parse_view(text: str) -> View:
    """Parse a view; DataError names the step that is wrong and what is allowed."""
    steps = tuple(_parse_step(part.strip(), text) for part in text.split("|"))
    verbs = [step.verb for step in steps]
    if "upright" in verbs[1:]:
        raise DataError(f"View {text!r}: upright must be the first step and occur once.")
    if verbs.count("resize") != 1 or verbs[-1] != "resize":
        raise DataError(f"View {text!r}: exactly one resize(S) is needed, as the last step.")
    if verbs.count("square") + verbs.count("face") > 1:
        raise DataError(f"View {text!r}: at most one of square and face(K) is allowed.")
    if "face" in verbs and verbs[0] != "upright":
        raise DataError(
            f"View {text!r}: face(K) needs upright first, because eye positions refer to the upright picture."
        )
    return View(steps)


def view_for(view: View, faces: int, unclear: Unclear) -> View | None:
    """Return the view that a picture with so many faces goes through, None if it is left out.

    The table in this file's opening says which; without `face(k)` every picture goes through `view` itself.
    """
    if not view.needs_eyes or faces == 1:
        return view
    if unclear == "drop":
        return None
    if unclear == "keep" and faces > 1:
        return view
    return without_face(view)


def without_face(view: View) -> View:
    """Return the view with `square` in the place of `face(k)`."""
    return replace(view, steps=tuple(Step("square") if step.verb == "face" else step for step in view.steps))


def apply_view(view: View, picture: Picture, eyes: Eyes | None = None) -> np.ndarray:
    """Apply a view to a decoded picture: uint8 [S, S, 3].

    Raises DataError if the view has face(K) and the eyes are missing or do not lie in the picture.
    """
    pixels = cut(view, picture, eyes)
    height, width = pixels.shape[:2]
    if view.size * height > MAX_PIXELS:
        # What lies between the two passes of the resize.
        raise DataError(
            f"A picture of {width} x {height} pixels is too narrow for the view {view.text}: crop it to the face."
        )
    return resize(pixels, view.size)


def cut(view: View, picture: Picture, eyes: Eyes | None = None, *, margin: float = 1.0) -> np.ndarray:
    """Do what a view does before it resizes: uint8 [H, W, 3], upright, at the picture's own resolution.

    `margin` makes the square of face(K) so many times as large around the same centre; other views have none.
    Raises DataError if the view has face(K) and the eyes are missing or do not lie in the picture.
    """
    pixels = picture.pixels
    for step in view.steps:
        if step.verb == "upright":
            pixels = turn_upright(pixels, picture.orientation)
        elif step.verb == "square":
            pixels = _square(pixels)
        elif step.verb == "face":
            pixels = _face(pixels, eyes, step, margin)
    return pixels


def resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Do what a view's resize does: uint8 [H, W, 3] to [size, size, 3] by antialiased BILINEAR."""
    image = picture_image(pixels)
    # Rows, then columns: Pillow 13 takes the columns of a tall picture first (its pull request 9549), Pillow 12 does
    # not, and each pass is rounded to 8 bits.
    for shape in ((size, image.height), (size, size)):
        image = image.resize(shape, Image.Resampling.BILINEAR, reducing_gap=None)
    return np.asarray(image)


def square_in(view: View, width: int, height: int, eyes: Eyes | None = None) -> tuple[int, int, int]:
    """Return left, top and side of the square that a view with `face` or `square` takes, in pixels.

    `width` and `height` are those of the picture that the step sees: upright where the view has `upright`. The square
    of a face may reach beyond the borders. Raises ValueError for a view that takes no square, or without its eyes.
    """
    for step in view.steps:
        if step.verb == "face" and eyes is not None:
            return _face_square(eyes, step)
        if step.verb == "square":
            side = min(height, width)
            return (width - side) // 2, (height - side) // 2, side
    raise ValueError(f"{view.text} takes no square of a picture with the eyes {eyes}.")


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn stored pixels [H, W, C] upright by their EXIF orientation 1..8 (EXIF 2.32, tag 0x0112)."""
    flipped = pixels[:, ::-1] if orientation in (2, 4, 5, 7) else pixels
    return np.rot90(flipped, {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0))


def _square(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return pixels[top : top + side, left : left + side]


def _face(pixels: np.ndarray, eyes: Eyes | None, step: Step, margin: float = 1.0) -> np.ndarray:
    if eyes is None:
        raise DataError(f"The view has {step.text} but no eyes are known for this picture: find its face first.")
    height, width = pixels.shape[:2]
    # Also false for NaN.
    if not (0 <= eyes.x <= width and 0 <= eyes.y <= height and 0 < eyes.distance < math.inf):
        raise DataError(f"{eyes} is not inside the upright picture of {width} x {height} pixels: find its face again.")
    left, top, side = _face_square(eyes, step, margin)
    if side * side > MAX_PIXELS:
        raise DataError(f"{step.text} of {eyes} makes a square of {side} pixels: find its face again.")
    # Beyond the border the nearest pixel of the border is repeated.
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return pixels[rows[:, None], columns]


def _face_square(eyes: Eyes, step: Step, margin: float = 1.0) -> tuple[int, int, int]:
    side = max(1, math.floor((step.number or 0.0) * eyes.distance + 0.5))
    middle = eyes.y + FACE_DROP * side
    if margin != 1.0:
        side = max(1, math.floor(side * margin + 0.5))
    left = math.floor(eyes.x - side / 2 + 0.5)
    top = math.floor(middle - side / 2 + 0.5)
    return left, top, side


def _parse_step(part: str, text: str) -> Step:
    match = _STEP.fullmatch(part)
    if match is None or match["verb"] not in ("upright", "square", "face", "resize"):
        raise DataError(f"View {text!r}: {part!r} is not a step; allowed are {_GRAMMAR}.")
    verb, number = match["verb"], match["number"]
    if verb in ("upright", "square"):
        if number is not None:
            raise DataError(f"View {text!r}: {verb} takes no number; allowed are {_GRAMMAR}.")
        return Step(verb)
    pattern, low, high = (_DECIMAL, MIN_FACE, MAX_FACE) if verb == "face" else (_WHOLE, MIN_SIZE, MAX_SIZE)
    number = (number or "").strip()
    if not pattern.fullmatch(number) or not low <= float(number) <= high:
        kind = "a number with at most 4 decimals" if verb == "face" else "a whole number"
        raise DataError(f"View {text!r}: {part!r} needs {kind} from {low:g} to {high:g}, as in {verb}({high / 2:g}).")
    return Step(verb, float(number))
