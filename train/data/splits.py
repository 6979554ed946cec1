"""Splits: which group is for training, validation and test."""

import hashlib
from collections.abc import Mapping, Sequence

from train.data.manifest import SPLITS

TRAIN_SHARE = 0.70
VAL_SHARE = 0.15


def split_of(group: str) -> str:
    """Return train (70 %), val (15 %) or test (15 %) for a group, by the sha256 of its name alone."""
    digest = hashlib.sha256(f"split:{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < TRAIN_SHARE:
        return "train"
    return "val" if position < TRAIN_SHARE + VAL_SHARE else "test"


def assign_splits(
    groups: Sequence[str],
    official: Sequence[str | None],
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the split of each row.

    A row's official split (from the card) is honoured; else the row follows its group: the split that
    `known` (group -> split, from an earlier manifest) has for it, the official split of another row in it,
    or `split_of`.
    """
    known = known or {}
    of_group: dict[str, str] = {}
    for group, split in zip(groups, official, strict=True):
        if split is not None:
            of_group[group] = min(of_group.get(group, split), split, key=SPLITS.index)
    return [
        split or known.get(group) or of_group.get(group) or split_of(group)
        for group, split in zip(groups, official, strict=True)
    ]
