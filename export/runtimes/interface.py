"""What every runtime offers: views in, scores and heatmaps out, and a reason where its assets are absent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from train.common.errors import ExportError
from train.common.progress import LogCallback
from train.image.view import Eyes

if TYPE_CHECKING:
    from export.artifacts.bundle import Bundle


@dataclass(frozen=True)
class Output:
    """`scores` float32 [N, 2], real and fake, 0..1; `heatmaps` float32 [N, h, w], 0..1."""

    scores: np.ndarray
    heatmaps: np.ndarray


class RuntimeAbsentError(ExportError):
    """A runtime's assets are not on this machine; the sentence says which, and what sets them up."""


Call = Callable[[bytes, np.ndarray], Output]
"""A sealed detector file and uint8 [N, S, S, 3] to Output.

Raises RuntimeAbsentError where assets are missing, ExportError for a runtime that fails."""


def check_views(views: np.ndarray, size: int, name: str = "The detector") -> None:
    """Raise ExportError unless views are uint8 [N, size, size, 3]; `name` is how the sentence calls the detector."""
    if views.dtype != np.uint8 or views.shape[1:] != (size, size, 3):
        raise ExportError(
            f"{name} takes views uint8 [N, {size}, {size}, 3] and was given {views.dtype} {list(views.shape)}; make "
            "them with its own view."
        )


Guarantee = Literal["bits", "last-bit", "decisions"]
"""What a runtime gives as the bundle stores it: every bit; scores and heatmaps within LAST_BIT; or decisions only."""

LAST_BIT = 1e-7
"""Neighbours of float32 below 1 are at most 6e-8 apart; an older LiteRT rounds some float sums to the other one."""


@dataclass(frozen=True)
class ParityRun:
    """What became of a bundle's N references, in their order, from file to heatmap.

    `decoded`: SHA-256 of each picture's pixels, RGB bytes row by row as stored; `views`: SHA-256 of each view's bytes,
    both as 64 hexadecimal digits, "" where there is none. `errors`: for each reference why something of it is missing,
    None where all is there. `output` is what the *stored* views gave, None where they could not all be run, for the
    reason in `failure`. `guarantee` is what must be equal. `phone` is what a phone says of itself, plain JSON values.
    `eyes` are those of the largest face that the face finder finds in each picture, None in a picture without; None
    as a whole where nobody looked.
    """

    decoded: tuple[str, ...]
    views: tuple[str, ...]
    errors: tuple[str | None, ...]
    output: Output | None
    failure: str
    guarantee: Guarantee
    phone: Mapping[str, Any] | None = None
    eyes: tuple[Eyes | None, ...] | None = None


@dataclass(frozen=True)
class Runtime:
    """A runtime, by the name that people give to `verify --runtime`.

    guarantee: `bits` where int8 scores must equal LiteRT's with XNNPACK in every bit, `decisions` where only verdicts
    must. missing: one sentence on what is absent, None where all is there; it looks at files only and starts nothing.
    set_up: makes the assets that it needs, None where it needs none; raises ExportError where that fails.
    run_references: for a runtime that decodes pictures and makes views itself, the whole way of a bundle's references
    through one variant; raises ExportError where nothing came of it.
    """

    name: str
    guarantee: Guarantee
    call: Call = field(compare=False, repr=False)
    missing: Callable[[], str | None] = field(compare=False, repr=False)
    set_up: Callable[[LogCallback], None] | None = field(default=None, compare=False, repr=False)
    run_references: "Callable[[Bundle, str], ParityRun] | None" = field(default=None, compare=False, repr=False)
