"""Parts: every machine knows its own, each thing is in one of them, and a bad --part is one sentence."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.common.parts import ALL, WorkPart, all_parts, parse_part, part_path, whole_stem

COUNTS = st.integers(1, 40)


@given(st.text() | st.binary().map(lambda name: name.decode("utf-8", "surrogateescape")), COUNTS)
def test_each_key_is_in_exactly_one_part(key: str, count: int) -> None:
    # Any Python text, also one with a lone surrogate of a name that is no UTF-8.
    try:
        key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    assert sum(WorkPart(number, count).has(key) for number in range(1, count + 1)) == 1
    assert ALL.has(key)


def test_parts_are_the_same_for_ever_and_about_equally_large() -> None:
    # Machines of another version must agree: these are sha256 of "part:real/7.jpg" and so on, modulo 4, by hand.
    assert [next(n for n in range(1, 5) if WorkPart(n, 4).has(key)) for key in ("real/7.jpg", "a", "")] == [3, 4, 2]
    sizes = [sum(WorkPart(number, 4).has(f"{index}.jpg") for index in range(4000)) for number in range(1, 5)]
    assert sum(sizes) == 4000
    assert min(sizes) > 900


@given(COUNTS.flatmap(lambda count: st.tuples(st.integers(1, count), st.just(count))))
def test_a_part_is_read_as_it_is_written(numbers: tuple[int, int]) -> None:
    part = WorkPart(*numbers)
    assert parse_part(str(part)) == part
    assert whole_stem(part_path(Path("set/my.faces.csv"), part)) == "my.faces"
    assert part_path(Path("set/m.csv"), part).parent == Path("set")


@pytest.mark.parametrize("text", ["0/4", "5/4", "x/y", "1", "1/0", "-1/2", "1/2/3", "", "1/99999", "٣/٤", "1 /2"])
def test_what_is_no_part_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match=r"is not i/n with i from 1 to n: write 2/3 for the second of three parts\.$"):
        parse_part(text)


def test_a_shell_finds_all_parts(tmp_path: Path) -> None:
    folder = tmp_path / "it's mine"
    folder.mkdir()
    parts = [WorkPart(number, 3) for number in (1, 2, 3)]
    for part in (*parts, WorkPart(1, 2)):
        part_path(folder / "m.csv", part).touch()
    pattern = all_parts(part_path(folder / "m.csv", parts[1]), parts[1])
    shown = subprocess.check_output(["sh", "-c", f"printf '%s\\n' {pattern}"])
    assert shown.decode().splitlines() == [str(part_path(folder / "m.csv", part)) for part in parts]
