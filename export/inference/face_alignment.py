"""Where a view with face(k) looks in one picture, for drawings that show one square."""

from dataclasses import dataclass

from export.inference.picture_result import NO_FACE
from train.image.decode import Picture
from train.image.face_finder.finder import find_in_pixels
from train.image.view import Eyes, View, turn_upright, without_face


@dataclass(frozen=True)
class FaceAlignment:
    """How one picture is looked at: the view it goes through, the eyes that this view needs, and what to say of it."""

    view: View
    eyes: Eyes | None = None
    notes: tuple[str, ...] = ()


def align_face(view: View, picture: Picture) -> FaceAlignment:
    """Find the eyes that a view with face(k) needs: those of the largest face, or the centre square without one.

    Other views look at every picture alike. Raises DataError for a face finder's file that is not the right one.
    """
    if not view.needs_eyes:
        return FaceAlignment(view)
    faces = find_in_pixels(turn_upright(picture.pixels, picture.orientation))
    if not faces:
        return FaceAlignment(without_face(view), None, (NO_FACE,))
    notes = (f"{len(faces)} faces were found: the largest one is shown.",) if len(faces) > 1 else ()
    return FaceAlignment(view, faces[0].eyes, notes)
