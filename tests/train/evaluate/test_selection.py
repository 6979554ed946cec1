"""What is in training is never reported, whichever way a detector remembers what it was trained on."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.common.errors import TrainError
from train.evaluate.selection import (
    mark_pairs,
    mark_seen,
    pairs_of_recipe,
    rows_in_training,
    rows_to_report,
    rows_to_score,
    seen_pairs,
    without_reconstructions,
)
from train.recipe import Data

GENERATORS = ("camera", "gan", "diffusion")
SOURCES = ("a", "b", "c")
SPLITS = ("train", "val", "test")
DATA = Data(view="resize(96)", generators=("camera", "gan"), held_out=("c",))

cells = st.tuples(st.sampled_from(GENERATORS), st.sampled_from(SOURCES), st.sampled_from(SPLITS))
# What every recipe needs, so that most drawn tables have a selection; the rest is drawn.
NEEDED = [(generator, "a", split) for generator in ("camera", "gan") for split in SPLITS]


def table(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["generator", "source", "split"], orient="row")
    label = pl.when(pl.col("generator") == "camera").then(pl.lit("real")).otherwise(pl.lit("fake"))
    return frame.with_columns(label=label, path=pl.int_range(pl.len()).cast(pl.String))


@given(st.lists(cells, max_size=60))
@settings(deadline=None)
def test_no_reported_row_shares_its_pair_with_a_training_row_of_another_split(rows: list[tuple[str, str, str]]) -> None:
    frame = table([*NEEDED, ("camera", "c", "test"), *rows])
    marked = mark_seen(frame, DATA)
    assert marked.drop("seen").equals(frame), "nothing but the column is added, and the order is kept"
    trained = {row[:2] for row in frame.select("generator", "source", "split").iter_rows() if row[2] == "train"}
    for generator, source, split, seen in marked.select("generator", "source", "split", "seen").iter_rows():
        chosen = generator in DATA.generators and source not in DATA.held_out
        assert seen == (chosen and (generator, source) in trained), (generator, source, split)
    scored, report = set(rows_to_score(marked)["path"]), set(rows_to_report(marked)["path"])
    fitted = {split: set(rows_in_training(marked, split)["path"]) for split in SPLITS}  # type: ignore[arg-type]
    assert report <= scored
    assert not scored & fitted["train"]
    assert not report & (fitted["train"] | fitted["val"])
    assert scored | fitted["train"] == set(frame["path"]) == report | fitted["train"] | fitted["val"]


@given(st.lists(cells, max_size=60), st.lists(cells, min_size=1, max_size=40))
@settings(deadline=None)
def test_on_another_manifest_the_pairs_decide_and_not_its_splits(
    rows: list[tuple[str, str, str]], other: list[tuple[str, str, str]]
) -> None:
    pairs = pairs_of_recipe(table([*NEEDED, ("camera", "c", "test"), *rows]), DATA)
    foreign = mark_pairs(table(other), pairs)
    assert foreign["seen"].to_list() == [row[:2] in pairs for row in other]
    assert set(seen_pairs(foreign)) == {row[:2] for row in other} & set(pairs)


def test_halves_of_two_pairs_are_no_pair() -> None:
    marked = mark_pairs(
        table([("camera", "a", "train"), ("gan", "b", "train"), ("gan", "a", "test")]),
        [
            ("camera", "a"),
            ("gan", "b"),
        ],
    )
    assert marked["seen"].to_list() == [True, True, False]


def test_a_recipe_that_leaves_a_class_without_a_picture_is_refused() -> None:
    frame = table([*NEEDED[:3], ("gan", "a", "train"), ("gan", "a", "test"), ("camera", "c", "test")])
    with pytest.raises(TrainError, match="no fake picture in the split 'val'"):
        pairs_of_recipe(frame, DATA)


def test_reconstructions_count_only_where_there_are_no_other_fakes() -> None:
    frame = pl.DataFrame({"label": ["real", "fake", "fake"], "family": ["camera", "gan", "reconstruction"]})
    assert without_reconstructions(frame)["family"].to_list() == ["camera", "gan"]
    only = frame.filter(pl.col("family") != "gan")
    assert without_reconstructions(only).equals(only)
