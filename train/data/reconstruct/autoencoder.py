"""What an autoencoder is here, whatever runs it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NOISE = "-noise"
"""What the name of an autoencoder ends in that adds noise to the latents."""
MIN_SIDE = 16
"""Pixels; a smaller picture has nothing that an autoencoder could keep."""


@dataclass(frozen=True)
class Autoencoder:
    """An autoencoder that is ready to run.

    `name` is what its pictures' column generator says; `sha256` is the digest of its weights' files; `reconstruct`
    takes a picture uint8 [H, W, 3] of at least `min_side` pixels a side and returns one of the same size.
    """

    name: str
    sha256: str
    reconstruct: Callable[[np.ndarray], np.ndarray]
    min_side: int = MIN_SIDE

    def misfit(self, width: int, height: int) -> str:
        """Say why a picture of this size cannot go through, as the rest of a sentence about it; empty if it can."""
        if min(width, height) >= self.min_side:
            return ""
        return f"is {width} x {height} pixels here, and {self.name} needs {self.min_side} a side."
