"""What every runtime offers: views in, scores and heatmaps out, and a reason where its parts are absent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from export.errors import ExportError
from export.runtimes.parts import Say


@dataclass(frozen=True)
class Output:
    """`scores` float32 [N, 2], real and fake, 0..1; `heatmaps` float32 [N, h, w], 0..1."""

    scores: np.ndarray
    heatmaps: np.ndarray


class RuntimeAbsentError(ExportError):
    """A runtime's parts are not on this machine; the sentence says which, and what sets them up."""


Call = Callable[[bytes, np.ndarray], Output]
"""A sealed detector file and uint8 [N, S, S, 3] to Output.

Raises RuntimeAbsentError where parts are missing, ExportError for a runtime that fails."""


Promise = Literal["bits", "decisions"]


@dataclass(frozen=True)
class Runtime:
    """A runtime, by the name that people give to `verify --runtime`.

    promise: `bits` where int8 scores must equal LiteRT's with XNNPACK in every bit, `decisions` where only verdicts
    must. missing: one sentence on what is absent, None where all is there; it looks at files only and starts nothing.
    set_up: makes the parts that it needs, None where it needs none; raises ExportError where that fails.
    """

    name: str
    promise: Promise
    call: Call = field(compare=False, repr=False)
    missing: Callable[[], str | None] = field(compare=False, repr=False)
    set_up: Callable[[Say], None] | None = field(default=None, compare=False, repr=False)
