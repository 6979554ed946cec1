"""Files of fixed names that somebody else has in a folder, or under the name of a manifest, are not overwritten."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fauxlens
from tests.train.cli.test_outputs import VERBS
from train.cli.outputs import outputs_of
from train.common.own_files import AUDIT, EXPORTED, REPORT, foreign_file, remove_own

# What each verb finds in its place, named by somebody else, and the parameters that let it write there.
NAMED = {
    "evaluate": ("report.csv", "m.zip m.csv --out place"),
    "svm": ("svm.json", "f.npz --out place"),
    "data audit": ("copies.csv", "m.csv --out place"),
    "loo": ("loo.csv", "m.csv --out place"),
    "ablate": ("ablation.html", "backbones --out place"),
    "export": ("bundle.zip", "run --out place"),
    "explain": ("mean-heatmaps.png", "--mean m.csv --out place"),
    "benchmark": ("mine.json", "b.zip --out place/mine.json"),
    "compare": ("mine.svg", "a b --against fit.seed=1 --figure place/mine.svg"),
    "data croissant": ("mine.json", "m.csv --out place/mine.json"),
    "data show": ("mine.png", "m.csv --out place/mine.png"),
    "detect": ("mine.csv", "a.jpg --csv place/mine.csv"),
    "embed": ("mine.npz", "facenet m.csv --out place/mine.npz"),
    "recover": ("mine.h5", "d.tflite m.csv --out place/mine.h5"),
    "threshold": ("mine.zip", "b.zip m.csv --recall 90% --out place/mine.zip"),
    "data scan": ("mine.csv", "set --out place/mine.csv"),
    "data faces": ("mine.csv", "m.csv --out place/mine.csv"),
    "data merge": ("mine.csv", "m.csv n.csv --out place/mine.csv"),
}


def test_every_verb_that_names_files_itself_is_tried() -> None:
    naming = {verb for verb, function in VERBS.items() if any(mark.owned for _, mark in outputs_of(function).values())}
    assert naming == set(NAMED)


@pytest.mark.parametrize("verb", NAMED)
def test_a_file_of_somebody_else_is_told_first_and_kept(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, words = NAMED[verb]
    Path("place").mkdir()
    Path("place", name).write_text("day,sum\nMonday,3\n")
    done = CliRunner().invoke(fauxlens.app, [*verb.split(), *words.split()])
    option = next(word for word in reversed(words.split()) if word.startswith("--"))
    assert (done.exit_code, done.stderr.rstrip()) == (
        2,
        f"place/{name} is there already and not of Fauxlens, and would be overwritten: name another place with "
        f"{option}.",
    )
    assert Path("place", name).read_text() == "day,sum\nMonday,3\n"
    assert [one.name for one in Path("place").iterdir()] == [name]


def test_what_is_empty_or_our_own_makes_room(tmp_path: Path) -> None:
    def there(**files: bytes) -> Mapping[Path, bytes]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, data in files.items():
            (folder / name.replace("_", ".")).write_bytes(data)
        return {folder / name: mark for name, mark in (REPORT | AUDIT | EXPORTED).items()}

    assert foreign_file(there()) is None
    assert foreign_file(there(report_csv=b"")) is None
    assert foreign_file(there(report_csv=b"model,set,name,seen\n", report_html=b"<p>")) is None
    assert foreign_file(there(report_json=b'{"format": 1, "title": "' + b"x" * 5000 + b'", "judgements": []}')) is None
    # A page alone might be anybody's.
    for name in ("report_html", "audit_html"):
        found = foreign_file(there(**{name: b"<p>"}))
        assert found is not None and found.name == name.replace("_", ".")


def test_only_a_list_of_ours_is_removed(tmp_path: Path) -> None:
    mine, yours = tmp_path / "a.skipped.csv", tmp_path / "b.skipped.csv"
    mine.write_text("path,reason\na,b\n")
    yours.write_text("runner,why\n")
    remove_own([mine, yours, tmp_path / "absent"], b"path,reason")
    assert [one.name for one in tmp_path.iterdir()] == ["b.skipped.csv"]
