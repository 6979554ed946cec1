"""One picture, every face in it: which squares are looked at, and what the detector says of each."""

from dataclasses import dataclass, replace

from export.artifacts.description import BALANCED
from export.inference.detector import LoadedDetector, Verdict, detect, threshold_of
from train.image.decode import Picture
from train.image.face_finder.finder import find_in_pixels
from train.image.view import Eyes, View, square_in, turn_upright, without_face


@dataclass(frozen=True)
class FaceResult:
    """One square that was looked at.

    `number` counts from 1; `square` is (left, top, right, bottom) in pixels of the upright picture, None where the view
    says it all; `view` and `eyes` are what the square was taken by. `verdict` is None where the face is too small to be
    evaluated, and `note` then says so.
    """

    number: int
    square: tuple[float, float, float, float] | None
    view: View
    eyes: Eyes | None
    verdict: Verdict | None
    note: str = ""


@dataclass(frozen=True)
class PictureResult:
    """What a detector says of one picture: `faces` in the order they were found, and sentences about the finding.

    `face_found` is False where the detector looks for faces and found none, None where it does not look for any.
    """

    faces: tuple[FaceResult, ...]
    face_found: bool | None
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> FaceResult | None:
        """The face with the highest probability of fake; None where none was evaluated."""
        evaluated = [face for face in self.faces if face.verdict]
        return max(evaluated, key=lambda face: face.verdict.probability if face.verdict else 0.0, default=None)


LARGER = "use the original or a larger copy, not one that was enlarged"
"""What a person can do about a face that is too small."""
NO_FACE = "No face found: this detector classifies faces; the centre square was used instead."


def evaluate_picture(
    detector: LoadedDetector, picture: Picture, name: str, *, operating_point: str = BALANCED
) -> PictureResult:
    """Evaluate a picture: every face in it where the view has face(k), else the square that the view takes.

    Faces come as the face finder has them, the largest first. A face whose square is less than half of the view's size
    a side is not evaluated. Without a face the centre square is. `name` is how errors call the picture. Raises
    DataError and ExportError as `detect` does, and DataError for a face finder's file that is not the right one.
    """
    # Before anything is looked for: a wrong name is wrong for every picture.
    threshold_of(detector.description, operating_point)
    if not detector.view.needs_eyes:
        verdict = detect(detector, picture, operating_point=operating_point)
        return PictureResult((FaceResult(1, None, detector.view, None, verdict),), None)
    upright = turn_upright(picture.pixels, picture.orientation)
    if found := find_in_pixels(upright):
        faces = enumerate(found, 1)
        return PictureResult(
            tuple(_evaluate_face(detector, picture, number, face.eyes, operating_point) for number, face in faces), True
        )
    height, width = upright.shape[:2]
    view = without_face(detector.view)
    verdict = detect(replace(detector, view=view), picture, operating_point=operating_point)
    return PictureResult(
        (FaceResult(1, _corners(square_in(view, width, height)), view, None, verdict),), False, (NO_FACE,)
    )


def _evaluate_face(
    detector: LoadedDetector, picture: Picture, number: int, eyes: Eyes, operating_point: str
) -> FaceResult:
    left, top, side = square_in(detector.view, 0, 0, eyes)
    corners = _corners((left, top, side))
    if 2 * side < detector.view.size:
        note = f"Face {number} is too small to classify: {LARGER}."
        return FaceResult(number, corners, detector.view, eyes, None, note)
    verdict = detect(detector, picture, operating_point=operating_point, eyes=eyes)
    return FaceResult(number, corners, detector.view, eyes, verdict)


def _corners(square: tuple[int, int, int]) -> tuple[float, float, float, float]:
    left, top, side = square
    return float(left), float(top), float(left + side), float(top + side)
