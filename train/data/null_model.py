"""The null model: how well the file alone, without its pixels, tells real from fake."""

from dataclasses import dataclass

import numpy as np
import polars as pl

FEATURES = ("width", "height", "aspect", "format", "jpeg_quality", "bytes_per_pixel")
_FOLDS = 5
_RESAMPLES = 300
# Enough for an interval of about +-0.01, and a second or two of work.
_MAX_ROWS = 20_000


@dataclass(frozen=True)
class NullModel:
    """Out-of-fold AUC of a classifier on FEATURES, with a 95 % bootstrap interval over groups, all 0..1."""

    auc: float
    low: float
    high: float
    rows: int


def file_features(frame: pl.DataFrame) -> np.ndarray:
    """Return FEATURES of a manifest's rows, float64 [N, 6]; format as a number, no JPEG quality as 0.

    Not as NaN: scikit-learn 1.9 cannot bin a column that holds nothing else, as in a folder of PNG files.
    """
    pixels = pl.col("width") * pl.col("height")
    return frame.select(
        pl.col("width").cast(pl.Float64),
        pl.col("height").cast(pl.Float64),
        (pl.col("width") / pl.col("height")).alias("aspect"),
        pl.col("format").rank("dense").cast(pl.Float64),
        pl.col("jpeg_quality").cast(pl.Float64).fill_null(0),
        (pl.col("bytes") / pixels).alias("bytes_per_pixel"),
    ).to_numpy()


def fit_null_model(frame: pl.DataFrame, seed: int = 0) -> NullModel | None:
    """Judge file features by group-wise 5-fold cross-validation of scikit-learn's histogram gradient boosting.

    Of more than 20,000 rows a sample is taken. None if a class has fewer than 5 groups.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    frame = frame.sample(min(frame.height, _MAX_ROWS), seed=seed, shuffle=True)
    if any(frame.filter(label=label)["group"].n_unique() < _FOLDS for label in ("real", "fake")):
        return None
    is_fake = (frame["label"] == "fake").to_numpy()
    groups = frame["group"].rank("dense").to_numpy().astype(np.int64) - 1
    scores = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=100, early_stopping=False, class_weight="balanced", random_state=seed),
        file_features(frame),
        is_fake,
        groups=groups,
        cv=StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed),
        method="predict_proba",
    )[:, 1]
    rng = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    resampled = []
    for _ in range(_RESAMPLES):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)[groups]
        if weight[is_fake].any() and weight[~is_fake].any():
            resampled.append(roc_auc_score(is_fake, scores, sample_weight=weight))
    low, high = np.quantile(resampled, (0.025, 0.975))
    return NullModel(float(roc_auc_score(is_fake, scores)), float(low), float(high), frame.height)
