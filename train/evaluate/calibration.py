"""From logits to calibrated probabilities, and from those to the thresholds that ship with a detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from train.common.errors import TrainError

FPR_1 = 0.01
FPR_05 = 0.005
MISSED_BELOW_BAND = 0.05
"""At most this fraction of the validation fakes lies below the unsure band."""

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

    `unsure` is (low, high): the verdict is "unsure" iff low <= p < high, "fake" above, "real" below.
    """

    balanced: float
    fpr_1: float
    fpr_05: float
    unsure: tuple[float, float]


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
    scores = np.asarray(logits, np.float64)
    return np.asarray(expit(calibration.scale * scores + calibration.bias), np.float32)


def choose_operating_points(probability: npt.ArrayLike, is_fake: npt.ArrayLike) -> OperatingPoints:
    """Chooses the shipped thresholds from calibrated validation probabilities [N].

    balanced: maximises balanced accuracy; of several equally good gaps, the middle of the widest.
    fpr_1, fpr_05: catch the most fakes while at most 1 % or 0.5 % of the reals are called fake; of the
    thresholds that catch the same fakes, the one with the fewest false alarms.
    unsure: high is fpr_1; low is the highest threshold with at most 5 % of the fakes below it. Where
    low >= high the classes are well separated and both become `balanced`: nothing is unsure.
    Thresholds lie in the middle between observed scores. A real that scores exactly 1.0 in float32 cannot
    be excluded by a threshold within 0..1: the threshold is then 1.0.
    Raises TrainError when a class is missing or a probability lies outside 0..1.
    """
    scores, fake = two_classes(probability, is_fake, "probabilities")
    if scores.min() < 0 or scores.max() > 1:
        raise TrainError("Operating points need probabilities in 0..1: calibrate the logits first.")
    single = scores.astype(np.float32)
    real_scores, fake_scores = np.sort(single[~fake]), np.sort(single[fake])
    balanced = _balanced(real_scores, fake_scores)
    fpr_1 = _at_most(real_scores, fake_scores, FPR_1)
    fpr_05 = _at_most(real_scores, fake_scores, FPR_05)
    low = _few_fakes_below(real_scores, fake_scores)
    band = (low, fpr_1) if low < fpr_1 else (balanced, balanced)
    return OperatingPoints(balanced=balanced, fpr_1=fpr_1, fpr_05=fpr_05, unsure=band)


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


def _between(low: np.float32 | float, high: np.float32 | float) -> float:
    """A float32 threshold t with low < t <= high, in the middle where float32 has a number there."""
    middle = np.float32((float(low) + float(high)) / 2)
    return float(middle) if middle > low else float(high)


def _balanced(real_scores: npt.NDArray[np.float32], fake_scores: npt.NDArray[np.float32]) -> float:
    edges = np.unique(np.concatenate([real_scores, fake_scores, np.array([0, 1], np.float32)]))
    true_negative = np.searchsorted(real_scores, edges, side="left") / real_scores.size
    true_positive = 1 - np.searchsorted(fake_scores, edges, side="left") / fake_scores.size
    # A threshold in (edges[i-1], edges[i]] calls fake what is >= edges[i].
    quality = (true_negative + true_positive)[1:]
    best = np.flatnonzero(quality >= quality.max() - 1e-12)
    widest = best[np.argmax(np.diff(edges)[best])]
    return _between(edges[widest], edges[widest + 1])


def _at_most(real_scores: npt.NDArray[np.float32], fake_scores: npt.NDArray[np.float32], false_alarms: float) -> float:
    allowed = int(false_alarms * real_scores.size + 1e-9)
    above = fake_scores[fake_scores > real_scores[-1 - allowed]]
    first_caught = above[0] if above.size else np.float32(1)
    below = real_scores[real_scores < first_caught]
    return _between(below[-1], first_caught) if below.size else float(first_caught)


def _few_fakes_below(real_scores: npt.NDArray[np.float32], fake_scores: npt.NDArray[np.float32]) -> float:
    allowed = int(MISSED_BELOW_BAND * fake_scores.size + 1e-9)
    kept = fake_scores[allowed]
    scores = np.concatenate([real_scores, fake_scores, np.zeros(1, np.float32)])
    below = scores[scores < kept]
    return _between(below.max(), kept) if below.size else 0.0
