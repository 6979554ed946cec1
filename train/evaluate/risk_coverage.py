"""How often verdicts are wrong where a detector may stay silent: risk against coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.evaluate.curves import MOST_POINTS
from train.evaluate.decision import Decision

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RiskCoverage:
    """The risk-coverage curve of one set of pictures (El-Yaniv and Wiener, JMLR 11:1605, 2010), all in 0..1.

    coverage, risk: points from the surest picture to all of them, at most 300: the share of pictures that get a verdict
    and how many of these verdicts are wrong, both classes weighing alike. aurc: the area under the whole curve (Geifman
    and El-Yaniv, NeurIPS 2017); lower is better. shipped_coverage, shipped_risk: with the shipped `unsure`.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    aurc: float
    shipped_coverage: float
    shipped_risk: float


def risk_coverage(is_fake: Bools, probability: npt.ArrayLike, decision: Decision) -> RiskCoverage:
    """The curve of calibrated probabilities [N] against labels [N], both classes present.

    A picture is called fake from `decision.fake_from` on, else real; it is the surer the farther its logit is from that
    threshold's. Equally sure pictures stand or fall together. Where nothing gets a verdict the risk is 0.
    """
    p = np.asarray(probability, np.float64)
    weight = np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())
    wrong = (p >= decision.fake_from) != is_fake
    sureness = np.abs(_logit(p) - _logit(np.float64(decision.fake_from)))
    order = np.argsort(-sureness, kind="stable")
    ends = np.flatnonzero(np.diff(sureness[order], append=-1.0) < 0)
    coverage = np.cumsum(weight[order])[ends]
    risk = np.cumsum((weight * wrong)[order])[ends] / coverage
    coverage = coverage / coverage[-1]
    kept = np.unique(np.linspace(0, ends.size - 1, min(ends.size, MOST_POINTS)).round().astype(int))
    decided = (p >= decision.fake_from) | (p < decision.unsure_from)
    shipped = float(weight[decided].sum())
    return RiskCoverage(
        tuple(map(float, coverage[kept])),
        tuple(map(float, risk[kept])),
        float((risk * np.diff(coverage, prepend=0.0)).sum()),
        min(1.0, shipped),
        float((weight * wrong)[decided].sum() / shipped) if shipped > 0 else 0.0,
    )


def _logit(p: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    # float32 probabilities reach 0 and 1; beyond this nothing is surer.
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(inside) - np.log1p(-inside))
