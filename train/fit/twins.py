"""Twins: which real picture a reconstruction was made from."""

from pathlib import PurePosixPath

import numpy as np
import polars as pl

from train.common.errors import TrainError

_NAME_LENGTH = 24
"""Hex digits of the original's sha256 by which `data reconstruct` names a reconstruction (train/data/reconstruct)."""


def find_twins(frame: pl.DataFrame) -> np.ndarray:
    """Return for every row of a manifest's frame the row of its real twin, -1 where it has none: int64 [N].

    A reconstruction (family `reconstruction`) is named by its original's content; its twin is the real picture of that
    name or content in the same group and of the same size.
    """
    twins = np.full(frame.height, -1, np.int64)
    columns = ("path", "sha256", "label", "family", "group", "width", "height")
    table = list(frame.select(columns).iter_rows(named=True))
    reals: dict[tuple[str, str, int, int], int] = {}
    for index, row in enumerate(table):
        if row["label"] == "real":
            for name in (PurePosixPath(row["path"]).stem, row["sha256"][:_NAME_LENGTH]):
                reals.setdefault((name, row["group"], row["width"], row["height"]), index)
    for index, row in enumerate(table):
        if row["family"] == "reconstruction":
            key = (PurePosixPath(row["path"]).stem, row["group"], row["width"], row["height"])
            twins[index] = reals.get(key, -1)
    return twins


def check_twins(frame: pl.DataFrame) -> None:
    """Raise TrainError where no row of a training split is a reconstruction with its real twin beside it."""
    if (find_twins(frame) < 0).all():
        raise TrainError(
            "sampling.twins needs reconstructions together with the real pictures they were made from, and the "
            "training split has none: make some with `fauxlens data reconstruct` and merge the manifests, or set it "
            "to 0."
        )
