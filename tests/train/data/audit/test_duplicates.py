"""Duplicates in a manifest: leaks between splits, conflicts of labels, overlaps of sources."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.data.audit.manifests import change, findings_of, manifest_of
from train.data.audit.audit import AuditLimits, audit
from train.data.audit.duplicates import find_duplicates
from train.data.manifest import SPLITS, Manifest

quick = pytest.mark.usefixtures("without_baselines")


@quick
def test_a_near_duplicate_in_another_split_is_a_leak(clean: Manifest) -> None:
    one, other = clean.frame.row(0, named=True), clean.frame.row(4, named=True)
    assert one["split"] != other["split"]
    torn = change(clean, 4, phash=f"{int(one['phash'], 16) ^ 0b1001:016x}")
    found = audit(torn)
    assert found.duplicates.leaks.count == 1
    assert found.duplicates.leaks.examples == ((one["path"], other["path"]),)
    assert findings_of(found, "leak", "failure")[0].sentence == "1 group of 2 pictures are in more than one split."
    assert audit(torn, limits=AuditLimits(leaks=1)).failures == ()
    assert findings_of(audit(torn, limits=AuditLimits(leaks=None)), "leak", "warning")


@quick
def test_a_torn_group_is_a_leak(clean: Manifest) -> None:
    found = audit(change(clean, 4, group=clean.frame["group"][0]))
    assert found.duplicates.leaks.count == 1
    assert set(found.members["why"]) == {"group"}


@quick
def test_one_content_with_both_labels_is_a_conflict(clean: Manifest) -> None:
    found = audit(change(clean, 1, sha256=clean.frame["sha256"][0]))
    assert found.duplicates.conflicts.count == found.duplicates.exact.count == 1
    assert findings_of(found, "conflict", "failure")


@quick
def test_reconstructions_beside_their_originals_are_no_conflict(clean: Manifest) -> None:
    made = {"family": "reconstruction", "generator": "taesd", "source": "ffhq/taesd"}
    pair = change(clean, 1, phash=clean.frame["phash"][0], group=clean.frame["group"][0], **made)
    found = audit(pair, limits=AuditLimits(mixed_groups=0, source_overlaps=0))
    assert found.failures == ()
    assert (found.duplicates.mixed_groups.count, found.duplicates.declared_pairs.count) == (0, 1)
    assert found.duplicates.source_overlaps.count == 0
    # Of another source, in another group, or made otherwise it is what it looks like.
    assert audit(change(pair, 1, source="other/taesd")).duplicates.source_overlaps.count == 1
    assert audit(change(pair, 1, group="ffff")).duplicates.mixed_groups.count == 1
    assert audit(change(pair, 1, family="edit")).duplicates.mixed_groups.count == 1


@quick
def test_look_alikes_with_both_labels_are_told_unless_a_card_declares_them(clean: Manifest) -> None:
    mixed = change(clean, 1, phash=clean.frame["phash"][0])
    assert audit(mixed).duplicates.mixed_groups.count == 1
    assert findings_of(audit(mixed), "conflict", "warning")
    assert findings_of(audit(mixed, limits=AuditLimits(mixed_groups=0)), "conflict", "failure")
    declared = change(change(mixed, 0, group="face-7"), 1, group="face-7")
    found = audit(declared, limits=AuditLimits(mixed_groups=0))
    assert found.failures == ()
    assert (found.duplicates.mixed_groups.count, found.duplicates.declared_pairs.count) == (0, 1)
    assert audit(change(declared, 1, group="face-8")).duplicates.mixed_groups.count == 1


@quick
def test_one_picture_in_two_sources_is_an_overlap(clean: Manifest) -> None:
    found = audit(
        change(change(clean, 3, sha256=clean.frame["sha256"][1], phash=clean.frame["phash"][1]), 3, split="train")
    )
    assert found.duplicates.source_overlaps.count == 1
    assert findings_of(found, "overlap", "warning")
    assert found.duplicates.source_overlaps.examples == ((clean.frame["path"][1], clean.frame["path"][3]),)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 8), st.sampled_from(SPLITS), st.sampled_from("ab"), st.booleans()),
        min_size=1,
        max_size=24,
    )
)
def test_duplicates_are_those_of_brute_force(rows: list[tuple[int, int, str, str, bool]]) -> None:
    base = manifest_of(len(rows) + 9).frame
    apart = base["phash"].to_list()  # unlike each other
    frame = base.head(len(rows)).with_columns(
        sha256=pl.Series([f"{content:064x}" for content, *_ in rows]),
        phash=pl.Series([apart[look] for _, look, *_ in rows]),
        split=pl.Series([split for _, _, split, *_ in rows]),
        source=pl.Series([source for *_, source, _ in rows]),
        label=pl.Series(["fake" if fake else "real" for *_, fake in rows]),
    )
    found, members = find_duplicates(frame)
    clusters: list[set[int]] = []
    for row, (content, look, *_) in enumerate(rows):
        alike = [c for c in clusters if any(rows[o][0] == content or rows[o][1] == look for o in c)]
        clusters = [c for c in clusters if c not in alike] + [set.union({row}, *alike)]
    several = [[rows[row] for row in cluster] for cluster in clusters if len(cluster) > 1]
    assert found.near.count == sum(len({row[0] for row in cluster}) > 1 for cluster in several)
    assert found.leaks.count == sum(len({row[2] for row in cluster}) > 1 for cluster in several)
    assert found.source_overlaps.count == sum(len({row[3] for row in cluster}) > 1 for cluster in several)
    assert found.leaks.largest == max((len(c) for c in several if len({row[2] for row in c}) > 1), default=0)
    contents = [[row for row in rows if row[0] == content] for content in range(6)]
    assert found.exact.count == sum(len(same) > 1 for same in contents)
    assert found.conflicts.count == sum(len({row[4] for row in same}) > 1 for same in contents)
    assert members.height == sum(map(len, several))


def test_a_dense_cluster_stays_small_in_the_report(clean: Manifest) -> None:
    frame = clean.frame.with_columns(phash=pl.lit(clean.frame["phash"][0]))
    found, members = find_duplicates(frame)
    assert (found.near.count, found.near.largest, members.height) == (1, 240, 240)
    assert sum(map(len, found.near.examples)) == 5
