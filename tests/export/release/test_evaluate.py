"""evaluate: which rows of a manifest or a folder are evaluated, what is said of the others, and names of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from export.artifacts.metadata import attach
from export.release.evaluate import evaluate_models
from export.release.scanned_folder import manifest_of
from fauxlens import app
from train.common.errors import DataError, TrainError
from train.data.manifest import read_manifest
from train.evaluate.scores import read_scores

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


@pytest.fixture(scope="module")
def detector(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, saying that it has learned from a folder that was called `trained-on`."""
    path = tmp_path_factory.mktemp("detector") / "tiny.tflite"
    seen = (("camera", "trained-on"), ("checker", "trained-on"))
    path.write_bytes(attach(tiny.raw["ptq-int8"], describe("ptq-int8", seen=seen)))
    return path


def folder_of(place: Path, name: str, seed: int) -> Path:
    """A folder without a card: 20 reals and 20 fakes with a checkered patch, 64 x 64 pixels each."""
    rng = np.random.default_rng(seed)
    checks = (np.indices((64, 64)) // 4).sum(0) % 2 * 2 - 1
    for index in range(40):
        fake = index % 2 == 1
        pixels = rng.uniform(60, 190, 3) + rng.normal(0, 12, (64, 64, 3)) + fake * checks[..., None] * 40
        path = place / name / ("fake/checker" if fake else "real") / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return place / name


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, done.output


def test_every_row_of_an_unseen_folder_is_evaluated(detector: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "never-seen", 1)
    status, shown = run("evaluate", detector, folder, "--out", tmp_path / "report")
    assert status == 0, shown
    assert "not evaluated" not in shown
    scores = read_scores(tmp_path / "report" / "scores.csv")
    assert scores["label"].value_counts().sort("label").rows() == [("fake", 20), ("real", 20)]
    assert not scores["seen"].any()
    document = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    expected = roc_auc_score(scores["label"] == "fake", scores["probability"])
    assert document["judgements"][0]["overall"]["auc"]["value"] == pytest.approx(expected)


def test_of_a_folder_that_was_trained_on_the_rest_is_told_and_split_all_takes_it(
    detector: Path, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, "trained-on", 2)
    # By hand, so that the test split has both classes whatever the hashes say.
    path = manifest_of(folder, [detector], tmp_path / "report")
    frame = read_manifest(path).frame.with_columns(split=pl.Series(["train", "train", "val", "test"] * 10))
    by_hand = tmp_path / "report" / "by-hand.csv"
    by_hand.write_bytes(frame.write_csv().encode())
    test = evaluate_models([detector], by_hand, tmp_path / "test")
    assert read_scores(tmp_path / "test" / "scores.csv").height == 10
    (note,) = test.notes
    assert note.startswith("tiny.tflite: 30 of 40 rows were not evaluated: camera of trained-on, checker of trained-on")
    assert "--split all" in note
    every = evaluate_models([detector], by_hand, tmp_path / "all", which="all")
    scores = read_scores(tmp_path / "all" / "scores.csv")
    assert scores.height == 40
    evaluation = every.evaluations[0]
    assert (evaluation.reals.n, evaluation.fakes.n) == (20, 20)
    assert evaluation.overall.auc.value == pytest.approx(
        roc_auc_score(scores["label"] == "fake", scores["probability"])
    )
    assert "trained on among them" in evaluation.basis
    assert "30 of 40 rows are of generators and sources it was trained on" in every.notes[0]
    # Nothing but training rows, of which no mean heatmap is drawn.
    by_hand.write_bytes(frame.with_columns(split=pl.lit("train")).write_csv().encode())
    (only,) = evaluate_models([detector], by_hand, tmp_path / "only", which="all").evaluations
    assert only.reals.n == 20


def test_models_are_called_as_named(detector: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "faces", 3)
    out = tmp_path / "report"
    names = ("--name", "Old one", "--name", "New <one>")
    status, shown = run("evaluate", detector, folder, "--beside", detector, *names, "--out", out)
    assert status == 0, shown
    document = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in document["judgements"]] == ["Old one", "New <one>"]
    assert (document["flips"][0]["first"], document["flips"][0]["second"]) == ("Old one", "New <one>")
    assert "New &lt;one&gt;" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("names", [("one", "two"), ("",), ("same", "same")])
def test_names_that_do_not_fit_are_refused_before_anything_is_written(
    names: tuple[str, ...], detector: Path, tmp_path: Path
) -> None:
    models = [detector] * (2 if names[0] == "same" else 1)
    with pytest.raises(TrainError, match="give --name once per model"):
        evaluate_models(models, tmp_path / "m.csv", tmp_path / "report", names=names)
    assert not (tmp_path / "report").exists()


def test_a_folder_without_classes_is_told_what_was_looked_for(detector: Path, tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "loose" / "a.png")
    status, shown = run("evaluate", detector, tmp_path / "loose", "--out", tmp_path / "report")
    assert status == 2
    assert "found a.png" in shown
    assert "fauxlens detect" in shown
    assert not (tmp_path / "report" / "scores.csv").exists()


def test_a_card_is_for_folders(detector: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\n", encoding="utf-8")
    with pytest.raises(DataError, match="needs no card"):
        manifest_of(tmp_path / "m.csv", [detector], tmp_path / "report", card="artifact")


def test_parquet_stands_beside_and_what_is_stale_goes(detector: Path, tmp_path: Path) -> None:
    manifest = manifest_of(folder_of(tmp_path, "faces", 4), [detector], tmp_path / "scan")
    out = tmp_path / "report"
    other = tmp_path / "other.tflite"
    other.write_bytes(detector.read_bytes())
    evaluate_models([detector, other], manifest, out, parquet=True)
    written = {"scores.csv", "scores.parquet", "scores-2.csv", "scores-2.parquet"}
    assert {path.name for path in out.glob("scores*")} == written
    assert pl.read_parquet(out / "scores.parquet").equals(read_scores(out / "scores.csv"))
    (out / "scores-3.csv").write_text("mine", encoding="utf-8")
    evaluate_models([detector], manifest, out)
    assert {path.name for path in out.glob("scores*")} == {"scores.csv", "scores-3.csv"}
