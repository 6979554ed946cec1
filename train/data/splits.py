"""Splits: which group is for training, validation and test."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from train.data.groups import near_links
from train.data.manifest import SPLITS, Manifest


@dataclass(frozen=True)
class Shares:
    """How much of the groups is for what: weights that are not negative, of which `train` is more than 0."""

    train: float = 0.70
    val: float = 0.15
    test: float = 0.15


USUAL = Shares()

EITHER = "train+val"
"""An official split that keeps a row out of the test split only; which of the two it is the hash says."""


def split_of(group: str, shares: Shares = USUAL) -> str:
    """Return train, val or test for a group, by the sha256 of its name alone."""
    position = position_of(group, "split") * (shares.train + shares.val + shares.test)
    if position < shares.train:
        return "train"
    return "val" if position < shares.train + shares.val else "test"


def position_of(group: str, purpose: str) -> float:
    """Return where a group stands among all, 0 <= position < 1; another purpose shuffles the groups anew."""
    digest = hashlib.sha256(f"{purpose}:{group}".encode()).digest()
    # As many bits as a float holds, so that nothing is rounded up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def assign_splits(
    groups: Sequence[str],
    official: Sequence[str | None],
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the split of each row.

    A row's official split (from the card) is honoured; else the row follows its group: the split that
    `known` (group -> split, from an earlier manifest) has for it, the official split of another row in it,
    or `split_of`, without a share for `test` where the official split is EITHER.
    """
    known = known or {}
    of_group: dict[str, str] = {}
    for group, split in zip(groups, official, strict=True):
        if split is not None and split != EITHER:
            of_group[group] = min(of_group.get(group, split), split, key=SPLITS.index)
    without_test = Shares(USUAL.train, USUAL.val, 0.0)
    return [
        split
        if split is not None and split != EITHER
        else known.get(group) or of_group.get(group) or split_of(group, without_test if split == EITHER else USUAL)
        for group, split in zip(groups, official, strict=True)
    ]


def torn_groups(manifest: Manifest) -> pl.DataFrame:
    """Return the groups that stand in more than one split, by name: columns group, splits (list) and pictures."""
    ends = manifest.frame.group_by("group").agg(low=pl.col("split").min(), high=pl.col("split").max())
    torn = ends.filter(pl.col("low") != pl.col("high"))
    return (
        manifest.frame.join(torn, on="group", how="semi")
        .group_by("group")
        .agg(pl.col("split").unique().sort().alias("splits"), pl.len().alias("pictures"))
        .sort("group")
    )


def torn_look_alikes(manifest: Manifest) -> pl.DataFrame:
    """Return near-duplicates in different splits: columns path, split, other_path and other_split, in row order.

    One pair at least for every cluster of near-duplicates that is torn, not all pairs of it (`near_links`).
    """
    links = near_links(manifest.frame["phash"])
    one, other = (manifest.frame.select("path", "split")[links[:, end]] for end in (0, 1))
    both = pl.concat([one, other.rename({"path": "other_path", "split": "other_split"})], how="horizontal")
    return both.filter(pl.col("split") != pl.col("other_split"))
