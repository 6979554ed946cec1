"""Part files: what was written is read, and parts that do not belong together are refused with their names."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.common.parts import WorkPart, part_path
from train.data.part_files import (
    PLACE,
    PartFile,
    PartVerb,
    counts_of_part,
    is_part,
    read_all_parts,
    read_part,
    rows_in_place,
    write_part,
)

FRAME = pl.DataFrame({"path": ["a.jpg", "b.jpg"], "why": [None, "b.jpg is cut."]})


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(number: int, count: int = 3, verb: PartVerb = "scan", name: str = "m", **facts: object) -> Path:
        path = part_path(tmp_path / f"{name}.csv", WorkPart(number, count))
        write_part(path, verb, WorkPart(number, count), {"card": "c", **facts}, FRAME)
        return path

    return write


def test_a_part_is_read_as_it_was_written(written: Callable[..., Path]) -> None:
    path = written(2, labels=["real"])
    found = read_part(path)
    assert (found.verb, found.part, found.facts) == ("scan", WorkPart(2, 3), {"card": "c", "labels": ["real"]})
    assert found.frame.equals(FRAME)
    assert counts_of_part(found) == (1, 1)
    before = path.read_bytes()
    assert written(2, labels=["real"]).read_bytes() == before


def test_all_parts_come_in_their_order(written: Callable[..., Path]) -> None:
    paths = [written(number) for number in (3, 1, 2)]
    assert [one.part.number for one in read_all_parts(paths)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([(2, {}), (3, {"card": "d"})], r"different datasets \(they differ in card\)"),
        ([(2, {}), (3, {"labels": []})], r"different datasets \(they differ in labels\)"),
        ([(2, {}), (3, {"count": 4})], r"different datasets \(part 1/3 and part 3/4\)"),
        ([(2, {}), (3, {"verb": "faces"})], r"different datasets \(of scan and of faces\)"),
        ([(2, {})], r"is one of 3 parts, and 3/3 is missing: make all parts with --part and name them all"),
        ([(2, {}), (3, {}), (2, {"name": "n"})], r"m\.part-2-of-3\.parquet and .*n\.part-2-of-3.* are both part 2/3"),
    ],
)
def test_parts_that_are_no_whole_are_refused(
    others: list[tuple[int, dict[str, object]]], words: str, written: Callable[..., Path]
) -> None:
    paths = [written(1), *(written(number, **options) for number, options in others)]
    with pytest.raises(DataError, match=words):
        read_all_parts(paths)


def test_what_is_no_part_is_refused(written: Callable[..., Path], tmp_path: Path) -> None:
    path = written(1, 1)
    manifest, table, cut = tmp_path / "m.csv", tmp_path / "t.parquet", tmp_path / "cut.parquet"
    manifest.write_text("path\na.jpg\n")
    FRAME.write_parquet(table)
    cut.write_bytes(path.read_bytes()[:-40])
    newer = tmp_path / "newer.parquet"
    FRAME.write_parquet(newer, metadata={"fauxlens_part": json.dumps({"format": 2})})
    assert [is_part(one) for one in (path, manifest, table, cut, tmp_path / "gone")] == [True, *[False] * 4]
    for other in (manifest, table, cut):
        with pytest.raises(DataError, match=f"{other} is not a part made with --part"):
            read_all_parts([path, other])
    with pytest.raises(DataError, match="not a part that this version of Fauxlens reads"):
        read_all_parts([newer])
    with pytest.raises(DataError, match="does not exist: check the spelling"):
        read_all_parts([path, tmp_path / "gone"])
    with pytest.raises(DataError, match="is an incomplete part: make the part again with --part"):
        read_part(cut)


@given(st.permutations(range(12)), st.lists(st.integers(1, 3), min_size=12, max_size=12))
def test_rows_of_all_parts_get_the_order_of_the_whole(order: list[int], owners: list[int]) -> None:
    frame = pl.DataFrame({PLACE: order, "path": [f"{place:02}" for place in order]})
    rows = pl.concat([frame.filter(pl.Series(owners) == number) for number in (1, 2, 3)])
    parts = [read_of({"rows": 12})]
    assert rows_in_place(rows, parts)["path"].to_list() == [f"{place:02}" for place in range(12)]
    for wrong in (rows.head(11), pl.concat([rows, rows.head(1)]), pl.concat([rows.head(11), rows.head(1)])):
        with pytest.raises(DataError, match="do not make up the 12 rows of the whole, each once"):
            rows_in_place(wrong, parts)


def read_of(facts: dict[str, object]) -> PartFile:
    return PartFile(Path("m.part-1-of-3.parquet"), "faces", WorkPart(1, 3), facts, FRAME)
