"""The scores table: one row a picture, which training, evaluation and export exchange."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from train.common.atomic import write_bytes
from train.common.documents import parquet_bytes, read_table, table_bytes
from train.common.errors import TrainError

SCORE_COLUMNS: dict[str, pl.DataType] = {
    "path": pl.String(),
    "label": pl.String(),
    "generator": pl.String(),
    "family": pl.String(),
    "source": pl.String(),
    "split": pl.String(),
    "seen": pl.Boolean(),
    "log_odds": pl.Float32(),
    "probability": pl.Float32(),
}
"""Column to type, in order.

label is "real" or "fake"; split is "train", "val" or "test"; seen says that generator AND source were in
training; probability is the calibrated P(fake) in 0..1 and log_odds is log(p / (1 - p)) of it, which tells apart what
float32 rounds to a probability of 1. Tables of format 1 had a column `logit` instead, calibrated in some and raw in
others; they are read with the log odds of their probability.
"""

_OLDER = "logit"
_LEAST = 1e-9
"""A float32 probability that close to 0 or 1 says nothing finer."""

LABELS = ("real", "fake")
SPLITS = ("train", "val", "test")


def check_scores(scores: pl.DataFrame, name: str = "the scores table") -> pl.DataFrame:
    """The table with exactly SCORE_COLUMNS, cast and in order; other columns are dropped.

    Raises TrainError when a column is missing or of the wrong kind, the table is empty, a value is missing, a
    path comes twice, a label or split is unknown, or a score is not a number in its range. `name` says which.
    """
    if _OLDER in scores.columns and "log_odds" not in scores.columns and "probability" in scores.columns:
        scores = _from_format_1(scores, name)
    missing = [column for column in SCORE_COLUMNS if column not in scores.columns]
    if missing:
        raise TrainError(f"{name} has no column {', '.join(missing)}: write it with `fauxlens evaluate`.")
    try:
        table = scores.select(pl.col(column).cast(kind) for column, kind in SCORE_COLUMNS.items())
    except pl.exceptions.PolarsError as error:
        first_line = str(error).splitlines()[0]
        raise TrainError(f"{name} has a value of the wrong kind ({first_line}): write it again.") from error
    if table.is_empty():
        raise TrainError(f"{name} has no rows: score at least one real and one fake picture.")
    _check_values(table, name)
    return table


def read_scores(path: Path) -> pl.DataFrame:
    """Reads and checks a scores table in CSV or Parquet; raises TrainError when it is missing or not a scores table."""
    try:
        table = read_table(path, error=TrainError, remedy="give the scores.csv of a run", schema=SCORE_COLUMNS)
    except FileNotFoundError as error:
        raise TrainError(f"{path} does not exist: give the scores.csv of a run.") from error
    return check_scores(table, str(path))


def write_scores(scores: pl.DataFrame, path: Path) -> None:
    """Checks the table and writes it, whole or not at all: Parquet where `path` ends so, else CSV.

    float32 values survive exactly in both.
    """
    table = check_scores(scores)
    write_bytes(path, parquet_bytes(table) if path.suffix.lower() == ".parquet" else table_bytes(table))


def log_odds_of(probability: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """log(p / (1 - p)) of probabilities in 0..1, float32 and finite: within 1e-9 of 0 and 1 they are taken as that."""
    p = np.clip(np.asarray(probability, np.float64), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(p) - np.log1p(-p), np.float32)


def _from_format_1(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    """A table with `log_odds` for one with `logit`, whose values are still checked to be numbers."""
    try:
        logit = scores[_OLDER].cast(pl.Float32)
        probability = scores["probability"].cast(pl.Float32)
    except pl.exceptions.PolarsError as error:
        raise TrainError(
            f"{name} has a value of the wrong kind ({str(error).splitlines()[0]}): write it again."
        ) from None
    known = logit.is_finite() & probability.is_between(0, 1)
    derived = pl.Series(log_odds_of(probability.fill_null(0.5)), dtype=pl.Float32)
    # What was no number stays none, and is refused like in a table of today.
    none = pl.Series([float("nan")], dtype=pl.Float32)
    return scores.with_columns(log_odds=derived.zip_with(known.fill_null(False), none.new_from_index(0, derived.len())))


def _check_values(table: pl.DataFrame, name: str) -> None:
    for column, nulls in table.null_count().row(0, named=True).items():
        if nulls:
            raise TrainError(f"{name} has {nulls} rows without a {column}: write it again.")
    for column, known in (("label", LABELS), ("split", SPLITS)):
        strange = table.filter(~pl.col(column).is_in(known)).get_column(column).unique().sort().to_list()
        if strange:
            raise TrainError(f"{name} has the unknown {column} {strange[0]!r}: use one of {', '.join(known)}.")
    twice = table.filter(pl.col("path").is_duplicated())
    if not twice.is_empty():
        raise TrainError(f"{name} has {twice['path'][0]} more than once: score each picture once.")
    bad = table.filter(~pl.col("log_odds").is_finite() | ~pl.col("probability").is_between(0, 1))
    if not bad.is_empty():
        raise TrainError(
            f"{name} has {bad.height} scores that are not numbers or not in 0..1, the first for "
            f"{bad['path'][0]}: the training may have diverged."
        )
