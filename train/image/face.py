"""Faces in one picture: what a detector says, and which of several is meant.

Any detector will do that gives boxes and eyes; this module imports none.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from train.image.view import Eyes

# Another face counts when its box has at least this share of the largest one's side: then it is unclear who is meant.
# Seen on 5,733 portraits with MTCNN: 115 have a second box, 17 one of half the size. Those are ten pictures of several
# people, three mistakes, and four that _same_face takes out (one face boxed twice, and one man half hidden). Smaller
# boxes are passers-by, toys, tattoos and patterns.
RIVAL_SHARE = 0.5

# In profile the eyes lie close together, and a square measured by them would show no more than an eye or an ear. From
# the front their distance is 0.41 of BlazeFace's box: this is where a head has turned by 43 degrees.
PROFILE = 0.3


@dataclass(frozen=True)
class Face:
    """One face: its box (left, top, right, bottom) and the middle of each eye (x, y), in pixels of its picture.

    0, 0 is the top left corner of the top left pixel; boxes and eyes may lie beyond the border. `left_eye` is the one
    on the picture's left. `logit` is how sure the finder is (log-odds), None where it does not say.
    """

    box: tuple[float, float, float, float]
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    logit: float | None = None

    @property
    def side(self) -> float:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @property
    def eyes(self) -> Eyes:
        """Midpoint and distance of the eyes, the distance at least PROFILE of the box, for views.

        To the hundredth, as floor(100 v + 0.5) / 100: the same in any language.
        """
        (x1, y1), (x2, y2) = self.left_eye, self.right_eye
        # Not math.hypot, whose last bit differs between languages.
        distance = math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1))
        return Eyes(
            _hundredths((x1 + x2) / 2), _hundredths((y1 + y2) / 2), _hundredths(max(distance, PROFILE * self.side))
        )

    @property
    def score(self) -> float | None:
        """The finder's estimate 0..1 that this is a face: the logit's sigmoid, for people only."""
        return None if self.logit is None else 1 / (1 + math.exp(-self.logit))

    def scaled(self, x: float, y: float) -> "Face":
        """The same face in a copy of the picture that is `x` times as wide and `y` times as high."""
        left, top, right, bottom = self.box
        (x1, y1), (x2, y2) = self.left_eye, self.right_eye
        return Face((left * x, top * y, right * x, bottom * y), (x1 * x, y1 * y), (x2 * x, y2 * y), self.logit)


def _hundredths(value: float) -> float:
    return math.floor(100 * value + 0.5) / 100 if math.isfinite(value) else value


Detect = Callable[[np.ndarray], Sequence[Face]]
"""An upright picture uint8 [H, W, 3] in, the faces in it out. It stands at the top of a module, for other processes."""


@dataclass(frozen=True)
class FaceDetector:
    """`name` says package, version and settings: where it differs, earlier results are not used again.

    `most_processes` is how many are worth it: 1 for a detector that uses all cores by itself.
    """

    name: str
    detect: Detect
    most_processes: int = 64


def usable_faces(faces: Iterable[Face], width: int, height: int) -> tuple[Face, ...]:
    """Return the faces that a view of a picture of `width` x `height` pixels can be cut around, the largest first.

    Left out are faces whose eyes a view could not use (midpoint outside the picture, or no distance), and second boxes
    on the same face.
    """
    usable: list[Face] = []
    # Of equal sizes the left one, so that the order in which they were found does not matter.
    for face in sorted(faces, key=lambda face: (-face.side, face.box)):
        eyes = face.eyes
        if not (0 <= eyes.x <= width and 0 <= eyes.y <= height and 0 < eyes.distance < math.inf):
            continue
        if not any(_same_face(face, other) for other in usable):
            usable.append(face)
    return tuple(usable)


def choose_face(faces: Sequence[Face], width: int, height: int) -> tuple[int, Eyes | None]:
    """Return how many faces a picture of `width` x `height` pixels has, and the eyes of the largest.

    Counted are usable faces of at least RIVAL_SHARE of the largest.
    """
    usable = usable_faces(faces, width, height)
    if not usable:
        return 0, None
    return sum(face.side >= RIVAL_SHARE * usable[0].side for face in usable), usable[0].eyes


def _same_face(face: Face, larger: Face) -> bool:
    """Whether the middle of a box lies in a larger one: faces side by side do not overlap so far."""
    left, top, right, bottom = larger.box
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return left <= x <= right and top <= y <= bottom
