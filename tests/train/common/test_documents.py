"""Documents and tables: bounded, regular files only, and one sentence for whatever else is there."""

import os
from pathlib import Path

import polars as pl
import pytest

from train.common.documents import (
    parse_json,
    quote_formula,
    read_bytes,
    read_json,
    read_table,
    read_text,
    read_toml,
    table_bytes,
    unquote_formula,
)
from train.common.errors import DataError

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''=1", "'", "'quoted'", "plain", "", "a=b", '"=1"']


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbfa = "b"\n')
    assert read_toml(path, error=DataError, remedy="mend it") == {"a": "b"}


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"a = " + b"[" * 200_000,
        b"1" * 5_000,
        b"a = " + b"1" * 5_000,
        b"\xff\xfe",
        b"",
        b"a = [1, 2",
        b"\0",
    ],
)
def test_what_is_no_document_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    for read in (read_json, read_toml):
        try:
            read(path, error=DataError, remedy="mend it")
        except DataError as error:
            assert str(error).endswith(": mend it.")
            assert "\n" not in str(error)
            assert len(str(error)) < 400


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"12345")
    for name in ("pipe", "large", "."):
        with pytest.raises(DataError, match="mend it"):
            read_bytes(tmp_path / name, error=DataError, remedy="mend it", limit=4)
    with pytest.raises(DataError, match="device or a pipe"):
        read_bytes(Path("/dev/zero"), error=DataError, remedy="mend it")
    with pytest.raises(DataError, match="cannot be read"):
        read_bytes(Path("a\0b"), error=DataError, remedy="mend it")


def test_strict_json_has_each_key_once_and_no_constants() -> None:
    for text in ('{"a": 1, "a": 2}', "NaN", "[Infinity]"):
        with pytest.raises(ValueError, match=r"twice|not a JSON number"):
            parse_json(text)
        parse_json(text, strict=False)


def test_formulas_are_quoted_for_spreadsheets_and_come_back(tmp_path: Path) -> None:
    frame = pl.DataFrame({"=head": FORMULAS, "number": [float(-n) for n in range(len(FORMULAS))]})
    written = table_bytes(frame)
    path = tmp_path / "t.csv"
    path.write_bytes(written)
    back = read_table(path, error=DataError, remedy="mend it")
    assert back["=head"].fill_null("").to_list() == FORMULAS
    for text in FORMULAS:
        assert unquote_formula(quote_formula(text)) == text
        assert quote_formula(text)[:1] not in tuple("=+-@\t\r")
    # Numbers stay numbers.
    assert back["number"][1] == "-1.0"


def test_brackets_in_a_name_are_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "base[1].csv").write_text("a,b\n1,2\n")
    (tmp_path / "base1.csv").write_text("a,b\n3,4\n")
    assert read_table(tmp_path / "base[1].csv", error=DataError, remedy="mend it").row(0) == ("1", "2")


def test_a_table_of_a_spreadsheet_in_another_country_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path;label\nx.jpg;real\n")
    with pytest.raises(DataError, match="uses semicolons as separator: save it with commas"):
        read_table(path, error=DataError, remedy="mend it")
    path.write_text("path,label\nx.jpg,real\n", encoding="utf-16")
    with pytest.raises(DataError, match="is a table in UTF-16: save it in UTF-8, with commas"):
        read_table(path, error=DataError, remedy="mend it")
    with pytest.raises(DataError, match="is a text in UTF-16: save it in UTF-8"):
        read_text(path, error=DataError, remedy="mend it")


PLAIN = "path,note,size\na.jpg,,1\nb.jpg,ü,\n"


@pytest.mark.parametrize(
    "saved",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.encode() + b"\n\n,,\n",
        b"sep=,\r\n" + PLAIN.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbfSEP=,\n" + PLAIN.encode(),
        b"sep=,\r" + PLAIN.replace("\n", "\r").encode(),
        b'"path","note","size"\n"a.jpg","","1"\n"b.jpg","\xc3\xbc",""\n',
    ],
)
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path: Path, saved: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(saved)
    rows = [{"path": "a.jpg", "note": None, "size": "1"}, {"path": "b.jpg", "note": "ü", "size": None}]
    assert read_table(path, error=DataError, remedy="mend it").to_dicts() == rows


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (PLAIN.replace(",", ";").encode(), "uses semicolons as separator: save it with commas"),
        (PLAIN.replace(",", "|").encode(), "uses vertical bars as separator: save it with commas"),
        (PLAIN.encode("utf-16"), "is a table in UTF-16: save it in UTF-8, with commas"),
        (PLAIN.encode("latin-1"), "is not a table in UTF-8: save it in UTF-8, with commas"),
        (b"PK\3\4" + bytes(100), "is a spreadsheet or another archive, not a table in text: save it as CSV"),
    ],
)
def test_a_table_that_is_saved_otherwise_is_told_how_to_be(tmp_path: Path, saved: bytes, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(saved)
    with pytest.raises(DataError, match=said):
        read_table(path, error=DataError, remedy="mend it")
