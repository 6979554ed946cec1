"""Scores of several runs on the same pictures, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from train.common.errors import TrainError
from train.compare.bootstrap import ScoreMatrix
from train.evaluate.scores import read_scores
from train.evaluate.selection import rows_to_score
from train.fit.run_folder import Run, read_state, scores_path

WHAT = ["path", "label", "generator", "family", "source", "split", "seen"]
"""The columns of a scores table in which runs on the same pictures agree."""


def read_matrix(runs: Sequence[Run], frame: pl.DataFrame, state: str = "float") -> ScoreMatrix:
    """The scores of runs, in their order, with the groups of their manifest's frame.

    Raises TrainError where a run is not finished, the runs do not have the same pictures or know other ones as seen, or
    a picture is not in the manifest.
    """
    first: pl.DataFrame | None = None
    probability, thresholds = [], []
    for run in runs:
        thresholds.append(read_state(run, state).points.fpr_1)
        scores = read_scores(scores_path(run, state)).sort("path")
        probability.append(scores["probability"].to_numpy().astype(np.float64))
        what = scores.select(WHAT)
        if first is None:
            first = what
        elif not what.equals(first):
            strange = pl.concat([what.join(first, on=WHAT, how="anti"), first.join(what, on=WHAT, how="anti")])
            raise TrainError(
                f"{run.folder} was not evaluated on the same pictures as {runs[0].folder}, or differs in which are "
                f"seen: they differ in {strange['path'].n_unique()}, the first is "
                f"{strange['path'].sort()[0]}."
            )
    assert first is not None
    pictures = first.join(frame.select("path", "group"), on="path", how="left", maintain_order="left")
    lost = pictures.filter(pl.col("group").is_null())
    if not lost.is_empty():
        raise TrainError(
            f"{runs[0].folder} has scores of pictures that its manifest does not name, the first is {lost['path'][0]}: "
            "train again."
        )
    kept = rows_to_score(pictures.with_row_index("row"))
    return ScoreMatrix(kept.drop("row"), np.stack(probability)[:, kept["row"].to_numpy()], np.array(thresholds))
