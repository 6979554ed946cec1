"""Every verb finds out before its work whether it can write what it was asked for, by one mechanism."""

from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

import fauxlens
from train.cli.app import VerbGroup
from train.cli.outputs import WritePlace, outputs_of
from train.common.errors import FauxlensError

# What verbs read, and what leads to no file of this machine: every other path is a place that is written.
READ = {
    "ablate": {"manifest"},
    "average": {"run", "weights"},
    "benchmark": {"bundle"},
    "compare": {"runs"},
    "data audit": {"manifest"},
    "data croissant": {"manifest"},
    "data faces": {"manifest"},
    "data merge": {"manifests"},
    "data pack": {"manifest"},
    "data reconstruct": {"manifest", "weights"},
    "data scan": {"folder"},
    "data show": {"manifest"},
    "data split": {"manifest", "join"},
    "detect": {"model"},
    "ela": {"files", "model"},
    "embed": {"manifest"},
    "evaluate": {"model", "manifest", "beside", "scores"},
    "explain": {"files", "model", "mean", "local_fakes"},
    "export": {"run", "references", "local_fakes"},
    "loo": {"manifest"},
    "recover": {"model", "manifest"},
    "svm": {"features"},
    "threshold": {"detector", "manifest"},
    "train": {"manifest"},
    "verify": {"bundle", "self_test", "layers", "inputs"},
    "web": {"model"},
}
NEEDED: dict[type, Any] = {Path: Path("absent"), str: "absent"}


def verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every verb, by the words that a person types."""

    def below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:
        for name in group.commands:
            command = group.load(name)
            if isinstance(command, VerbGroup):
                yield from below(command, (*path, name))
            else:
                # Typer's own function around it has other defaults.
                yield " ".join((*path, name)), command.callback.__wrapped__

    return below(typer.main.get_command(fauxlens.app), ())


VERBS = dict(verbs())
PLACES = [(verb, name) for verb, function in VERBS.items() for name in outputs_of(function)]


def test_every_path_is_either_read_or_a_place_that_is_checked() -> None:
    for verb, function in VERBS.items():
        paths = {name for name, hint in get_type_hints(function).items() if "Path" in str(hint)}
        assert paths == READ.get(verb, set()) | set(outputs_of(function)), verb


def call(verb: str, **given: Any) -> None:
    """Call a verb with these parameters; what else it needs is a name that leads nowhere."""
    function = VERBS[verb]
    hints = get_type_hints(function)
    needed = {}
    for name, parameter in signature(function).parameters.items():
        if parameter.default is parameter.empty:
            kind = hints[name]
            needed[name] = [NEEDED[get_args(kind)[0]]] if get_args(kind) else NEEDED[kind]
    function(**(needed | given))


@pytest.mark.parametrize(("verb", "name"), PLACES)
def test_a_place_that_cannot_be_written_is_told_first(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    called, mark = outputs_of(VERBS[verb])[name]
    Path("file").write_text("kept")
    place = Path("file", "below", f"out{(mark.endings or ('',))[0]}")
    with pytest.raises(typer.Exit) as left:
        call(verb, **{name: place})
    assert left.value.exit_code == 2
    # Nothing else was looked at: the inputs are not there either, and of these nobody has spoken.
    assert capsys.readouterr().err.rstrip() == (
        f"{place} cannot be written (Not a directory): name another place with {called}."
    )
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("verb", "name"), PLACES)
def test_a_place_of_another_kind_is_told_first(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _, mark = outputs_of(VERBS[verb])[name]
    place = Path(f"there{(mark.endings or ('',))[0]}")
    place.mkdir() if mark.kind == "file" else place.write_text("kept")
    with pytest.raises(typer.Exit) as left:
        call(verb, **{name: place})
    assert left.value.exit_code == 2
    kind = "is a folder where a file is to be written" if mark.kind == "file" else "is a file where a folder is needed"
    assert f"{place} cannot be written ({kind})" in capsys.readouterr().err
    assert place.is_dir() == (mark.kind == "file")


@pytest.mark.parametrize(("verb", "name"), [(verb, name) for verb, name in PLACES if name == "out"])
def test_a_place_that_was_not_named_is_checked_too(verb: str, name: str) -> None:
    function = VERBS[verb]
    mark = outputs_of(function)[name][1]
    default = signature(function).parameters[name].default
    if default is None and mark.place is None:
        # Nothing is written where these are not given.
        assert verb in {"benchmark", "ela", "web"}
        return
    given = {one: parameter.default for one, parameter in signature(function).parameters.items()}
    given |= {one: Path("in/one.zip") for one in READ.get(verb, ())}
    named = {"card": "sets/mine.toml", "grid": "grids/mine.toml", "recipe": "mine.toml", "pixels": True}
    named["manifests"] = [Path("in/one.part-2-of-3.parquet")]
    place = mark.place(given | named) if mark.place else default
    assert place == {
        "ablate": Path("runs/mine"),
        "data audit": Path("in"),
        "data croissant": Path("in/one.croissant.json"),
        "data faces": Path("in/one.zip"),
        "data get": Path("runs/data/mine"),
        "data merge": Path("in/one.csv"),
        # Where the present folder cannot be written, there are no overlays and the verdicts all the same.
        "detect": None,
        "export": Path("in/one.zip/export"),
        "threshold": Path("one-own.zip"),
        "train": Path("runs/mine"),
    }.get(verb, default)


def invoke(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(fauxlens.app, list(words))
    return done.exit_code, done.stderr.rstrip()


def test_endings_inputs_and_one_place_for_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("m.csv", "b.zip", "a.jpg"):
        Path(name).write_text(name)
    assert invoke("recover", "b.zip", "m.csv", "--out", "rec.txt") == (
        2,
        "rec.txt must end in .h5, the type that --out writes.",
    )
    assert invoke("embed", "facenet", "m.csv", "--out", "f.csv") == (
        2,
        "f.csv must end in .parquet or .npz, the type that --out writes.",
    )
    assert invoke("benchmark", "b.zip", "--out", "b.zip") == (
        2,
        "b.zip is an input of this command: name another place with --out.",
    )
    assert invoke("data", "croissant", "m.csv", "--out", "./m.csv")[1] == (
        "m.csv is an input of this command: name another place with --out."
    )
    assert (
        invoke("detect", "a.jpg", "--csv", "a.jpg")[1]
        == "a.jpg is an input of this command: name another place with --csv."
    )
    assert invoke("detect", "a.jpg", "--csv", "x", "--jsonl", "./x")[1] == (
        "x is named by --csv and by --jsonl: name two files."
    )
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jpg", "b.zip", "m.csv"]
    assert Path("m.csv").read_text() == "m.csv"


FILES = [(verb, name) for verb, name in PLACES if outputs_of(VERBS[verb])[name][1].kind == "file"]
FOLDERS = [place for place in PLACES if place not in FILES]


@pytest.mark.parametrize(("verb", "name"), FILES)
def test_no_verb_writes_one_format_under_another_s_name(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    called, mark = outputs_of(VERBS[verb])[name]
    with pytest.raises(typer.Exit) as left:
        call(verb, **{name: Path("out.xyz")})
    assert left.value.exit_code == 2
    endings = " or ".join(filter(None, mark.endings))
    assert capsys.readouterr().err == f"out.xyz must end in {endings}, the type that {called} writes.\n"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("verb", "name"), FOLDERS)
def test_no_folder_is_made_under_the_name_of_a_file(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    called, _ = outputs_of(VERBS[verb])[name]
    with pytest.raises(typer.Exit) as left:
        call(verb, **{name: Path("out.HTML")})
    assert left.value.exit_code == 2
    told = capsys.readouterr().err
    assert told == f"out.HTML is named like a file, and {called} makes a folder: leave out .HTML.\n"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("data", "scan", "faces", "--out", "m.parquet"),
        ("data", "merge", "a.csv", "b.csv", "--out", "m.parquet"),
        ("data", "faces", "a.csv", "--out", "m.parquet"),
    ],
)
def test_manifests_are_csv(words: tuple[str, ...]) -> None:
    assert invoke(*words) == (2, "m.parquet must end in .csv, the type that --out writes.")


def test_a_marked_parameter_is_one_of_a_verb() -> None:
    def plain(out: Annotated[Path, typer.Option("--out", "-o"), WritePlace("file")], where_to: Path) -> None:
        raise FauxlensError

    assert outputs_of(plain) == {"out": ("--out", WritePlace("file"))}
