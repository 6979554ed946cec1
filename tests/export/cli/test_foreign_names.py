"""Names from strangers reach no terminal and no page as they are: every line of every verb is escaped."""

import ast
import importlib
import os
import shlex
import shutil
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import fauxlens
from export.release import model_card
from train.cli.terminal import command
from train.common.text import harmless, printable

EVIL = "a\nb\x1b[2J\u202ec\t"


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset whose folder, generator and files have such names; the working folder is around it."""
    rng = np.random.default_rng(0)
    for kind in ("real", f"fake/g{EVIL}"):
        (tmp_path / f"d{EVIL}" / kind).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(0, 256, (72 + number, 72, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"d{EVIL}" / kind / f"{number}{EVIL}.png")
        (tmp_path / f"d{EVIL}" / kind / f"broken{EVIL}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / f"d{EVIL}"


def harmful(text: str) -> set[str]:
    return {one for one in text if one not in "\n \N{NO-BREAK SPACE}" and unicodedata.category(one)[0] in "CZ"}


def ran(*words: object, status: int = 0) -> Result:
    done = CliRunner().invoke(fauxlens.app, [str(word) for word in words], prog_name="fauxlens")
    assert done.exit_code == status, done.output
    assert not harmful(done.output), done.output
    assert "a\nb" not in done.output
    return done


@pytest.mark.slow
def test_verbs_of_data_print_no_name_as_it_is(evil: Path, tmp_path: Path) -> None:
    manifest = tmp_path / f"m{EVIL}.csv"
    said = ran("data", "scan", evil, "--out", manifest)
    assert "\\x1b" in said.output
    ran("data", "split", manifest, "folds:2", "--out", tmp_path / f"s{EVIL}")
    ran("data", "audit", manifest, "--out", tmp_path / f"a{EVIL}", status=1)
    page = (tmp_path / f"a{EVIL}" / "audit.html").read_text(encoding="utf-8")
    assert harmful(page) <= {"\t"}
    assert "\\x1b[2J\\u202ec" in page
    ran("data", "pack", manifest, "--view", "square|resize(32)", "--out", tmp_path / f"p{EVIL}")
    ran("recipe", "copy", "all-generators", tmp_path / f"r{EVIL}.toml")
    ran("train", tmp_path / f"r{EVIL}.toml", "--manifest", manifest, status=2)
    ran("compare", tmp_path / f"run{EVIL}", status=2)
    ran("ela", evil / "real", status=2)


@pytest.mark.parametrize("page", ["train.evaluate.report.html", "train.data.audit.html"])
def test_a_page_shows_them_escaped(page: str) -> None:
    environment = importlib.import_module(page)._environment()
    said = environment.from_string('<b title="{{ x }}">{{ x }}</b>{{ x|upper }}{{ 3 }}').render(x=EVIL)
    assert harmful(said) == {"\t"}
    assert "\\x1b[2J\\u202ec" in said


def test_a_model_card_shows_them_escaped() -> None:
    environment = model_card.markdown_environment()
    said = environment.from_string("{{ x|cell }} {{ x|inline }}").render(x=EVIL)
    assert not harmful(said)
    assert "\n" not in said


def test_what_a_command_names_is_what_a_shell_reads() -> None:
    word = f"it's \\ {EVIL}\udcff.csv"
    line = command("data", "scan", word)
    assert printable(line) == line
    bash = shutil.which("bash")
    if bash is None:
        assert shlex.split(command("x", "a b")) == ["fauxlens", "x", "a b"]
        return
    told = subprocess.run([bash, "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True).stdout
    assert told == b"\0".join(map(os.fsencode, ["fauxlens", "data", "scan", word])) + b"\0"


def test_pages_keep_their_line_breaks_and_values() -> None:
    assert harmless("12\N{NO-BREAK SPACE}%") == printable("12\N{NO-BREAK SPACE}%") == "12\N{NO-BREAK SPACE}%"
    assert harmless("a\n\tb\x1b\u202e") == "a\n\tb\\x1b\\u202e"
    assert harmless(3.5) == 3.5


def test_every_verb_prints_its_lines_by_the_function_that_escapes() -> None:
    """Not by itself: a name that is put into a line there would be shown as it is."""
    folders = (Path(fauxlens.__file__).parent / name / "cli" for name in ("train", "export"))
    # The last prints a limit in numbers, before anything of ours is imported.
    apart = ("app.py", "process.py", "limited_memory.py")
    for path in (path for folder in folders for path in folder.glob("*.py") if path.name not in apart):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            if name in ("typer.echo", "print"):
                assert not isinstance(call.args[0], ast.JoinedStr), f"{path}:{call.lineno}"
