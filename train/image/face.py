"""Faces in one picture: what a detector says, and which of several is meant.

Any detector will do that gives boxes and eyes; this room imports none.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from train.image.view import Eyes

# Another face counts when its box has at least this share of the largest one's side: then it is unclear who is meant.
# Seen on 5,733 portraits with MTCNN: 115 have a second box, 17 one of half the size. Those are ten pictures of several
# people, three mistakes, and four that _same_face takes out (one face boxed twice, and one man half hidden). Smaller
# boxes are passers-by, toys, tattoos and patterns.
RIVAL_SHARE = 0.5


@dataclass(frozen=True)
class Face:
    """One face: its box (left, top, right, bottom) and the middle of each eye (x, y), in pixels of its picture.

    0, 0 is the top left corner of the top left pixel; boxes and eyes may lie beyond the border.
    """

    box: tuple[float, float, float, float]
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]

    @property
    def side(self) -> float:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @property
    def eyes(self) -> Eyes:
        """Midpoint and distance of the eyes."""
        (x1, y1), (x2, y2) = self.left_eye, self.right_eye
        return Eyes((x1 + x2) / 2, (y1 + y2) / 2, math.hypot(x2 - x1, y2 - y1))

    def scaled(self, x: float, y: float) -> "Face":
        """The same face in a copy of the picture that is `x` times as wide and `y` times as high."""
        left, top, right, bottom = self.box
        (x1, y1), (x2, y2) = self.left_eye, self.right_eye
        return Face((left * x, top * y, right * x, bottom * y), (x1 * x, y1 * y), (x2 * x, y2 * y))


Detect = Callable[[Sequence[np.ndarray]], list[list[Face]]]
"""Upright pictures uint8 [H, W, 3] of any sizes in; for each the faces in it, whatever pictures came with it."""


@dataclass(frozen=True)
class Detector:
    """`name` says package, version and settings: where it differs, earlier results are not used again."""

    name: str
    detect: Detect


def choose_face(faces: Sequence[Face], width: int, height: int) -> tuple[int, Eyes | None]:
    """Return how many faces a picture of `width` x `height` pixels has, and the eyes of the largest.

    Not counted are faces whose eyes a view could not use (midpoint outside the picture, or no distance), those smaller
    than RIVAL_SHARE of the largest, and second boxes on the same face.
    """
    counted: list[Face] = []
    # Of equal sizes the upper left one, so that the order in which they were found does not matter.
    for face in sorted(faces, key=lambda face: (-face.side, face.box)):
        eyes = face.eyes
        if not (0 <= eyes.x <= width and 0 <= eyes.y <= height and 0 < eyes.distance < math.inf):
            continue
        if counted and face.side < RIVAL_SHARE * counted[0].side:
            break
        if not any(_same_face(face, other) for other in counted):
            counted.append(face)
    return len(counted), counted[0].eyes if counted else None


def _same_face(face: Face, larger: Face) -> bool:
    """Whether the middle of a box lies in a larger one: faces side by side do not overlap so far."""
    left, top, right, bottom = larger.box
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return left <= x <= right and top <= y <= bottom
