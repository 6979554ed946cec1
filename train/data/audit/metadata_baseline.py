"""The metadata baseline: how well the file alone, without its pixels, tells real from fake."""

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import polars as pl

from train.data.audit.file_statistics import WORDS, with_measures
from train.data.manifest import origin

FEATURES = ("width", "height", "aspect", "format", "jpeg_quality", "bytes_per_pixel", "bytes")
_FOLDS = 5
_RESAMPLES = 300
# Enough for an interval of about +-0.01, and a second or two of work.
_MAX_ROWS = 20_000
# Of each part in a pair; the interval is then at most about +-0.03.
_MAX_PART_ROWS = 1_500
# A single tree takes some 30 ms a pair; beyond that many the smallest parts are left out.
_MAX_PAIRS = 300
# Pairs whose interval begins at or below CHANCE and ends at or below CLOSE are matched: about what 1,000 pictures a
# side can show.
CHANCE, CLOSE = 0.52, 0.60
# Above this AUC of framing two parts are cut otherwise. Not lower: of shared pictures in FFHQ's alignment a StyleGAN's
# reach 0.63, because heads are held otherwise; looser frames reach 0.80 to 1.00.
FRAMED_ALIKE = 0.70
# A feature whose distributions lie at least this far apart (Kolmogorov-Smirnov, 0 to 1) is named as telling.
_TELLING = 0.15
_CHUNK = 1 << 22

Verdict = Literal["matched", "close", "apart", "unclear"]


@dataclass(frozen=True)
class MetadataBaseline:
    """Out-of-fold AUC of a classifier that sees no pixel, with a 95 % bootstrap interval over groups, all 0..1."""

    auc: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class FeatureAlone:
    """What one of FEATURES reaches alone."""

    feature: str
    model: MetadataBaseline

    @property
    def words(self) -> str:
        """How people call the feature."""
        return WORDS[self.feature]


@dataclass(frozen=True)
class PartPair:
    """A real and a fake part, and whether anything but the pixels tells one from the other.

    `files` is from FEATURES, `framing` from where the eyes are (None where they are not known in enough pictures).
    `telling` names the features that differ, the most telling first. `verdict` is matched (the interval of `files`
    reaches down to guessing), close (its AUC is at most CLOSE), unclear (too few pictures for an interval that short),
    or apart, which a framing above FRAMED_ALIKE suffices for.
    """

    real: str
    fake: str
    files: MetadataBaseline
    framing: MetadataBaseline | None
    telling: tuple[str, ...]
    verdict: Verdict


def file_features(frame: pl.DataFrame) -> np.ndarray:
    """Return FEATURES of a manifest's rows, float64 [N, 7]; format as a number, no JPEG quality as 0.

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
        pl.col("bytes").cast(pl.Float64),
    ).to_numpy()


def framing_features(frame: pl.DataFrame) -> np.ndarray:
    """Return where the eyes are and how far apart, as fractions of the picture, float64 [N, 3], NaN where unknown."""
    return frame.select(
        pl.col("eye_x") / pl.col("width"),
        pl.col("eye_y") / pl.col("height"),
        pl.col("eye_distance") / (pl.col("width") * pl.col("height")).sqrt(),
    ).to_numpy()


def fit_metadata_baseline(frame: pl.DataFrame, seed: int = 0) -> MetadataBaseline | None:
    """Evaluate file features by group-wise 5-fold cross-validation of scikit-learn's histogram gradient boosting.

    Of more than 20,000 rows a sample is taken. None if a class has fewer than 5 groups.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    frame = frame.sample(min(frame.height, _MAX_ROWS), seed=seed, shuffle=True)
    classifier = HistGradientBoostingClassifier(
        max_iter=100, early_stopping=False, class_weight="balanced", random_state=seed
    )
    return cross_validated(frame, file_features(frame), classifier, seed)


def fit_features_alone(frame: pl.DataFrame, seed: int = 0) -> tuple[FeatureAlone, ...]:
    """Evaluate each of FEATURES alone by a decision tree, as `fit_metadata_baseline` does; the most telling first.

    A tree, because a feature may tell in the middle of its range: fakes of 512 pixels between reals of 256 and 1024.
    """
    frame = frame.sample(min(frame.height, _MAX_ROWS), seed=seed, shuffle=True)
    features = file_features(frame)
    found = [
        FeatureAlone(name, model)
        for column, name in enumerate(FEATURES)
        if (model := cross_validated(frame, features[:, [column]], _tree(frame.height, seed), seed)) is not None
    ]
    return tuple(sorted(found, key=lambda one: -one.model.auc))


def fit_framing(frame: pl.DataFrame, seed: int = 0) -> MetadataBaseline | None:
    """Evaluate by a decision tree what the place and the distance of the eyes tell, among the rows that have them.

    None if a class has fewer than 5 groups of such rows.
    """
    known = frame.filter(pl.col("eye_distance").is_not_null())
    known = known.sample(min(known.height, _MAX_ROWS), seed=seed, shuffle=True)
    return cross_validated(known, framing_features(known), _tree(known.height, seed), seed)


def fit_pairs(frame: pl.DataFrame, seed: int = 0) -> tuple[PartPair, ...]:
    """Evaluate every fake part against every real part by decision trees, on at most 1,500 pictures of each part.

    A part of reconstructions is compared with its own originals only. Beyond 300 pairs the smallest parts are left out.
    A pair in which a side has fewer than 5 groups is left out too.
    """
    measured = with_measures(frame)
    keys = ("part", "label", "family")
    counts = measured.group_by(*keys, origin=origin()).len().sort("len", "part", descending=[True, False])
    made = counts.filter(family="reconstruction")
    reals = counts.filter(label="real")["part"].unique(maintain_order=True).to_list()
    fakes = (
        counts.filter(pl.col("family") != "reconstruction", label="fake")["part"].unique(maintain_order=True).to_list()
    )
    while len(reals) * len(fakes) > _MAX_PAIRS:
        longer = reals if len(reals) > len(fakes) else fakes
        longer.pop()
    own = made.join(counts.filter(label="real"), on="origin", maintain_order="left").select("part_right", "part")
    pairs = [*product(reals, fakes), *own.unique(maintain_order=True).iter_rows()][:_MAX_PAIRS]
    samples = {}
    for name in {name for pair in pairs for name in pair}:
        rows = measured.filter(part=name)
        samples[name] = rows.sample(min(rows.height, _MAX_PART_ROWS), seed=seed, shuffle=True)
    found = [_evaluate_pair(real, fake, samples[real], samples[fake], seed) for real, fake in pairs]
    return tuple(sorted((pair for pair in found if pair is not None), key=lambda pair: (pair.files.auc, pair.fake)))


def _evaluate_pair(real: str, fake: str, reals: pl.DataFrame, fakes: pl.DataFrame, seed: int) -> PartPair | None:
    rows = pl.concat([reals, fakes])
    features = file_features(rows)
    files = cross_validated(rows, features, _tree(rows.height, seed), seed)
    if files is None:
        return None
    framing = fit_framing(rows, seed)
    distances = [_distance(column[: reals.height], column[reals.height :]) for column in features.T]
    order = np.argsort(distances, kind="stable")[::-1]
    telling = tuple(FEATURES[place] for place in order if distances[place] >= _TELLING)
    verdict: Verdict
    if framing is not None and framing.auc > FRAMED_ALIKE:
        verdict = "apart"
    elif files.low <= CHANCE:
        verdict = "matched" if files.high <= CLOSE else "unclear"
    else:
        verdict = "close" if files.auc <= CLOSE else "apart"
    return PartPair(real, fake, files, framing, telling, verdict)


def _tree(rows: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    # Large leaves: smaller ones fit the noise and then miss what smooth differences tell (measured on a pair of equal
    # sizes and qualities whose bytes per pixel spread unequally: AUC 0.53 with leaves of 20, 0.58 with 60).
    leaf = min(60, max(2, rows // 20))
    return DecisionTreeClassifier(min_samples_leaf=leaf, class_weight="balanced", random_state=seed)


def cross_validated(
    frame: pl.DataFrame, features: np.ndarray, classifier: Any, seed: int = 0
) -> MetadataBaseline | None:
    """Evaluate a scikit-learn classifier of features [N, F] of a manifest's rows by group-wise 5-fold cross-validation.

    None if a class has fewer than 5 groups.
    """
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from threadpoolctl import threadpool_limits

    if any(frame.filter(label=label)["group"].n_unique() < _FOLDS for label in ("real", "fake")):
        return None
    is_fake = (frame["label"] == "fake").to_numpy()
    groups = frame["group"].rank("dense").to_numpy().astype(np.int64) - 1
    rng = np.random.default_rng(seed)
    folds = PredefinedSplit(_deal(groups, is_fake, rng)[groups])
    # On cores that others use, OpenMP's threads wait for each other: 20 times as long as one thread (measured).
    with threadpool_limits(1):
        scores = cross_val_predict(classifier, features, is_fake, cv=folds, method="predict_proba")[:, 1]
    # Folds of unequal mix would otherwise tell apart rows of equal features in the last digits.
    aucs = weighted_aucs(is_fake, scores.round(6), groups, rng)
    low, high = np.quantile(aucs[1:], (0.025, 0.975))
    return MetadataBaseline(float(aucs[0]), float(low), float(high), frame.height)


def _deal(groups: np.ndarray, is_fake: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each group, int [G]: fakes, reals and mixed groups are dealt out one by one.

    As scikit-learn's StratifiedGroupKFold does, which takes longer than the classifiers.
    """
    fakes = np.bincount(groups, is_fake) / np.bincount(groups)
    order = np.lexsort((rng.random(len(fakes)), fakes))
    folds = np.empty(len(fakes), np.int64)
    folds[order] = np.arange(len(fakes)) % _FOLDS
    return folds


def weighted_aucs(is_fake: np.ndarray, scores: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the AUC of scores [N] and of 300 bootstrap resamples of the groups, float64 [301], the plain one first.

    A resample takes each group as often as a Poisson variable of mean 1 says, which for many groups is the same as
    drawing them with replacement; one without a class is left out of the result.
    """
    order = np.argsort(scores, kind="stable")
    fake, group = is_fake[order], groups[order]
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    found = []
    left = _RESAMPLES
    weights = np.ones((1, int(groups.max()) + 1))
    while len(weights):
        drawn = weights[:, group]
        fakes = np.add.reduceat(drawn * fake, starts, axis=1)
        reals = np.add.reduceat(drawn * ~fake, starts, axis=1)
        below = np.cumsum(reals, axis=1) - reals / 2
        pairs = fakes.sum(axis=1) * reals.sum(axis=1)
        found.append(((fakes * below).sum(axis=1)[pairs > 0]) / pairs[pairs > 0])
        count = min(left, max(1, _CHUNK // len(scores)))
        left -= count
        weights = rng.poisson(1.0, (count, weights.shape[1])).astype(np.float64)
    return np.concatenate(found)


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, 0..1."""
    from scipy.stats import ks_2samp

    return float(ks_2samp(first, second, method="asymp").statistic)
