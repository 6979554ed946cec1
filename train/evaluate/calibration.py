"""From logits to calibrated probabilities, and from those to the thresholds that ship with a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from train.common.errors import TrainError
from train.evaluate.decision import Decision, Point
from train.evaluate.ranked import Ranked, best_balanced, false_alarms_at_most, few_fakes_below, few_reals_between

FPR_1 = 0.01
FPR_05 = 0.005

USELESS_SCALE = 1e-3
"""Scale on standardised logits of a detector that is no better than chance: every p is then near 0.5."""


@dataclass(frozen=True)
class Calibration:
    """P(fake) = sigmoid(scale * logit + bias), with scale > 0 (Platt 1999)."""

    scale: float
    bias: float


@dataclass(frozen=True)
class OperatingPoints:
    """Thresholds on P(fake), each in 0..1 and exact in float32: a picture is called fake iff p >= threshold.

    `unsure_from` is where "cannot tell" begins, whichever threshold is chosen; `decision` has the rule.
    """

    balanced: float
    fpr_1: float
    fpr_05: float
    unsure_from: float

    def decision(self, point: Point) -> Decision:
        """The decision at one of `decision.POINTS`."""
        threshold = {"balanced": self.balanced, "fpr-1%": self.fpr_1, "fpr-0.5%": self.fpr_05}[point]
        return Decision(threshold, min(threshold, self.unsure_from))


def fit_calibration(logits: npt.ArrayLike, is_fake: npt.ArrayLike) -> Calibration:
    """Fits Platt scaling on validation logits [N], both classes having the same total weight.

    Platt's smoothed targets, (n+1)/(n+2) and 1/(n+2), keep the scale finite when the classes do not overlap
    (J. Platt, "Probabilistic outputs for support vector machines", 1999, section 2.2). Equal weight makes
    p = 0.5 mean "as likely fake as real when both are equally common", whatever the mix of the set.
    Where the fit would turn the order round (a detector no better than chance), the scale becomes a tiny
    positive one, so that every p lies near 0.5 and nothing downstream breaks: the report then says AUC 0.5.
    Raises TrainError when a class is missing, a logit is not finite, or the lengths differ.
    """
    scores, fake = two_classes(logits, is_fake, "logits")
    weight = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    mean = float(np.sum(weight * scores))
    spread = float(np.sqrt(np.sum(weight * (scores - mean) ** 2)))
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return Calibration(scale=USELESS_SCALE, bias=-USELESS_SCALE * mean)
    slope, offset = _fit_smoothed((scores - mean) / spread, fake, weight)
    if slope < USELESS_SCALE:
        slope, offset = USELESS_SCALE, 0.0
    scale = slope / spread
    return Calibration(scale=scale, bias=offset - scale * mean)


def probabilities(calibration: Calibration, logits: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Calibrated P(fake) in 0..1, float32, of logits of any shape."""
    return np.asarray(expit(_calibrated(calibration, logits)), np.float32)


def log_odds(calibration: Calibration, logits: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """log(P(fake) / P(real)) by a calibration, float32, of logits of any shape."""
    return np.asarray(_calibrated(calibration, logits), np.float32)


def _calibrated(calibration: Calibration, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return calibration.scale * np.asarray(logits, np.float64) + calibration.bias


def choose_operating_points(
    probability: npt.ArrayLike, is_fake: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> OperatingPoints:
    """Chooses the shipped thresholds from calibrated validation probabilities [N].

    weights [N], >= 0: what each picture counts among those of its class (`equal_weights` of its source), else all
    count the same. Fractions below are weighted.
    fpr_1, fpr_05: catch the most fakes while at most 1 % or 0.5 % of the reals are called fake, by weight and by
    number; of the thresholds that catch the same fakes, the one with the fewest false alarms.
    balanced: maximises balanced accuracy; of several equally good gaps, the middle of the widest. Never above fpr_1.
    unsure_from: the highest value with at most 5 % of the fakes below it (what is then called real is rarely fake),
    raised where the band up to the strictest threshold would hold more than a fifth of the reals.
    Thresholds lie in the middle between observed scores. A real that scores exactly 1.0 in float32 cannot
    be excluded by a threshold within 0..1: the threshold is then 1.0.
    Raises TrainError when a class is missing, a probability lies outside 0..1, or a class has no weight.
    """
    scores, fake = two_classes(probability, is_fake, "probabilities")
    if scores.min() < 0 or scores.max() > 1:
        raise TrainError("Operating points need probabilities in 0..1: calibrate the logits first.")
    single = scores.astype(np.float32)
    counts = np.ones(scores.size) if weights is None else np.asarray(weights, np.float64).ravel()
    if counts.shape != scores.shape or (counts < 0).any() or not counts[fake].sum() or not counts[~fake].sum():
        raise TrainError("Operating points need a weight for each picture: none negative, not all zero in a class.")
    reals, fakes = Ranked.of(single[~fake], counts[~fake]), Ranked.of(single[fake], counts[fake])
    # A rate that held for evenly weighted sources only could be twice as high among all pictures, and the reverse.
    counted = Ranked.of(single[~fake])
    fpr_1, fpr_05 = (
        max(false_alarms_at_most(one, fakes, rate) for one in (reals, counted)) for rate in (FPR_1, FPR_05)
    )
    balanced = min(best_balanced(reals, fakes), fpr_1)
    unsure_from = max(few_fakes_below(reals, fakes), few_reals_between(reals, fpr_05))
    return OperatingPoints(balanced, fpr_1, fpr_05, min(unsure_from, fpr_05))


def equal_weights(names: Sequence[str], full: int = 1) -> npt.NDArray[np.float64]:
    """Weights [N] by which every name (a source, say) counts as much as every other, their mean being 1.

    Names of fewer than `full` pictures count by how many they have, so that no single picture weighs too much.
    """
    _, index, counts = np.unique(np.asarray(names, str), return_inverse=True, return_counts=True)
    weights = 1 / np.maximum(counts, full)[index]
    return np.asarray(weights / weights.mean(), np.float64)


def two_classes(
    values: npt.ArrayLike, is_fake: npt.ArrayLike, name: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Flat float64 values and bool labels of equal length, both classes present and all values finite.

    Raises TrainError otherwise; `name` says in its sentence what the values are.
    """
    scores = np.asarray(values, np.float64).ravel()
    fake = np.asarray(is_fake).astype(bool).ravel()
    if scores.size != fake.size:
        raise TrainError(f"There are {scores.size} {name} but {fake.size} labels: give one label for each.")
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).sum())
        raise TrainError(f"{bad} of {scores.size} {name} are not finite: training diverged, lower its learning rate.")
    for label, present in (("real", (~fake).any()), ("fake", fake.any())):
        if not present:
            raise TrainError(f"There is no {label} picture among the {scores.size} {name}: both classes are needed.")
    return scores, fake


def _fit_smoothed(
    scores: npt.NDArray[np.float64], fake: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]
) -> tuple[float, float]:
    n_fake, n_real = int(fake.sum()), int((~fake).sum())
    target = np.where(fake, (n_fake + 1) / (n_fake + 2), 1 / (n_real + 2))
    # A soft target is the same loss as the picture given twice, as fake with weight t and as real with 1 - t.
    # The targets alone keep the optimum finite; C is there for sets of a few pictures only.
    model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-8, max_iter=200)
    model.fit(
        np.concatenate([scores, scores])[:, None],
        np.repeat([1, 0], scores.size),
        sample_weight=scores.size * np.concatenate([weight * target, weight * (1 - target)]),
    )
    return float(model.coef_[0, 0]), float(model.intercept_[0])
