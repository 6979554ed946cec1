"""What is asked of a backbone's builder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CENTRED = "centred"
"""The layer that moves planes to where published weights have their zero."""


@dataclass(frozen=True)
class BuildSpec:
    """A backbone to build.

    width: multiplier of its channels. size: side of the view in pixels. planes: channels of its input. weights: the
    word for its published ones, the path of a file in their layout, or None for random ones. centre: what is added to
    each plane first, none where empty.
    """

    width: float
    size: int
    planes: int = 3
    weights: str | None = None
    centre: tuple[float, ...] = ()


Build = Callable[[BuildSpec], Any]
"""A flat Keras model from float32 [N, size, size, planes] to its last feature map [N, h, w, channels]."""
