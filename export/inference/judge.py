"""One picture, every face in it: which squares are looked at, and what the detector says of each."""

from dataclasses import dataclass, replace

from export.artifacts.description import BALANCED
from export.inference.detect_files import aim
from export.inference.detector import Detector, Verdict, detect
from train.image.decode import Picture
from train.image.view import Eyes, View


@dataclass(frozen=True)
class Face:
    """One square that was looked at.

    `number` counts from 1; `square` is (left, top, right, bottom) in pixels of the upright picture, None where the view
    says it all; `view` and `eyes` are what the square was taken by. `verdict` is None where the face is too small to be
    judged, and `note` then says so.
    """

    number: int
    square: tuple[float, float, float, float] | None
    view: View
    eyes: Eyes | None
    verdict: Verdict | None
    note: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a detector says of one picture: `faces` in the order they were found, and sentences about the finding.

    `face_found` is False where the detector looks for faces and found none, None where it does not look for any.
    """

    faces: tuple[Face, ...]
    face_found: bool | None
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> Face | None:
        """The face with the highest probability of fake; None where none was judged."""
        judged = [face for face in self.faces if face.verdict]
        return max(judged, key=lambda face: face.verdict.probability if face.verdict else 0.0, default=None)


def judge(detector: Detector, picture: Picture, name: str, *, operating_point: str = BALANCED) -> Judgement:
    """Judge a picture; `name` is how errors call it. Raises DataError and ExportError as `aim` and `detect`."""
    aimed = aim(detector.view, detector.description.unclear_faces, picture, name)
    looking = replace(detector, view=aimed.view)
    verdict = detect(looking, picture, operating_point=operating_point, eyes=aimed.eyes)
    found = aimed.eyes is not None if detector.view.needs_eyes else None
    return Judgement((Face(1, None, aimed.view, aimed.eyes, verdict),), found, aimed.notes)
