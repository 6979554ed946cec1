"""The Croissant document of a manifest: what the specification asks for, by its own rules; every id leads somewhere."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from fauxlens import app
from train.common.own_files import CROISSANT, foreign_file
from train.data.manifest import SCHEMA, Manifest, write_manifest


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    row: dict[str, Any] = dict.fromkeys(SCHEMA) | {
        "path": "a.jpg", "sha256": "0" * 64, "phash": "0" * 16, "width": 9, "height": 9, "format": "JPEG",
        "bytes": 100, "label": "real", "generator": "camera", "family": "camera", "source": "mine", "group": "g",
        "split": "test", "sex": "female",
    }  # fmt: skip
    frame = pl.DataFrame([row], schema={name: kind() for name, kind in SCHEMA.items()} | {"sex": pl.String()})
    write_manifest(Manifest(frame, tmp_path), tmp_path / "manifest.csv")
    return tmp_path / "manifest.csv"


def test_every_column_is_a_field_of_the_file(manifest: Path) -> None:
    done = CliRunner().invoke(
        app, ["data", "croissant", str(manifest), "--licence", "CC-BY-4.0", "--url", "https://x.org/"]
    )
    assert done.exit_code == 0, done.output
    written = manifest.with_name("manifest.croissant.json")
    assert foreign_file({written: CROISSANT}) is None
    document = json.loads(written.read_text(encoding="utf-8"))
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert document["@type"] == "sc:Dataset"
    assert document["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    (file,) = document["distribution"]
    assert file["sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()
    (records,) = document["recordSet"]
    head = manifest.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert [field["source"]["extract"]["column"] for field in records["field"]] == head
    assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {file["@id"]}
    ids = [field["@id"] for field in records["field"]]
    assert len(set(ids)) == len(ids)
    assert records["key"]["@id"] in ids
    kinds = {field["name"]: field["dataType"] for field in records["field"]}
    assert (kinds["sex"], kinds["width"], kinds["eye_x"]) == ("sc:Text", "sc:Integer", "sc:Float")


def test_what_is_missing_is_said(manifest: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "croissant", str(manifest)])
    assert "give --licence and --url" in done.output
    done = CliRunner().invoke(app, ["data", "croissant", str(tmp_path / "none.csv")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--licence", "do what you like"), "--licence 'do what you like' is not an SPDX licence identifier"),
        (("--licence", "cc-by-4.0"), "write CC-BY-4.0"),
        (("--licence", "ftp://x.org/licence"), "--licence 'ftp://x.org/licence' is not a web address"),
        (("--licence", "x/y"), "--licence 'x/y' is not a web address"),
        (("--url", "x.org"), "--url 'x.org' is not a web address: give one that begins with https://."),
        (("--url", "javascript:alert(1)"), "is not a web address"),
        (("--url", "https://"), "is not a web address"),
        (("--url", "https://x.org:99999/"), "is not a web address"),
        (("--url", "https://x.org/a b"), "is not a web address"),
    ],
)
def test_what_is_no_licence_or_no_address_is_refused(manifest: Path, words: tuple[str, str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["data", "croissant", str(manifest), *words])
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert not manifest.with_name("manifest.croissant.json").exists()


def test_a_licence_may_be_an_address(manifest: Path) -> None:
    done = CliRunner().invoke(app, ["data", "croissant", str(manifest), "--licence", "https://x.org/terms"])
    assert done.exit_code == 0, done.output
    document = json.loads(manifest.with_name("manifest.croissant.json").read_text(encoding="utf-8"))
    assert document["license"] == "https://x.org/terms"
