"""Where a view with face(k) looks in one picture."""

from dataclasses import dataclass

from train.common.errors import DataError
from train.image.decode import Picture
from train.image.face import choose_face
from train.image.view import Eyes, Unclear, View, turn_upright, view_for


@dataclass(frozen=True)
class Aim:
    """How one picture is looked at: the view it goes through, the eyes that this view needs, and what to say of it."""

    view: View
    eyes: Eyes | None = None
    notes: tuple[str, ...] = ()


def aim(view: View, unclear: Unclear, picture: Picture, name: str) -> Aim:
    """Find the eyes that a view with face(k) needs; other views look at every picture alike.

    Where none or several faces are found the detector's own rule says what to look at (train.image.view). A picture of
    several that its training left out is still judged, by the largest face; with none it is a DataError, as nothing
    says where to look; `name` is how it calls the picture.
    """
    if not view.needs_eyes:
        return Aim(view)
    from train.image.face_finder.finder import find_in_pixels

    upright = turn_upright(picture.pixels, picture.orientation)
    count, eyes = choose_face(find_in_pixels(upright), upright.shape[1], upright.shape[0])
    chosen = view_for(view, count, unclear)
    if count == 0 and chosen is None:
        raise DataError(f"{name} shows no face that could be found: crop it to the face, or take another detector.")
    if count == 1:
        return Aim(view, eyes)
    if chosen is not None and not chosen.needs_eyes:
        found = f"{count} faces were found" if count else "No face was found"
        return Aim(chosen, None, (f"{found}: the square in the middle was judged, as in training.",))
    return Aim(view, eyes, (f"{count} faces were found: the largest one was judged.",))
