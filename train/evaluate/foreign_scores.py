"""Scores of any other tool: a table with a path or sha256 and a score for each picture, joined to a manifest."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from train.common.documents import MAX_TABLE_BYTES, read_bytes, read_table
from train.common.errors import TrainError
from train.common.text import printable
from train.data.manifest import Manifest

SUFFIXES = (".csv", ".parquet")
KEYS = ("sha256", "path")
PROBABILITY = "probability"
SCORES = (PROBABILITY, "score", "log_odds", "logit")
"""Columns taken as the score where none is named, the first that is there; `probability` is P(fake) in 0..1."""
_REMEDY = "give a CSV or Parquet table with the columns path (or sha256) and score"


@dataclass(frozen=True)
class ForeignScores:
    """A manifest's rows that a table scores, with `score` float64, higher being more like a fake.

    column: the table's column that the scores come from. unknown: how many scores are of pictures that are not in the
    manifest. without: how many of the manifest's rows have none.
    """

    frame: pl.DataFrame
    column: str
    unknown: int
    without: int


def read_foreign_scores(path: Path, manifest: Manifest, column: str = "") -> ForeignScores:
    """Read the scores of another tool and join them to a manifest, by sha256 where there is that column, else by path.

    A path is that of the manifest, or starts from the folder of the table or the working folder. Columns that are not
    asked for are ignored. Raises TrainError for a table without such columns, a score that is no finite number, a
    `probability` outside 0..1, a picture with two different scores, and where no score is of a picture of the manifest.
    """
    table = _read(path)
    key = next((name for name in KEYS if name in table.columns), None)
    column = column or next((name for name in SCORES if name in table.columns), "")
    if key is None or column not in table.columns:
        lacks = "path or sha256" if key is None else (repr(column) if column else "score")
        raise TrainError(
            f"{path} has no column {lacks}; it has {', '.join(map(repr, table.columns[:20]))}: name the score column "
            "with --scores-at."
        )
    scores = table.select(pl.col(key).cast(pl.String).alias("key"), pl.col(column).alias("score"))
    scores = _numbers(scores, path, column)
    keyed = manifest.frame.with_columns(key=pl.col(key))
    if key == "path":
        scores = scores.with_columns(key=_as_in_manifest(scores["key"], path, manifest))
    scores = _once(scores, path)
    joined = keyed.join(scores, on="key", how="left", maintain_order="left")
    found = joined.filter(pl.col("score").is_not_null()).drop("key")
    unknown = scores.join(keyed, on="key", how="anti").height
    if found.is_empty():
        raise TrainError(
            f"None of the {scores.height:,} scores in {path} belongs to a picture of the manifest, matched by {key} "
            "(the first is "
            f"{printable(str(scores['key'][0]))[:200]!r}): give the scores of these pictures."
        )
    return ForeignScores(found, column, unknown, manifest.frame.height - found.height)


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() != ".parquet":
            table = read_table(path, error=TrainError, remedy=_REMEDY)
        else:
            data = read_bytes(path, error=TrainError, remedy=_REMEDY, limit=MAX_TABLE_BYTES)
            table = pl.read_parquet(io.BytesIO(data))
    except FileNotFoundError:
        raise TrainError(f"{path} does not exist: check the spelling.") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = (str(error).splitlines() or [""])[0][:150].rstrip(".")
        raise TrainError(f"{path} is not a Parquet table ({reason}): {_REMEDY}.") from None
    if table.is_empty():
        raise TrainError(f"{path} has no rows: {_REMEDY}.")
    return table


def _numbers(scores: pl.DataFrame, path: Path, column: str) -> pl.DataFrame:
    try:
        cast = scores.with_columns(pl.col("score").cast(pl.Float64, strict=False))
    except pl.exceptions.PolarsError:
        raise TrainError(
            f"{path} has no numbers in its column {column!r}: name the score column with --scores-at."
        ) from None
    bad = cast.filter(pl.col("score").is_null() | ~pl.col("score").is_finite() | pl.col("key").is_null())
    if not bad.is_empty():
        raise TrainError(
            f"{path} names no picture or has no finite number as {column!r} in {bad.height:,} of its rows, the first "
            f"for {printable(str(bad['key'][0]))[:200]!r}: correct or remove them."
        )
    outside = cast.filter(~pl.col("score").is_between(0, 1))
    if column == PROBABILITY and not outside.is_empty():
        raise TrainError(
            f"{path} has values outside 0..1 as {column!r} in {outside.height:,} of its rows, the first for "
            f"{printable(str(outside['key'][0]))[:200]!r}: call a score with another range score, not {column}."
        )
    return cast


def _once(scores: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Each picture once; the same score twice is one."""
    distinct = scores.unique(maintain_order=True)
    twice = distinct.filter(pl.col("key").is_duplicated())
    if not twice.is_empty():
        name = printable(str(twice["key"][0]))[:200]
        raise TrainError(f"{path} has {name!r} with different scores: give one for each picture.")
    return distinct


def _as_in_manifest(paths: pl.Series, table: Path, manifest: Manifest) -> pl.Series:
    """The paths as the manifest writes them, where they lead to the same place; others as they are."""
    known = set(manifest.frame["path"])
    if paths.is_in(list(known)).all():
        return paths
    # Folders are followed where links lead before `..` is worked out; each once, for there are few.
    real: dict[Path, Path] = {}

    def place(start: Path, one: str) -> Path:
        path = start / one
        if path.parent not in real:
            real[path.parent] = path.parent.resolve()
        return real[path.parent] / path.name

    places = {place(manifest.folder, one): one for one in known}

    def named(one: str) -> str:
        if one in known:
            return one
        found = (places.get(place(start, one)) for start in (manifest.folder, table.parent, Path()))
        return next((name for name in found if name is not None), one)

    return pl.Series([named(one) for one in paths], dtype=pl.String)
