"""How far a stage may depart from the one before it, as shipped in a bundle."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from train.common.errors import ExportError


@dataclass(frozen=True)
class StageLimits:
    """Most allowed between two stages: fraction of verdicts that flip, mean and 99th percentile of |dP(fake)|."""

    flips: float
    mean: float
    p99: float


@dataclass(frozen=True)
class Tolerances:
    """The limits of each stage of parity; all fractions or probabilities, 0..1.

    `quantising`: Keras float to Keras quantised, a change of the model that is recorded and bounded loosely.
    `converting`: Keras to TFLite, one model in two programs. `runtime`: the stored TFLite scores to this runtime, for
    runtimes that need not agree bit for bit. `float_rounding`: most |dP(fake)| of a float variant on the reference
    runtime, whose sums may be ordered differently on another processor; int8 variants get none. `heatmap_mean` and
    `heatmap_least`: smallest mean and single cosine between heatmap and Grad-CAM.

    0.5 % of 32 references is less than one picture: `converting` and `runtime` allow one flip there.
    """

    quantising: StageLimits = field(default_factory=lambda: StageLimits(flips=0.1, mean=0.05, p99=0.5))
    converting: StageLimits = field(default_factory=lambda: StageLimits(flips=0.005, mean=0.02, p99=0.1))
    runtime: StageLimits = field(default_factory=lambda: StageLimits(flips=0.005, mean=0.02, p99=0.1))
    float_rounding: float = 1e-5
    heatmap_mean: float = 0.98
    heatmap_least: float = 0.9

    def __post_init__(self) -> None:
        numbers = [*_numbers(self.quantising), *_numbers(self.converting), *_numbers(self.runtime)]
        for number in (*numbers, self.float_rounding, self.heatmap_mean, self.heatmap_least):
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
                raise ExportError(f"Tolerances must be numbers in 0..1 and one is {number!r}; write the bundle again.")


def tolerances_from(plain: object) -> Tolerances:
    """Read tolerances from the plain JSON value of `dataclasses.asdict`. Raises ExportError for anything else."""
    limits = {"quantising", "converting", "runtime"}
    wanted = {f.name for f in dataclasses.fields(Tolerances)}
    names = {f.name for f in dataclasses.fields(StageLimits)}
    if not isinstance(plain, dict) or set(plain) != wanted:
        raise ExportError(f"Tolerances need exactly the keys {', '.join(sorted(wanted))}; write the bundle again.")
    for key in limits:
        if not isinstance(plain[key], dict) or set(plain[key]) != names:
            raise ExportError(f"Tolerances: '{key}' needs exactly {', '.join(sorted(names))}; write the bundle again.")
    read: dict[str, Any] = {key: StageLimits(**value) if key in limits else value for key, value in plain.items()}
    return Tolerances(**read)


def _numbers(limits: StageLimits) -> tuple[float, float, float]:
    return limits.flips, limits.mean, limits.p99


def allowed_flips(limits: StageLimits, count: int) -> int:
    """How many of `count` verdicts may flip, rounded up: one picture at the threshold proves nothing against a bundle.

    The fraction itself is held over the whole test split, at export, and stands in the detector's figures.
    """
    return math.ceil(limits.flips * count - 1e-9)
