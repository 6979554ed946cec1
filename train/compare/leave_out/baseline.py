"""How far file facts alone go on what was not in training: the metadata baseline beside a left-out figure."""

import numpy as np
import numpy.typing as npt
import polars as pl

from train.data.audit.metadata_baseline import file_features, weighted_aucs
from train.evaluate.metrics import Interval, score_interval

_MOST_OF_A_CLASS = 10_000
"""Rows of a class to learn from; more change little and take long."""


def metadata_scores(frame: pl.DataFrame, in_training: npt.NDArray[np.bool_], seed: int = 0) -> npt.NDArray[np.float64]:
    """Learn real from fake by file facts alone, then score every row of a manifest's frame: float64 [N] in 0..1.

    in_training: the rows to learn from, [N], with both classes. The classifier is that of the metadata baseline of the
    audit (scikit-learn's histogram gradient boosting).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    # Of all rows at once: the number of a format is its rank among those that there are.
    features = file_features(frame)
    is_fake = (frame["label"] == "fake").to_numpy()
    random = np.random.default_rng(seed)
    rows = np.concatenate(
        [
            random.permutation(np.flatnonzero(in_training & (is_fake == label)))[:_MOST_OF_A_CLASS]
            for label in (False, True)
        ]
    )
    classifier = HistGradientBoostingClassifier(
        max_iter=100, early_stopping=False, class_weight="balanced", random_state=seed
    )
    # On cores that others use, OpenMP's threads wait for each other (see metadata_baseline).
    with threadpool_limits(1):
        classifier.fit(features[rows], is_fake[rows])
        return np.asarray(classifier.predict_proba(features)[:, 1].round(6), np.float64)


def grouped_auc(
    is_fake: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], groups: pl.Series, seed: int = 0
) -> Interval:
    """AUC of scores [N] with a 95 % interval from resamples of whole groups [N]; both classes present.

    Where most resamples only repeat the value, the interval is what so many groups allow to say (Wilson 1927).
    """
    numbers = groups.rank("dense").to_numpy().astype(np.int64) - 1
    value, *drawn = map(float, weighted_aucs(is_fake, scores, numbers, np.random.default_rng(seed)))
    low, high = np.quantile(drawn or [value], (0.025, 0.975))
    if not drawn or np.isclose(drawn, value, rtol=0, atol=1e-12).mean() >= 0.5:
        units = min(np.unique(numbers[is_fake]).size, np.unique(numbers[~is_fake]).size)
        least, most = score_interval(value, units)
        low, high = min(low, least), max(high, most)
    return Interval(value, min(float(low), value), max(float(high), value))
