"""What every front end offers: the planes a backbone sees instead of the plain view."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Views = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FrontEnd:
    """A front end, equal to another exactly when their texts are equal.

    text: canonical, read back by `ela.front_ends.parse_front_end`.
    channels: C, planes a pixel.
    planes: uint8 [N, S, S, 3] -> uint8 [N, S, S, C], by NumPy and Pillow; used in training.
    graph: (tensorflow module, float32 [N, S, S, 3] holding 0..255) -> float32 [N, S, S, C] holding 0..255, equal to
        `planes` in every value; used in the shipped file.
    check_size: raises ElaError for a view side (pixels) that does not fit.
    """

    text: str
    channels: int = field(compare=False)
    planes: Callable[[Views], Views] = field(compare=False, repr=False)
    graph: Callable[[Any, Any], Any] = field(compare=False, repr=False)
    check_size: Callable[[int], None] = field(compare=False, repr=False)
