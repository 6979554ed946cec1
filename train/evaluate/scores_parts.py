"""Parts of the scores of a model, and the table that scoring the whole manifest would have written."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from train.common.parts import WorkPart, part_path
from train.data.manifest import Manifest
from train.data.part_files import PLACE, PartFile, rows_in_place, write_part
from train.evaluate.scores import SCORE_COLUMNS, check_scores

SCORES = "scores.csv"


def write_scores_part(
    scores: pl.DataFrame, part: WorkPart, folder: Path, *, model: str, manifest: Manifest, which: str, rows: int
) -> Path:
    """Write the scores of a part into the folder of the report, and return the part's path.

    `scores` has SCORE_COLUMNS and `place`, the row's number among the `rows` that the whole has; it may be empty.
    `model` is a digest of what scored them.
    """
    facts = {"manifest": manifest.sha256, "model": model, "rows": rows, "split": which}
    path = part_path(folder / SCORES, part)
    kinds = {PLACE: pl.Int64(), **SCORE_COLUMNS}
    write_part(path, "evaluate", part, facts, scores.select(pl.col(name).cast(kind) for name, kind in kinds.items()))
    return path


def merge_scores_parts(parts: Sequence[PartFile]) -> pl.DataFrame:
    """Return the scores table of all parts; nothing is written. Raises TrainError where they are no scores."""
    return check_scores(rows_in_place(pl.concat([one.frame for one in parts]), parts), "the table of all parts")
