"""--part and `data merge` as a person meets them, and what they say to bad input: one sentence, status 2."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fauxlens import app
from train.common.parts import WorkPart, part_path

CUT = b"\xff\xd8\xff\xe0 cut"


def run(*words: object, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": "200"})
    assert done.exit_code == status, done.output
    return done.output


def parts_of(whole: Path, count: int) -> list[Path]:
    return [part_path(whole, WorkPart(number, count)) for number in range(1, count + 1)]


def test_scan_faces_and_pack_in_parts_are_the_whole(tree: Path, tmp_path: Path) -> None:
    (tree / "real" / "cut.jpg").write_bytes(CUT)
    mine, whole = tmp_path / "mine.csv", tmp_path / "whole.csv"
    run("data", "scan", tree, "--out", whole)
    shown = ""
    for number in (1, 2, 3):
        shown += run("data", "scan", tree, "--out", mine, "--part", f"{number}/3")
    assert not mine.exists()
    assert shown.count("fauxlens data merge") == 3
    assert shown.count(" 1 skipped -> ") == 1
    said = run("data", "merge", *parts_of(mine, 3))
    assert "60 pictures ->" in said
    assert "1 skipped, listed with reasons in " in said
    assert mine.read_bytes() == whole.read_bytes()
    assert (tmp_path / "mine.skipped.csv").read_bytes() == (tmp_path / "whole.skipped.csv").read_bytes()

    run("data", "faces", whole, "--workers", 1)
    for number in (1, 2):
        document = json.loads(run("data", "faces", mine, "--workers", 1, "--part", f"{number}/2", "--json"))
        assert document["part"] == f"{number}/2"
        assert document["rows"] > 0
    run("data", "merge", *parts_of(mine, 2))
    assert mine.read_bytes() == whole.read_bytes()

    view = ("--view", "square|resize(8)")
    run("data", "pack", whole, *view, "--out", tmp_path / "one")
    for number in (1, 2):
        run("data", "pack", mine, *view, "--out", tmp_path / "two", "--part", f"{number}/2")
    run("data", "merge", *(tmp_path / "two").glob("*.parquet"))
    (store,) = [path for path in (tmp_path / "one").iterdir() if path.is_dir()]
    assert (tmp_path / "two" / store.name / "pixels.npy").read_bytes() == (store / "pixels.npy").read_bytes()


@pytest.mark.parametrize("text", ["0/4", "5/4", "x/y", "3"])
@pytest.mark.parametrize(
    "verb",
    [
        ("data", "scan", "faces"),
        ("data", "faces", "m.csv"),
        ("data", "pack", "m.csv", "--view", "resize(8)"),
        ("data", "reconstruct", "m.csv", "--out", "made"),
        ("evaluate", "m.tflite", "m.csv"),
        ("loo", "m.csv"),
    ],
    ids=" ".join,
)
def test_a_part_that_is_none_is_one_sentence(
    verb: tuple[str, ...], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*verb, "--part", text, status=2) == (
        f"--part {text} is not i/n with i from 1 to n: write 2/3 for the second of three parts.\n"
    )
    assert not any(tmp_path.iterdir())


def test_what_is_no_whole_is_not_merged(tree: Path, tmp_path: Path) -> None:
    for name, parts in (("a", ("1/2", "2/2")), ("b", ("1/3",))):
        for part in parts:
            run("data", "scan", tree, "--out", tmp_path / f"{name}.csv", "--part", part)
    run("data", "scan", tree, "--out", tmp_path / "whole.csv")
    one, two = parts_of(tmp_path / "a.csv", 2)
    other = parts_of(tmp_path / "b.csv", 3)[0]
    for named, words in (
        ([one], "and 2/2 is missing"),
        ([one, other], "are parts of different datasets"),
        ([one, one], "are both part 1/2"),
        ([one, two, tmp_path / "whole.csv"], "whole.csv is not a part"),
        ([tmp_path / "whole.csv", one, two], "whole.csv is not a part"),
        ([one, tmp_path / "gone.parquet"], "gone.parquet does not exist"),
    ):
        said = run("data", "merge", *named, status=2)
        assert words in said
        assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "a.csv").exists()
    # Nor is a part taken for a manifest.
    assert run("data", "faces", one, "--out", tmp_path / "faces.csv", status=2) == (
        f"{one} is a part, not a manifest: combine all parts with `fauxlens data merge` first.\n"
    )
