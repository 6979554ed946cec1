"""Tables in a terminal of any width: whole numbers and names."""

import re

import pytest

from train.cli.table_layout import column_widths, natural_width
from train.cli.terminal import print_table

LONG = "a-very-long-generator-name-of-a-community-checkpoint-v2.5"
COLUMNS = ("generator", "AUC", "false alarms", "pictures")
ROWS = [
    *((f"gen{number:02d}", "0.908 [0.859, 0.950] 19 %", "2.4 % [0.4, 12.3]", "1,234,567") for number in range(25)),
    (LONG, "0.768* [0.656, 0.855] 14 %", "–", "9"),
    ("猫の生成器", "–", "[brackets] are text", "10"),
]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 300])
def test_nothing_is_cut(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table("Figures", COLUMNS, ROWS)
    shown = capsys.readouterr().out
    assert "…" not in shown
    words = [word for row in (COLUMNS, *ROWS) for cell in row for word in cell.split() if word != LONG]
    found = re.split(r"[\s│┃┏┗┡└━─┼╇┳┴┓┩┘]+", shown)
    assert not set(words) - {*found, *(word.rstrip(":") for word in found)}
    # A name that is longer than its column goes on below itself, in the first column of the table or as it is.
    lines = [re.split("[│┃]", line) for line in shown.splitlines()]
    first = "".join(line[1].strip() if len(line) > 2 else line[0] for line in lines)
    assert LONG in first


def test_columns_are_as_wide_as_their_lines_where_there_is_room() -> None:
    rows = [("name", "one two\nthree"), ("a", "b")]
    assert column_widths(("n", "text"), rows, 80) == (4, 7)
    # 3 letters of border a column, and 1.
    assert column_widths(("n", "text"), rows, 4 + 7 + 7) == (4, 7)
    assert column_widths(("n", "text"), rows, 4 + 5 + 7) == (4, 5)
    assert column_widths(("n", "text"), rows, 4 + 5 + 7 - 1) is None
    assert natural_width(rows) == 4 + 7 + 7


def test_room_goes_to_the_short_columns_first() -> None:
    rows = [(LONG, "1 2 3", "x" * 16)]
    assert column_widths(("a", "b", "c"), rows, 80) == (80 - 10 - 5 - 16, 5, 16)
