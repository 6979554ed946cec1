"""Other splits for a manifest: whatever is asked for, nothing that looks alike is torn apart."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.groups import MAX_DISTANCE
from train.data.manifest import SCHEMA, SPLITS, Manifest
from train.data.resplit import Fold, LeaveOut, SplitSpec, join_groups, name_of, parse_split_specs, resplit, resplit_all
from train.data.splits import USUAL, Shares, split_of, torn_groups, torn_look_alikes

ROW: dict[str, Any] = {
    "path": "a.jpg", "sha256": "a" * 64, "phash": "0" * 16, "width": 4, "height": 3, "format": "JPEG",
    "jpeg_quality": 75, "bytes": 99, "label": "real", "generator": "camera", "family": "camera", "source": "s",
    "group": "g", "split": "train", "faces": None, "eye_x": None, "eye_y": None, "eye_distance": None,
}  # fmt: skip
BALANCED = 0x00000000FFFFFFFF
GENERATORS = {
    "camera": ("real", "camera"),
    "gan-a": ("fake", "gan"),
    "gan-b": ("fake", "gan"),
    "sd": ("fake", "diffusion"),
}
# Two groups that the usual split gives to training, so that no class is ever missing there.
KEPT = [
    {"group": "ffhq:17", "sha256": "e" * 64, "source": "kept", "path": "kept/real.jpg"},
    {
        "group": "p7",
        "sha256": "f" * 64,
        "source": "kept",
        "path": "kept/fake.jpg",
        "label": "fake",
        "generator": "kept",
    },
]


def manifest(*rows: dict[str, Any]) -> Manifest:
    named = [ROW | {"path": f"{number}.jpg"} | row for number, row in enumerate(rows)]
    return Manifest(pl.DataFrame(named, schema=SCHEMA), Path("pictures"))


def picture(content: int, bits: list[int], group: int, generator: str, split: str) -> dict[str, Any]:
    """A picture whose hash follows from its content: variants of one of four, so that there are chains."""
    phash = BALANCED << (8 * (content % 4))
    for bit in bits:
        phash ^= 1 << bit
    label, family = GENERATORS[generator]
    return {
        "sha256": f"{content * 64 + sum(bits):064x}",
        "phash": f"{phash:016x}",
        "group": f"s:{group}" if group % 2 else f"{group:016x}",
        "generator": generator,
        "label": label,
        "family": family,
        "source": f"source of {generator}",
        "split": split,
    }


PICTURE = st.builds(
    picture,
    st.integers(0, 40),
    st.lists(st.integers(0, 63), max_size=4),
    st.integers(0, 12),
    st.sampled_from(sorted(GENERATORS)),
    st.sampled_from(SPLITS),
)
EACH = [
    {
        "generator": name,
        "label": label,
        "family": family,
        "source": f"source of {name}",
        "group": name,
        "sha256": digit * 64,
    }
    for digit, (name, (label, family)) in zip("abcd", GENERATORS.items(), strict=True)
]
MANIFEST = st.lists(PICTURE, max_size=25).map(lambda rows: manifest(*rows, *KEPT, *EACH))
SHARES = st.builds(Shares, st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
FOLD = st.integers(2, 7).flatmap(lambda count: st.builds(Fold, st.integers(1, count), st.just(count)))
LEAVE_OUT = st.one_of(
    st.builds(
        LeaveOut,
        st.lists(st.sampled_from(["gan-a", "gan-b", "sd", "camera"]), min_size=1, max_size=3, unique=True).map(tuple),
        st.just("generator"),
        st.sampled_from(["test", "drop"]),
    ),
    st.builds(LeaveOut, st.just(("gan",)), st.just("family"), st.sampled_from(["test", "drop"])),
    st.builds(LeaveOut, st.just(("source of sd",)), st.just("source"), st.sampled_from(["test", "drop"])),
)


def split_or_none(given: Manifest, how: SplitSpec) -> Manifest | None:
    """Split, or None where too little is left to train on, as the kept pictures may be tied to those left out."""
    try:
        return resplit(given, how)
    except DataError as error:
        if isinstance(how, Fold):
            assert re.search(r"folds need as many|No group falls into fold|is left to train on", str(error))
        else:
            assert isinstance(how, LeaveOut)
            assert "is left to train on" in str(error)
        return None


@given(start=MANIFEST, how=st.one_of(SHARES, FOLD, LEAVE_OUT))
def test_nothing_that_looks_alike_is_torn_apart(start: Manifest, how: SplitSpec) -> None:
    found = split_or_none(start, how)
    if found is None:
        return
    assert torn_groups(found).is_empty()
    assert torn_look_alikes(found).is_empty()
    rows = found.frame.rows(named=True)
    for one, other in combinations(rows, 2):
        apart = (int(one["phash"], 16) ^ int(other["phash"], 16)).bit_count()
        flat = not 24 <= int(one["phash"], 16).bit_count() <= 40 or not 24 <= int(other["phash"], 16).bit_count() <= 40
        if one["sha256"] == other["sha256"] or (apart <= MAX_DISTANCE and not flat):
            assert one["split"] == other["split"]
    # Nothing else than group and split changes, and what a group had in common it still has.
    same = start.frame.drop("group", "split").join(
        found.frame.select("path"), on="path", maintain_order="left", how="semi"
    )
    assert found.frame.drop("group", "split").equals(same)
    before = dict(start.frame.select("path", "group").iter_rows())
    now = dict(found.frame.select("path", "group").iter_rows())
    for one, other in combinations(now, 2):
        assert before[one] != before[other] or now[one] == now[other]


@given(start=MANIFEST, count=st.integers(2, 7))
def test_every_picture_is_in_test_in_one_fold(start: Manifest, count: int) -> None:
    specs = parse_split_specs(f"folds:{count}", start)
    assume(all(split_or_none(start, how) for how in specs))
    found = list(resplit_all(start, specs))
    assert [name for name, _ in found] == [f"fold-{number}-of-{count}" for number in range(1, count + 1)]
    tested = Counter(path for _, fold in found for path in fold.frame.filter(split="test")["path"])
    assert tested == Counter(start.frame["path"])
    for number, (_, fold) in enumerate(found, 1):
        assert fold.frame.equals(resplit(start, Fold(number, count)).frame)


@given(start=MANIFEST, how=LEAVE_OUT)
def test_what_is_left_out_is_in_test_only(start: Manifest, how: LeaveOut) -> None:
    found = split_or_none(start, how)
    if found is None:
        return
    left_out = pl.col(how.column).is_in(how.names)
    assert set(found.frame.filter(left_out)["split"]) <= {"test"}
    usual = resplit(start, USUAL).frame
    groups_with = set(usual.filter(left_out)["group"])
    now = {row["path"]: row["split"] for row in found.frame.iter_rows(named=True)}
    for row in usual.iter_rows(named=True):
        is_left_out, alone = (
            row[how.column] in how.names,
            all(usual.filter(group=row["group"]).select(left_out).to_series()),
        )
        if row["group"] not in groups_with:
            expected = row["split"]
        elif how.mixed == "test" or alone:
            expected = "test"
        else:
            expected = row["split"] if row["split"] == "test" or not is_left_out else None
        assert now.get(row["path"]) == expected


def with_added(old: Manifest, rows: list[dict[str, Any]]) -> Manifest:
    added = manifest(*rows).frame.with_columns(path="new/" + pl.col("path"))
    return Manifest(pl.concat([old.frame, added]), old.folder)


@given(old=MANIFEST, added=st.lists(PICTURE, max_size=10), how=st.one_of(SHARES, FOLD))
def test_adding_pictures_moves_no_group(old: Manifest, added: list[dict[str, Any]], how: SplitSpec) -> None:
    first, second = split_or_none(old, how), split_or_none(with_added(old, added), how)
    assume(first is not None and second is not None)
    assert first is not None and second is not None
    before, after = first.frame, second.frame.head(old.frame.height)
    # Only where an added picture ties groups together may they move, and then they have another name.
    for then, now in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        assert then["group"] != now["group"] or then["split"] == now["split"]
    apart = [
        row | {"group": f"new {row['group']}", "sha256": f"9{row['sha256'][1:]}", "phash": "0" * 16} for row in added
    ]
    third = split_or_none(with_added(old, apart), how)
    assert third is None or third.frame.head(old.frame.height).equals(before)


def test_usual_shares_are_those_of_a_scan() -> None:
    rows = [{"group": f"person {number}", "sha256": f"{number:064x}"} for number in range(200)]
    found = resplit(manifest(*rows), USUAL).frame
    assert found["split"].to_list() == [split_of(group) for group in found["group"]]


def test_folds_are_of_nearly_equal_size_and_validate_on_different_groups() -> None:
    rows = [{"group": f"person {number}", "sha256": f"{number:064x}"} for number in range(5000)]
    found = [
        fold.frame["split"] for _, fold in resplit_all(manifest(*rows), [Fold(number, 5) for number in range(1, 6)])
    ]
    for splits in found:
        share = {split: (splits == split).mean() for split in SPLITS}
        assert share == {
            split: pytest.approx(mean, abs=0.02) for split, mean in zip(SPLITS, (0.659, 0.141, 0.2), strict=True)
        }
    in_val = sum((splits == "val").cast(int) for splits in found)
    assert isinstance(in_val, pl.Series)
    # If the five drew the same groups, 18 % would be in validation in four or five of them, not under 1 %.
    assert (in_val >= 4).mean() < 0.01  # type: ignore[operator]


@pytest.mark.parametrize(
    ("count", "groups", "words"),
    [
        (5, 4, "5 folds need as many groups, and the manifest has 4: use fewer folds than 5, or add pictures"),
        (999, 20, "999 folds need as many groups, and the manifest has 20"),
        (19, 20, "No group falls into fold"),
    ],
)
def test_folds_that_would_be_empty_are_refused(count: int, groups: int, words: str) -> None:
    rows = [
        {"group": f"person {number}", "sha256": f"{number:064x}", "label": ("real", "fake")[number % 2]}
        for number in range(groups)
    ]
    start = manifest(*rows, *rows)
    with pytest.raises(DataError, match=words):
        list(resplit_all(start, parse_split_specs(f"folds:{count}", start)))


def test_a_fold_leaves_both_classes_to_train_on() -> None:
    rows = [{"group": f"person {number}", "sha256": f"{number:064x}"} for number in range(40)]
    lonely = {"group": "lonely", "sha256": "f" * 64, "label": "fake", "generator": "gan-a"}
    with pytest.raises(DataError, match="no fake picture is left to train on: use fewer folds"):
        list(resplit_all(manifest(*rows, lonely), [Fold(number, 3) for number in (1, 2, 3)]))


def test_leaving_out_in_pairs() -> None:
    # A photograph and its two edits share a group, as in sets of edited faces.
    paired = [
        {"group": f"person {number}", "sha256": f"{number}{kind}".rjust(64, "0")}
        | {"generator": generator, "label": "real" if generator == "camera" else "fake"}
        for number in range(60)
        for kind, generator in enumerate(("camera", "edit-a", "edit-b"))
    ]
    with pytest.raises(DataError, match=r"Without generator edit-a no real picture is left .*:drop"):
        resplit(manifest(*paired), LeaveOut(("edit-a",)))
    found = resplit(manifest(*paired), LeaveOut(("edit-a",), mixed="drop")).frame
    in_train = found.filter(split="train")
    assert dict(in_train["generator"].value_counts().iter_rows()) == {
        "camera": in_train.height // 2,
        "edit-b": in_train.height // 2,
    }
    in_test = found.filter(split="test")
    assert set(in_test["generator"].value_counts()["count"]) == {in_test.height // 3}


def test_each_generator_that_can_be_spared_is_left_out() -> None:
    rows = [picture(number, [number % 64], 99 + 2 * number, name, "train") for number, name in enumerate(GENERATORS)]
    start = manifest(*rows, *KEPT)
    specs = parse_split_specs("leave-each-out:generator", start)
    assert specs == tuple(LeaveOut((name,)) for name in ("camera", "gan-a", "gan-b", "kept", "sd"))[1:]
    assert parse_split_specs("leave-each-out:family:drop", start)[0] == LeaveOut(("diffusion",), "family", "drop")
    found = dict(resplit_all(start, [how for how in specs if how != LeaveOut(("kept",))]))
    assert list(found) == ["without-gan-a", "without-gan-b", "without-sd"]
    for name, left in found.items():
        assert left.frame.filter(generator=name.removeprefix("without-"))["split"].to_list() == ["test"]
    with pytest.raises(DataError, match="No generator of camera, sd can be left out"):
        parse_split_specs("leave-each-out:generator", manifest({}, {"label": "fake", "generator": "sd"}))


@pytest.mark.parametrize(
    ("text", "how", "name"),
    [
        ("shares:0.8/0.1/0.1", Shares(0.8, 0.1, 0.1), "shares-0.8-0.1-0.1"),
        ("shares:80/0/20", Shares(80, 0, 20), "shares-80-0-20"),
        ("fold:2/5", Fold(2, 5), "fold-2-of-5"),
        ("leave-out:sd", LeaveOut(("sd",)), "without-sd"),
        ("leave-out:sd-2.1,DALL E/3:drop", LeaveOut(("sd-2.1", "DALL E/3"), mixed="drop"), "without-sd-2.1-DALL-E-3"),
        ("leave-out:source=a,b", LeaveOut(("a", "b"), "source"), "without-source-a-b"),
    ],
)
def test_ways_to_split_are_read_and_named(text: str, how: SplitSpec, name: str) -> None:
    assert parse_split_specs(text, manifest({})) == (how,)
    assert name_of(how) == name


@pytest.mark.parametrize(
    "text",
    ["", "fold", "fold:0/5", "fold:6/5", "fold:1/1", "folds:1", "folds:", "shares:0/1/1", "shares:1/1", "shares:1/-1/1",
     "shares:nan/1/1", "leave-out:", "leave-each-out:label", "random", "fold:²/5"],
)  # fmt: skip
def test_other_ways_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(DataError, match="is not a way to split: write shares"):
        parse_split_specs(text, manifest({}))


def test_what_nobody_has_cannot_be_left_out() -> None:
    with pytest.raises(DataError, match=r"No picture has the generator 'gan-z': name one of camera, gan-a\."):
        resplit(manifest({}, {"generator": "gan-a", "label": "fake"}), LeaveOut(("gan-z",)))


def test_what_training_needs_cannot_be_left_out() -> None:
    with pytest.raises(DataError, match=r"source kept, source of camera no real picture is left .*: leave out less\.$"):
        resplit(manifest(*KEPT, *EACH), LeaveOut(("kept", "source of camera"), "source"))


def test_two_splits_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="'without-a-b'"):
        list(resplit_all(manifest({}), [LeaveOut(("a b",)), LeaveOut(("a/b",))]))


@given(start=MANIFEST, data=st.data())
def test_joined_groups_have_one_split(start: Manifest, data: st.DataObject) -> None:
    path = st.sampled_from(start.frame["path"].to_list())
    pairs = data.draw(st.lists(st.tuples(path, path), max_size=8))
    found = join_groups(start, pairs)
    one_by_one = start
    for pair in data.draw(st.permutations(pairs)):
        one_by_one = join_groups(one_by_one, [pair])
    old, new = ({row["path"]: row for row in one.frame.iter_rows(named=True)} for one in (start, found))
    joined = {group for row in new.values() if old[row["path"]]["group"] != (group := row["group"])}
    for one, other in pairs:
        assert new[one]["group"] == new[other]["group"]
    for other_path, row in new.items():
        if row["group"] in joined:
            members = [old[other]["split"] for other in new if new[other]["group"] == row["group"]]
            assert row["split"] == min(members, key=SPLITS.index)
        else:
            assert row == old[other_path]
    assert one_by_one.frame.equals(found.frame)


def test_joining_names_a_path_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"b\.jpg is not in the manifest"):
        join_groups(manifest({"path": "a.jpg"}), [("a.jpg", "b.jpg")])
