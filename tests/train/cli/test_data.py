"""The data verbs as a person meets them: real processes, real pictures, a real server."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from train.common.own_files import AUDIT, foreign_file
from train.data.manifest import read_manifest

ROOT = Path(__file__).parents[3]


def data(*arguments: object, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `fauxlens data ...` and hold it to an exit status."""
    command = [sys.executable, str(ROOT / "fauxlens.py"), "data", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small drawn sample in it."""
    folder = tmp_path_factory.mktemp("drawn")
    data("sample", "faces", "--count", 90, "--seed", 4, cwd=folder)
    return folder


@pytest.fixture
def sample(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the small sample, scanned into manifest.csv."""
    shutil.copytree(drawn / "faces", tmp_path / "faces")
    data("scan", "faces", "--card", "drawn-sample", cwd=tmp_path)
    return tmp_path


def test_the_list_of_cards_is_a_table_and_a_document(tmp_path: Path) -> None:
    shown = data("list", cwd=tmp_path).stdout
    rows = json.loads(data("list", "--json", cwd=tmp_path).stdout)
    assert len(rows) >= 13
    for row in rows:
        assert row["name"] in shown
        assert row["licence"]


def test_a_scan_lists_what_it_left_out_and_the_audit_counts_it(sample: Path) -> None:
    (sample / "faces" / "real" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 not all")
    shown = data("scan", "faces", "--card", "drawn-sample", cwd=sample).stdout
    assert "1 skipped, listed with reasons in manifest.skipped.csv" in shown
    found = json.loads(data("audit", "manifest.csv", "--json", "--limit", "null_auc=none", cwd=sample).stdout)
    assert [one["path"] for one in found["skipped"]] == ["faces/real/cut.jpg"]
    data("audit", "manifest.csv", "--limit", "skipped_share=0", cwd=sample, status=1)
    (sample / "faces" / "real" / "cut.jpg").unlink()
    data("scan", "faces", "--card", "drawn-sample", cwd=sample)
    assert not (sample / "manifest.skipped.csv").exists()


def test_an_audit_writes_a_page_and_equalises(sample: Path) -> None:
    limits = ("--limit", "null_auc=none")
    done = data("audit", "manifest.csv", "--out", "audit", "--equalise", "equal", *limits, "--json", cwd=sample)
    document = json.loads(done.stdout)
    assert json.loads((sample / "audit" / "audit.json").read_text())["format"] == document["format"]
    assert (sample / "audit" / "equalised" / "audit.html").stat().st_size > 10_000
    equal = read_manifest(sample / "equal" / "manifest.csv").frame
    assert equal.select("width", "height", "format", "jpeg_quality").unique().height == 1
    assert document["equalised"]["null_model"]["auc"] <= 1
    assert "one of" not in data("audit", "manifest.csv", "--size", 64, cwd=sample, status=2).stderr


def test_a_mirrored_copy_is_found_and_joined(sample: Path) -> None:
    from PIL import Image, ImageOps

    before = read_manifest(sample / "manifest.csv").frame
    real = before.filter(pl.col("label") == "real", pl.col("split") == "test")["path"][0]
    # Turned by more and more degrees, so that hashes alone do not hold them together.
    for number in range(12):
        place = sample / "faces" / "real" / f"mirrored-{number}.jpg"
        with Image.open(sample / real) as picture:
            ImageOps.mirror(picture).rotate(number, Image.Resampling.BICUBIC).save(place, quality=88)
    data("scan", "faces", "--card", "drawn-sample", cwd=sample)
    found = json.loads(
        data("audit", "manifest.csv", "--pixels", "--json", "--limit", "null_auc=none", cwd=sample, status=1).stdout
    )
    assert not found["passed"]
    assert foreign_file({sample / "copies.csv": AUDIT["copies.csv"]}) is None
    assert (sample / "copies.csv").exists()
    data("split", "manifest.csv", "--join", "copies.csv", cwd=sample)
    joined = read_manifest(sample / "splits" / "manifest.csv")
    copies = pl.col("path").str.contains("mirrored") | pl.col("path").str.ends_with(real)
    frame = joined.frame.filter(copies)
    assert frame.height == 13
    assert frame["split"].n_unique() == frame["group"].n_unique() == 1
    assert joined.picture_path(frame["path"][0]).exists()


def test_folds_and_left_out_generators_become_manifests(sample: Path) -> None:
    data("split", "manifest.csv", "folds:3", "--out", "folds", cwd=sample)
    tests = [
        read_manifest(path).frame.filter(pl.col("split") == "test").height for path in (sample / "folds").iterdir()
    ]
    assert sum(tests) == 90
    data("split", "manifest.csv", "leave-each-out:generator", "--out", "without", cwd=sample)
    assert {path.name for path in (sample / "without").iterdir()} == {
        "without-diffusion-like.csv",
        "without-gan-like.csv",
    }
    frame = read_manifest(sample / "without" / "without-gan-like.csv").frame
    assert set(frame.filter(pl.col("generator") == "gan-like")["split"]) == {"test"}
    assert "leave-out:GENERATOR" in data("split", "manifest.csv", "in-half", cwd=sample, status=2).stderr


def test_manifests_merge(sample: Path, drawn: Path) -> None:
    data("sample", "more", "--count", 30, "--seed", 5, cwd=sample)
    data("scan", "more", "--card", "drawn-sample", "--out", "more.csv", cwd=sample)
    data("merge", "manifest.csv", "more.csv", "--out", "all/both.csv", cwd=sample)
    merged = read_manifest(sample / "all" / "both.csv")
    assert merged.frame.height == 120
    assert all(merged.picture_path(path).exists() for path in merged.frame["path"])


def test_a_dataset_is_fetched_and_scanned_by_its_card(drawn: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for path in sorted((drawn / "faces").rglob("*.jpg")):
            archive.write(path, path.relative_to(drawn / "faces"))
    sha256 = hashlib.sha256((folder / "faces.zip").read_bytes()).hexdigest()
    rules = (ROOT / "datasets" / "drawn-sample.toml").read_text().partition("[[rule]]")[2]
    card = f'title = "Drawn"\n[get]\nkind = "archive"\nurl = "{address}/faces.zip"\nsha256 = "SUM"\n[[rule]]{rules}'
    (tmp_path / "mine.toml").write_text(card.replace("SUM", "0" * 64))
    assert "sha256" in data("get", "mine.toml", "--out", "got", cwd=tmp_path, status=2).stderr
    assert not (tmp_path / "got").exists()
    # Another sum is another wish, and its beginnings are not mixed up with the first.
    (tmp_path / "mine.toml").write_text(card.replace("SUM", sha256))
    data("get", "mine.toml", "--out", "got-right", cwd=tmp_path)
    data("get", "mine.toml", "--out", "got-right", cwd=tmp_path)
    data("scan", "got-right", "--card", "mine.toml", cwd=tmp_path)
    assert read_manifest(tmp_path / "manifest.csv").frame.height == 90


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["get", "xhlulu-140"], "xhlulu-140k"),
        (["get", "tobecwb-sd-faces", "--out", "x"], "download it yourself"),
        (["scan", ".", "--card", "nobody"], "nobody"),
        (["audit", "manifest.csv", "--limit", "luck=3"], "luck"),
        (["audit", "manifest.csv", "--equalise", "faces/more"], "faces/more"),
        (["split", "manifest.csv", "leave-out:dragon"], "dragon"),
        (["split", "manifest.csv", "--join", "gone.csv"], "gone.csv"),
        (["merge", "manifest.csv", "manifest.csv", "--out", "both.csv"], "is in two"),
        (["pack", "manifest.csv", "--view", "upright|face(2.4)|resize(64)"], "data faces"),
    ],
)
def test_wrong_input_gets_one_sentence(arguments: list[str], words: str, sample: Path) -> None:
    before = sorted(path.name for path in sample.iterdir())
    told = data(*arguments, cwd=sample, status=2).stderr
    assert words in told
    assert len([line for line in told.splitlines() if line.strip()]) == 1
    assert sorted(path.name for path in sample.iterdir() if path.name not in ("runs", ".x.get")) == before


def test_splits_are_not_written_over_the_tables_of_others(sample: Path) -> None:
    (sample / "splits").mkdir()
    for words, name in (("folds:2", "fold-2-of-2.csv"), ("keep", "manifest.csv")):
        place = sample / "splits" / name
        place.write_text("day,sum\nMonday,3\n")
        said = data("split", "manifest.csv", words, cwd=sample, status=2).stderr.rstrip()
        assert said == f"splits/{name} is there already and no manifest: name another folder with --out."
        assert place.read_text() == "day,sum\nMonday,3\n"
    assert sorted(one.name for one in (sample / "splits").iterdir()) == ["fold-2-of-2.csv", "manifest.csv"]
