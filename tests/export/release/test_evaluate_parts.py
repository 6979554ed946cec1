"""Scores in parts: merged, they are the table of the whole, and a report can be made of them without a second run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from export.artifacts.metadata import attach
from export.release.evaluate import evaluate_models
from export.release.evaluate_part import evaluate_part
from fauxlens import app
from tests.dask_workers import local_cluster, one_of_two_killed
from tests.export.release.test_evaluate import folder_of
from train.common.errors import DataError, TrainError
from train.common.parts import WorkPart
from train.data.manifest import Manifest, write_manifest
from train.data.part_files import read_all_parts
from train.data.scan.folder import scan_folder
from train.evaluate.scores import read_scores, write_scores
from train.evaluate.scores_parts import merge_scores_parts
from train.evaluate.selection import Which

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny
    from train.fit.run_folder import Run


@pytest.fixture(scope="module")
def detector(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, which has learned from the reals of a folder that was called `mine`."""
    path = tmp_path_factory.mktemp("detector") / "tiny.tflite"
    path.write_bytes(attach(tiny.raw["ptq-int8"], describe("ptq-int8", seen=(("camera", "mine"),))))
    return path


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures, and with them each split and one picture twice."""
    folder = tmp_path_factory.mktemp("pictures")
    pictures = folder_of(folder, "mine", 5)
    (pictures / "real" / "copy.png").write_bytes((pictures / "real" / "00.png").read_bytes())
    frame = scan_folder(pictures, folder / "m.csv").manifest.frame
    splits = pl.Series("split", [("train", "val", "test")[row % 3] for row in range(frame.height)])
    write_manifest(Manifest(frame.with_columns(splits), folder), folder / "m.csv")
    return folder / "m.csv"


@pytest.fixture(scope="module")
def whole(detector: Path, manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the whole, in `test` and in `all`."""
    folder = tmp_path_factory.mktemp("whole")
    for which in get_args(Which):
        evaluate_models([detector], manifest, folder / which, which=which)
    return folder


def in_parts(model: Path, manifest: Path, folder: Path, count: int, which: Which = "test") -> list[Path]:
    return [evaluate_part(model, manifest, folder, WorkPart(n, count), which=which) for n in range(1, count + 1)]


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, done.output


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 60), which=st.sampled_from(["test", "all"]))
def test_the_parts_are_the_whole_in_bytes(
    count: int, which: Which, detector: Path, manifest: Path, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("reports")
    parts = in_parts(detector, manifest, folder / "parts", count, which)
    before = [path.read_bytes() for path in parts]
    write_scores(merge_scores_parts(read_all_parts(parts[::-1])), folder / "scores.csv")
    assert (folder / "scores.csv").read_bytes() == (whole / which / "scores.csv").read_bytes()
    assert [path.read_bytes() for path in in_parts(detector, manifest, folder / "parts", count, which)] == before


def test_a_report_of_merged_scores_has_the_figures_of_the_whole(
    detector: Path, manifest: Path, whole: Path, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        status, shown = run("evaluate", detector, manifest, "--part", f"{number}/3", "--out", tmp_path / "r")
        assert status == 0, shown
        assert re.search(r"part \d/3: \d+ rows, 0 skipped -> ", shown)
    status, shown = run("data", "merge", *sorted((tmp_path / "r").glob("scores.part-*-of-3.parquet")))
    assert status == 0, shown
    merged = tmp_path / "r" / "scores.csv"
    status, shown = run("evaluate", detector, manifest, "--scores", merged, "--out", tmp_path / "r")
    assert status == 0, shown
    reports = [json.loads((path / "report.json").read_text("utf-8")) for path in (tmp_path / "r", whole / "test")]
    assert reports[0]["judgements"] == reports[1]["judgements"]
    assert merged.read_bytes() == (whole / "test" / "scores.csv").read_bytes()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_scores_the_whole(
    detector: Path, manifest: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="the extra `scale` is not installed")
    with local_cluster(tmp_path) as cluster, one_of_two_killed(cluster, monkeypatch):
        status, shown = run("evaluate", detector, manifest, "--dask", cluster.address, "--out", tmp_path / "r")
    assert status == 0, shown
    assert (tmp_path / "r" / "scores.csv").read_bytes() == (whole / "test" / "scores.csv").read_bytes()
    reports = [json.loads((path / "report.json").read_text("utf-8")) for path in (tmp_path / "r", whole / "test")]
    assert reports[0]["judgements"] == reports[1]["judgements"]
    assert not list((tmp_path / "r").glob("*.parquet"))


def test_scores_that_are_not_the_models_are_refused(
    detector: Path, manifest: Path, whole: Path, tmp_path: Path
) -> None:
    scores = read_scores(whole / "test" / "scores.csv")
    path = tmp_path / "mine.csv"
    write_scores(scores.head(-1), path)
    with pytest.raises(TrainError, match=f"{path} does not have the rows that {detector} is evaluated on, such as "):
        evaluate_models([detector], manifest, tmp_path / "r", scores=path)
    write_scores(scores.with_columns(probability=1 - pl.col("probability")), path)
    with pytest.raises(TrainError, match=f"{path} was not made by {detector}: it has "):
        evaluate_models([detector], manifest, tmp_path / "r", scores=path)
    assert not (tmp_path / "r").exists()


def test_parts_of_other_models_and_rows_are_refused(
    detector: Path, tiny: Tiny, describe: Describe, manifest: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(attach(tiny.raw["float32"], describe("float32", seen=(("camera", "mine"),))))
    one = evaluate_part(detector, manifest, tmp_path / "one", WorkPart(1, 2))
    two = evaluate_part(other, manifest, tmp_path / "two", WorkPart(2, 2))
    every = evaluate_part(detector, manifest, tmp_path / "all", WorkPart(2, 2), which="all")
    with pytest.raises(DataError, match="they differ in model"):
        read_all_parts([one, two])
    with pytest.raises(DataError, match="they differ in rows, split"):
        read_all_parts([one, every])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--part", "0/4"], "--part 0/4 is not i/n"),
        (["--part", "1/2", "--robustness", "standard"], "omit --robustness, which is for the report"),
        (["--part", "1/2", "--parquet"], "omit --parquet, which is for the report"),
        (["--part", "1/2", "--scores", "scores.csv"], "omit --scores, which is for the report"),
        (["--scores", "gone.csv"], "gone.csv does not exist"),
        (
            ["--dask", "a:1", "--scores", "scores.csv"],
            "--dask scores one model of Fauxlens, in parts: leave out --scores",
        ),
        (["--dask", "a:1", "--part", "1/2"], "--dask makes all parts and merges them: leave out --part 1/2."),
    ],
)
def test_what_does_not_go_with_parts_is_one_sentence(
    options: list[str], words: str, detector: Path, manifest: Path, tmp_path: Path
) -> None:
    status, shown = run("evaluate", detector, manifest, *options, "--out", tmp_path / "r")
    assert status == 2
    assert words in shown
    assert len(shown.strip().splitlines()) == 1
    assert not (tmp_path / "r").exists()


def test_tables_foreign_models_and_folders_have_no_parts(detector: Path, manifest: Path, tmp_path: Path) -> None:
    for model in ("scores.csv", "model.onnx"):
        with pytest.raises(TrainError, match=f"{model} is not a run, detector file or bundle"):
            evaluate_part(Path(model), manifest, tmp_path, WorkPart(1, 2))
    status, shown = run("evaluate", detector, manifest.parent, "--part", "1/2", "--out", tmp_path / "r")
    assert (status, "is a folder, but --part needs a manifest" in shown) == (2, True)


def test_a_run_is_scored_in_parts(trained_run: Run, tmp_path: Path) -> None:
    """Of its own manifest it has the scores; other rows are scored by Keras, in batches of another size."""
    manifest = trained_run.manifest_path
    for which, digits in (("test", 9), ("all", 5)):
        folder = tmp_path / which
        evaluate_models([trained_run.folder], manifest, folder, which=which)  # type: ignore[arg-type]
        parts = in_parts(trained_run.folder, manifest, folder, 3, which)  # type: ignore[arg-type]
        merged, whole = merge_scores_parts(read_all_parts(parts)), read_scores(folder / "scores.csv")
        numbers = ["log_odds", "probability"]
        assert merged.drop(numbers).equals(whole.drop(numbers))
        for name in numbers:
            assert merged[name].to_list() == pytest.approx(whole[name].to_list(), abs=10.0**-digits)
    write_scores(merged, tmp_path / "merged.csv")
    again = evaluate_models([trained_run.folder], manifest, tmp_path / "r", which="all", scores=tmp_path / "merged.csv")
    assert again.evaluations[0].name.endswith("(Keras float)")
