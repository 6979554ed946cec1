"""`fauxlens compare` as a person or a program meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fauxlens import app


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def runs(make_study: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(make_study(tmp_path_factory.mktemp("study")).arms({"rgb": {}, "npr": {"b": 2.0}}, seeds=2))


def test_tables_sentences_and_a_figure(runs: list[Path], tmp_path: Path) -> None:
    figure = tmp_path / "made" / "differences.svg"
    done = compare("--against", "model.front_end=rgb", *runs, "--figure", figure)
    assert done.exit_code == 0, done.output
    assert "What each reaches" in done.stdout and "Difference from model.front_end = rgb" in done.stdout
    assert "npr against rgb: AUC: better on diffusion-b" in done.stdout
    assert f"figure: {figure}" in done.stdout
    assert figure.read_text(encoding="utf-8").startswith("<svg")


def test_json_is_one_document(runs: list[Path]) -> None:
    done = compare("--against", "model.front_end=rgb", "--json", *runs)
    document = json.loads(done.stdout)
    assert (document["key"], document["baseline"]) == ("model.front_end", "rgb")
    (block,) = document["blocks"]
    assert block["seeds"] == [1, 2] and [arm["name"] for arm in block["arms"]] == ["rgb", "npr"]
    assert {"low", "high", "se", "seeds_se", "seeds_df", "pictures_se", "p"} <= set(block["differences"][0]["contrast"])


def test_markdown_is_all_there_is(runs: list[Path]) -> None:
    done = compare("--against", "model.front_end=rgb", "--markdown", *runs)
    assert done.stdout.startswith("**What each reaches: mean over seeds 1, 2")


def test_the_store_beside_runs_is_passed_over(runs: list[Path]) -> None:
    packed = runs[0].parent / "packed"
    packed.mkdir(exist_ok=True)
    assert compare("--against", "model.front_end=rgb", "--json", *runs, packed).exit_code == 0
    strange = runs[0].parent / "elsewhere"
    refused = compare("--against", "model.front_end=rgb", *runs, strange)
    assert refused.exit_code == 2 and "elsewhere is not a run folder" in refused.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--against", "model.front_end"], "is not KEY=VALUE"),
        (["--against", "model.front_end=srm"], "No run has model.front_end = srm: they have rgb and npr"),
        (["--against", "model.front_end=rgb", "--figure", "a.png"], "must end in .svg"),
        (["--against", "model.front_end=rgb", "--json", "--markdown"], "choose one"),
        (["--figure", "a.svg"], "name it by --against"),
        ([], "report.json"),
    ],
)
def test_wrong_usage_gets_one_sentence(
    runs: list[Path], options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = compare(*options, *runs)
    assert done.exit_code == 2
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == "" and list(tmp_path.iterdir()) == []
