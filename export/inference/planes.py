"""The planes that a detector's backbone looks at, for people to look at too.

The app, `explain` and `ela --model` show what is made here. The planes are those of the front end's reference, which
the operations in the detector file equal in every value.
"""

from dataclasses import dataclass

import numpy as np

from ela.front_ends import parse_front_end
from ela.interface import FrontEnd
from export.artifacts.description import Description
from train.common.errors import DataError, ElaError, ExportError
from train.image.decode import Picture
from train.image.view import Eyes, Unclear, View, apply_view, parse_view


@dataclass(frozen=True)
class PreprocessingSpec:
    """How a detector looks at a picture: its view, what it makes of unclear faces, and its front end on that."""

    view: View
    unclear: Unclear
    front_end: FrontEnd

    @property
    def parts(self) -> tuple[str, ...]:
        """The canonical texts of the front ends that stand side by side, e.g. rgb and ela(90,420,x15)."""
        return tuple(self.front_end.text.split("+"))


def preprocessing_of(description: Description, name: str) -> PreprocessingSpec:
    """Read how a detector looks; `name` is what errors call it.

    Raises ExportError where its view or front end is not known to this Fauxlens or they do not fit each other.
    """
    try:
        preprocessing = PreprocessingSpec(
            parse_view(description.view), description.unclear_faces, parse_front_end(description.front_end)
        )
        preprocessing.front_end.check_size(preprocessing.view.size)
    except (DataError, ElaError) as error:
        raise ExportError(f"{name} has preprocessing that this Fauxlens does not know: {error}") from error
    return preprocessing


def draw_planes(preprocessing: PreprocessingSpec, picture: Picture, eyes: Eyes | None = None) -> np.ndarray:
    """What the backbone looks at, before `train.model.scale_pixels`: uint8 [S, S x parts, 3].

    The parts of the front end stand side by side, in its order; `rgb` is the view itself. Raises DataError as
    `apply_view` does.
    """
    planes = preprocessing.front_end.planes(apply_view(preprocessing.view, picture, eyes)[np.newaxis])[0]
    return np.concatenate(np.split(planes, len(preprocessing.parts), axis=2), axis=1)
