"""Splits: by the group's name alone, for ever; and what a split tears is found."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.data.manifest import SCHEMA, SPLITS, Manifest
from train.data.splits import Shares, assign_splits, position_of, split_of, torn_groups, torn_look_alikes

GROUPS = [f"group {number}" for number in range(20_000)]


def manifest(groups: Sequence[str], splits: Sequence[str], phashes: Sequence[str] | None = None) -> Manifest:
    rows = len(groups)
    frame = pl.DataFrame(
        {
            "path": [f"{row}.jpg" for row in range(rows)],
            "sha256": [f"{row:064x}" for row in range(rows)],
            "phash": phashes or ["0" * 16] * rows,
            "label": "real",
            "group": groups,
            "split": splits,
        }
    )
    others = {name: pl.lit(None, dtype=kind) for name, kind in SCHEMA.items() if name not in frame.columns}
    return Manifest(frame.with_columns(**others).select(SCHEMA.keys()), Path())


@pytest.mark.parametrize("shares", [(0.70, 0.15, 0.15), (0.5, 0.25, 0.25), (80, 10, 10), (1, 0, 1)])
def test_split_shares(shares: tuple[float, float, float]) -> None:
    found = Counter(split_of(group, Shares(*shares)) for group in GROUPS)
    for split, share in zip(SPLITS, shares, strict=True):
        assert found[split] / len(GROUPS) == pytest.approx(share / sum(shares), abs=0.01)


def test_the_usual_split_of_a_group_never_changes() -> None:
    # The rule itself is a promise: a manifest of last year must come out the same (printf split:NAME | sha256sum).
    names = ("a", "g", "ffhq:17", "p7", "p9", "p12")
    assert [split_of(name) for name in names] == ["train", "val", "train", "train", "train", "val"]


@given(st.text(), st.text(st.characters(categories=["Ll"])))
def test_a_position_is_a_share_of_one(group: str, purpose: str) -> None:
    assert 0 <= position_of(group, purpose) < 1


def test_purposes_are_independent() -> None:
    both = [(position_of(group, "one") < 0.5, position_of(group, "two") < 0.5) for group in GROUPS]
    for found in Counter(both).values():
        assert found / len(GROUPS) == pytest.approx(0.25, abs=0.015)


def test_official_splits_are_honoured_and_followed_by_their_group() -> None:
    splits = assign_splits(["g", "g", "h", "k"], ["test", None, None, "val"], {"h": "val"})
    assert splits == ["test", "test", "val", "val"]


@given(
    groups=st.lists(st.sampled_from("abcdef"), max_size=20),
    official=st.lists(st.sampled_from([None, None, *SPLITS]), min_size=20, max_size=20),
    known=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(SPLITS)),
)
def test_only_what_is_official_can_tear_a_group(
    groups: list[str], official: list[str | None], known: dict[str, str]
) -> None:
    official = official[: len(groups)]
    splits = assign_splits(groups, official, known)
    free = [(group, split) for group, split, bound in zip(groups, splits, official, strict=True) if bound is None]
    assert len(set(free)) == len({group for group, _ in free})
    assert all(split == bound for split, bound in zip(splits, official, strict=True) if bound is not None)


@given(rows=st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(SPLITS)), max_size=30))
def test_torn_groups_are_found(rows: list[tuple[str, str]]) -> None:
    torn = torn_groups(manifest([group for group, _ in rows], [split for _, split in rows]))
    splits = {group: {split for other, split in rows if other == group} for group, _ in rows}
    assert torn.rows() == [
        (group, sorted(found), sum(other == group for other, _ in rows))
        for group, found in sorted(splits.items())
        if len(found) > 1
    ]


def test_torn_look_alikes_are_found() -> None:
    near = ["00000000ffffffff", "00000000fffffffe", "ffff0000ffff0000", "00000000fffffffd", "ffff0000ffff0001"]
    torn = torn_look_alikes(manifest("abcde", ["train", "train", "val", "test", "val"], near))
    assert set(torn["path"]) <= {"0.jpg", "1.jpg"}
    assert set(torn.select("split", "other_path", "other_split").rows()) == {("train", "3.jpg", "test")}
