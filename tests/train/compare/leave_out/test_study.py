"""The verb on a study whose trainings are all there: every scheme in one report, and nothing is trained."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fauxlens import app
from train.common.own_files import LEAVE_OUT, foreign_file, in_folder

SCHEMES = ("generator", "source", "folds:3", "matrix")


@pytest.fixture
def finished(schemes: Any) -> Path:
    for scheme in SCHEMES:
        schemes.runs(schemes.plans(scheme), seeds=(0, 1))
    (schemes.study.folder / "base.toml").write_text(schemes.base.text, encoding="utf-8")
    return Path(schemes.study.folder)


def loo(folder: Path, *options: str, columns: int = 80) -> Result:
    arguments = ["loo", str(folder / "manifest.csv"), "--recipe", str(folder / "base.toml"), "--out", str(folder)]
    schemes = ["--scheme", ",".join(SCHEMES), "--seeds", "2"]
    return CliRunner().invoke(app, [*arguments, *schemes, *options], env={"COLUMNS": str(columns)})


def test_all_schemes_stand_in_one_report(finished: Path) -> None:
    done = loo(finished)
    assert done.exit_code == 0, done.output
    assert "32 trainings, 32 of them finished" in done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith(("│", "┃"))]
    assert max(map(len, table)) <= 80 and "…" not in done.stdout
    for title in ("Each generator left out", "Each source left out", "3 folds:", "Trained on one generator"):
        assert title in done.stdout
    rows = list(csv.DictReader(io.StringIO((finished / "loo.csv").read_text(encoding="utf-8"))))
    assert {row["scheme"] for row in rows} == set(SCHEMES)
    for row in rows:
        assert 0 <= float(row["low"]) <= float(row["value"]) <= float(row["high"]) <= 1
        assert row["metric"] != "auc" or 0 <= float(row["metadata_auc"]) <= 1
    texts = {path.name: path.read_bytes() for path in finished.glob("loo.*")}
    assert sorted(texts) == ["loo.csv", "loo.html", "loo.json", "loo.md", "loo.tex"]
    assert foreign_file(in_folder(finished, {name: LEAVE_OUT[name] for name in ("loo.json", "loo.csv")})) is None
    assert texts["loo.tex"].count(rb"\begin{tabular}") == len(SCHEMES)

    document = json.loads(loo(finished, "--json").stdout)
    assert [one["scheme"] for one in document["schemes"]] == list(SCHEMES) and len(document["trainings"]) == 32
    assert texts == {path.name: path.read_bytes() for path in finished.glob("loo.*")}
