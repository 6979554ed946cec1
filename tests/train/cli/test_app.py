"""Help, version and completion as a person meets them; a base install that lacks an extra says which one."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fauxlens import VERBS, app
from train.cli.app import VerbEntry, VerbGroup
from train.cli.data.verbs import DATA_VERBS
from train.cli.terminal import verb
from train.common.extras import EXTRAS, install_command, missing_sentence
from train.common.version import VERSION

ROOT = Path(__file__).parents[3]


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    if isinstance(command, VerbGroup):
        for name in command.commands:
            yield from _commands(command.load(name), (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(app)))


def _help(*words: str, option: str = "--help") -> str:
    done = CliRunner().invoke(app, [*words, option], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_speaks_of_words_and_not_of_python(words: tuple[str, ...]) -> None:
    shown = _help(*words)
    assert not re.findall(r"<[a-z][\w\[\], ]*>|list\[", shown)
    assert not re.findall(r"default: \(|\{\w+\}", shown)
    assert _help(*words, option="-h") == shown


@pytest.mark.parametrize("entries", [VERBS, DATA_VERBS], ids=["fauxlens", "data"])
def test_a_list_of_verbs_shows_what_each_says_of_itself(entries: Mapping[str, VerbEntry]) -> None:
    path = () if entries is VERBS else ("data",)
    for name, entry in entries.items():
        command = COMMANDS[*path, name]
        assert command.name in (name, None, ""), entry.where
        assert entry.summary == " ".join(command.help.split("\n\n")[0].split()), name


@pytest.mark.parametrize(
    ("words", "imported"),
    [
        (["--help"], []),
        (["data", "--help"], ["train.cli.data.verbs"]),
        (["data", "list", "--help"], ["train.cli.data.verbs", "train.cli.data.list"]),
        (["web", "--help"], ["export.cli.web"]),
    ],
    ids=" ".join,
)
def test_only_the_verb_that_is_asked_for_is_imported(words: list[str], imported: list[str]) -> None:
    places = [entry.where.partition(":")[0] for entry in (*VERBS.values(), *DATA_VERBS.values())]
    probe = f"""
import sys, fauxlens
sys.argv = ["fauxlens", *{words}]
try:
    fauxlens.main()
finally:
    print(*[name for name in {places} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert sorted(done.stderr.split()) == sorted(imported)


def _takes_text(param: Any) -> bool:
    return not getattr(param, "is_flag", False) and not getattr(param, "count", False) and param.default != ""


EMPTY = [
    (words, param.opts[0] if param.param_type_name == "option" else "")
    for words, command in COMMANDS.items()
    if not isinstance(command, VerbGroup)
    for param in command.params
    if _takes_text(param)
]


@pytest.mark.parametrize(("words", "option"), EMPTY, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_an_empty_word_is_wrong_usage(words: tuple[str, ...], option: str) -> None:
    command = COMMANDS[words]
    needed = [
        word
        for param in command.params
        if param.required
        for word in ([param.opts[0], "7"] if param.param_type_name == "option" else ["7"] * max(1, param.nargs))
    ]
    given = [*needed, option, ""] if option else [""] * max(1, len(needed))
    with pytest.raises(typer.BadParameter):
        command.make_context(words[-1], given)


def test_help_comes_before_an_empty_word() -> None:
    assert _help("detect", "") == _help("detect")


def test_verbs_are_listed_in_the_order_of_use() -> None:
    shown = _help()
    places = [shown.index(f"│ {name} ") for name in VERBS]
    assert places == sorted(places)
    data = _help("data")
    order = [data.index(f"│ {name} ") for name in ("list", "get", "scan", "faces", "audit", "split", "pack")]
    assert order == sorted(order)


def test_data_get_names_the_folder_that_it_makes() -> None:
    assert "[default: runs/data/NAME]" in _help("data", "get")


def test_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"fauxlens {VERSION}\n")
    assert f'"{VERSION}"' in (ROOT / "train" / "common" / "version.py").read_text()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("fauxlens data sc", ["scan"]),
        ("fauxlens thr", ["threshold"]),
        ("fauxlens data scan --tru", ["--trust"]),
        ("fauxlens recipe co", ["copy"]),
    ],
)
def test_a_shell_completes_verbs_and_options(typed: str, offered: list[str]) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_FAUXLENS_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "fauxlens.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == offered


def test_every_extra_is_the_one_of_pyproject() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS) < set(project["optional-dependencies"])
    names = {
        "cv2": "opencv-python-headless",
        "sklearn": "scikit-learn",
        "faiss": "faiss-cpu",
        "pydantic_core": "pydantic",
    }
    for extra, modules in EXTRAS.items():
        wanted = {
            re.split(r"[=<>;~ ]", line)[0].replace("-", "_").lower() for line in project["optional-dependencies"][extra]
        }
        assert {names.get(one, one).replace("-", "_").lower() for one in modules} == wanted


def test_an_absent_package_is_one_sentence_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    @verb()
    def needs_polars() -> None:
        raise ModuleNotFoundError("No module named 'polars'", name="polars.internals")

    with pytest.raises(typer.Exit) as stopped:
        needs_polars()
    assert stopped.value.exit_code == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "polars" in sentence
    assert install_command("train") in sentence
    assert "fauxlens[" not in sentence


def test_a_module_of_ours_that_is_missing_is_a_fault_and_told_as_one() -> None:
    @verb()
    def broken() -> None:
        raise ModuleNotFoundError("No module named 'train.gone'", name="train.gone")

    with pytest.raises(typer.Exit) as stopped:
        broken()
    assert stopped.value.exit_code == 70
    assert missing_sentence("train.gone") is None
    assert missing_sentence(None) is None


def test_tensorflow_on_another_python_names_the_right_one() -> None:
    sentence = missing_sentence("tensorflow", (3, 13))
    assert sentence is not None
    assert "Python 3.11" in sentence
    assert "3.13" in sentence
