from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from export.artifacts.metadata import attach
from export.cli.explain import _sheets
from train.common.own_files import DRAWN, foreign_file
from train.fit.run_folder import has_state

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny
    from tests.export.explain.conftest import Drawn, MakeRun

ROOT = Path(__file__).parents[3]


def fauxlens(*arguments: object) -> Result:
    from fauxlens import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(done: Result) -> list[str]:
    """The sentences of a run that went wrong by the user's fault."""
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return [line for line in done.stderr.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def detector(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, saying that it has learned from what `drawn` calls seen."""
    path = tmp_path_factory.mktemp("detector") / "tiny.tflite"
    path.write_bytes(
        attach(tiny.raw["ptq-int8"], describe("ptq-int8", seen=(("camera", "drawn"), ("checker", "drawn"))))
    )
    return path


def test_every_picture_gets_a_panel(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    done = fauxlens("explain", *drawn.pictures[:2], "--model", detector, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    for picture in drawn.pictures[:2]:
        panel = tmp_path / f"{picture.name}.explained.png"
        assert str(panel) in done.stdout
        with Image.open(panel) as image:
            assert image.width > 3 * 320
    assert done.stdout.splitlines()[-1].endswith("not where a picture was changed.")


def test_a_panel_of_somebody_else_is_kept(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    name = drawn.pictures[0].name
    yours, ours = tmp_path / f"{name}.explained.png", tmp_path / f"{name}.1.explained.png"
    yours.write_bytes(b"mine")
    words = ("explain", drawn.pictures[0], "--model", detector, "--out", tmp_path)
    for _ in range(2):
        done = fauxlens(*words)
        assert done.exit_code == 0, done.output
        assert done.stderr.rstrip() == (
            f"{yours} is there already and does not say that Fauxlens drew it: {ours} is written instead."
        )
    assert (yours.read_bytes(), foreign_file({ours: DRAWN})) == (b"mine", None)
    assert sorted(tmp_path.iterdir()) == [ours, yours]


def test_a_detector_file_is_explained_without_tensorflow_and_polars(
    detector: Path, drawn: Drawn, tmp_path: Path
) -> None:
    for name in ("tensorflow", "tf_keras", "polars", "matplotlib", "cv2"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    command = [sys.executable, str(ROOT / "fauxlens.py"), "explain", str(drawn.pictures[0]), "--model", str(detector)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{drawn.pictures[0].name}.explained.png").exists()


def test_json_is_one_document_that_agrees_with_detect(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    done, evaluated = (
        json.loads(fauxlens(verb, *drawn.pictures[:4], "--model", detector, "--json", "--out", tmp_path).stdout)
        for verb in ("explain", "detect")
    )
    assert done["shown"] == ["heatmap", "overlay"]
    for explained, plain in zip(done["pictures"], evaluated["pictures"], strict=True):
        same = ("file", "verdict", "probability", "threshold", "operating_point", "heatmap", "notes")
        assert {key: explained[key] for key in same} == {key: plain[key] for key in same}
        heatmap = np.array(plain["heatmap"])
        assert explained["heatmap_mean"] == pytest.approx(heatmap.mean(), abs=1e-5)
        assert explained["heatmap_share_above_half"] == pytest.approx((heatmap > 0.5).mean())
        assert Path(explained["panel"]).exists()


def test_a_run_folder_shows_all_there_is(make_run: MakeRun, drawn: Drawn, tmp_path: Path) -> None:
    run = make_run("rgb+ela")
    done = fauxlens("explain", drawn.pictures[1], "--model", run.folder, "--json", "--out", tmp_path)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    shown = "heatmap overlay planes gradcam gradcam++ scorecam integrated-gradients activations"
    assert document["shown"] == shown.split()
    (one,) = document["pictures"]
    assert list(one["planes"]) == ["rgb", "ela(90,420,x15)"]
    if np.any(one["heatmap"]):
        assert one["maps"]["gradcam"]["cosine_to_heatmap"] > 0.9999
    found = one["integrated_gradients"]
    assert found["residual"] == pytest.approx(found["sum"] - (found["logit"] - found["blank_logit"]))
    assert found["logit"] == pytest.approx(one["evidence"]["logit"], abs=1e-4)
    assert len(one["activations"]) == 4
    with Image.open(one["panel"]) as image:
        assert image.height > 1000


def test_what_names_the_choice(make_run: MakeRun, drawn: Drawn, tmp_path: Path) -> None:
    options = ("--model", make_run("rgb").folder, "--json", "--out", tmp_path)
    done = fauxlens("explain", drawn.pictures[0], "--what", "gradcam++,heatmap", *options)
    document = json.loads(done.stdout)
    assert document["shown"] == ["heatmap", "gradcam++"]
    assert list(document["pictures"][0]["maps"]) == ["gradcam++"]
    assert "integrated_gradients" not in document["pictures"][0]


def test_bad_pictures_stop_no_good_one(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    files = (tmp_path / "gone.png", drawn.pictures[0], tmp_path / "text.png")
    done = fauxlens("explain", *files, "--model", detector, "--json", "--out", tmp_path)
    sentences = told(done)
    assert len(sentences) == 2
    assert str(files[0]) in sentences[0]
    assert str(files[2]) in sentences[1]
    gone, good, text = json.loads(done.stdout)["pictures"]
    assert (gone["error"], text["error"]) == tuple(sentences)
    assert Path(good["panel"]).exists()
    assert len(list(tmp_path.glob("*.explained.png"))) == 1


def test_pictures_of_one_name_get_a_panel_each(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    shutil.copy(drawn.pictures[1], tmp_path / drawn.pictures[0].name)
    files = (drawn.pictures[0], tmp_path / drawn.pictures[0].name)
    done = fauxlens("explain", *files, "--model", detector, "--out", tmp_path / "out", "--json")
    panels = {one["panel"] for one in json.loads(done.stdout)["pictures"]}
    assert len(panels) == 2
    assert all(map(os.path.exists, panels))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{picture}", "--what", "everything"], "'everything'"),
        (["{picture}", "--what", ","], "heatmap,overlay"),
        (["{picture}", "--what", "heatmap,scorecam"], "run folder"),
        (["{picture}", "--at", "never"], "never"),
        (["{picture}", "--model", "{picture}"], "{picture}"),
        (["{picture}", "--model", "gone.tflite"], "gone.tflite"),
        (["{picture}", "--model", "{folder}"], "run folder"),
        (["{picture}", "--model", "{unfinished}"], "--resume"),
        ([], "--mean"),
        (["{picture}", "--mean", "{manifest}"], "--mean"),
        (["--mean", "{manifest}", "--what", "heatmap"], "--mean"),
        (["--mean", "gone.csv"], "gone.csv"),
        (["--mean", "{folder}/empty.csv"], "empty.csv"),
        (["--mean", "{folder}/header.csv"], "header.csv"),
        (["--mean", "{manifest}", "--at", "never"], "never"),
        (["--mean", "{manifest}", "--model", "{unfinished}"], "--resume"),
    ],
)
def test_wrong_input_gets_one_sentence(
    arguments: list[str], words: str, detector: Path, drawn: Drawn, make_run: MakeRun, tmp_path: Path
) -> None:
    folder, unfinished, out = tmp_path / "folder", tmp_path / "unfinished", tmp_path / "out"
    folder.mkdir()
    (folder / "empty.csv").write_bytes(b"")
    (folder / "header.csv").write_text(drawn.manifest.read_text().splitlines()[0] + "\n")
    run = make_run("rgb")
    shutil.copytree(run.folder, unfinished, ignore=shutil.ignore_patterns("states", "weights.h5"))
    assert has_state(run, "float")
    places = {"picture": drawn.pictures[0], "folder": folder, "unfinished": unfinished, "manifest": drawn.manifest}
    filled = [word.format(**places) for word in arguments]
    if "--model" not in filled:
        filled += ["--model", str(detector)]
    (sentence,) = told(fauxlens("explain", *filled, "--out", out))
    assert words.format(**places) in sentence
    assert not out.exists()


def by_hand(model: Path, drawn: Drawn, point: str = "balanced") -> list[dict[str, Any]]:
    """Each picture's heatmap and verdict, one by one through the door that `detect` uses."""
    from export.explain.explain_picture import open_subject
    from export.inference.detector import detect
    from train.image.decode import decode

    detector = open_subject(model).detector
    return [
        {"heatmap": one.heatmap, "fake": one.probability >= one.threshold}
        for one in (detect(detector, decode(file), operating_point=point) for file in drawn.pictures)
    ]


@pytest.mark.parametrize("kind", ["detector", "run"])
@pytest.mark.parametrize("rows", ["judged", "all"])
def test_mean_heatmaps_are_the_means(
    kind: str, rows: str, detector: Path, make_run: MakeRun, drawn: Drawn, tmp_path: Path
) -> None:
    model = detector if kind == "detector" else make_run("rgb").folder
    options = ("--model", model, "--rows", rows, "--at", "fpr-1%", "--out", tmp_path)
    done = fauxlens("explain", "--mean", drawn.manifest, *options, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    singles = by_hand(model, drawn, "fpr-1%")
    # Of the 10 seen pictures, those of the test split: see `drawn`. All 6 others are unseen.
    counted = list(range(16)) if rows == "all" else [4, 5, *range(10, 16)]
    assert document["pictures"] == len(counted)
    members = {
        ("class", "real", None): [i for i in counted if i % 2 == 0],
        ("class", "real", True): [i for i in counted if i % 2 == 0 and i < 10],
        ("class", "real", False): [i for i in counted if i % 2 == 0 and i >= 10],
        ("class", "fake", None): [i for i in counted if i % 2],
        ("class", "fake", True): [i for i in counted if i % 2 and i < 10],
        ("class", "fake", False): [i for i in counted if i % 2 and i >= 10],
        ("generator", "checker", True): [i for i in counted if i % 2 and i < 10],
        ("generator", "other", False): [i for i in counted if i % 2 and i >= 10],
        ("source", "drawn", True): [i for i in counted if i % 2 == 0 and i < 10],
        ("source", "elsewhere", False): [i for i in counted if i % 2 == 0 and i >= 10],
    }
    assert [(one["kind"], one["name"], one["seen"]) for one in document["means"]] == list(members)
    for one in document["means"]:
        group = [singles[index] for index in members[one["kind"], one["name"], one["seen"]]]
        heatmaps = np.array([single["heatmap"] for single in group])
        called = np.array([single["fake"] for single in group])
        assert (one["n"], one["called_fake"]) == (len(group), called.sum())
        assert one["empty"] == pytest.approx(np.mean([not heatmap.any() for heatmap in heatmaps]))
        np.testing.assert_allclose(one["mean"], heatmaps.mean(0), atol=2e-4)
        if called.any():
            np.testing.assert_allclose(one["mean_called_fake"], heatmaps[called].mean(0), atol=2e-4)
        else:
            assert one["mean_called_fake"] is None
    assert not _sheets(tmp_path, {"mean": True, "local_fakes": None}).keys() - set(tmp_path.iterdir())
    assert foreign_file(_sheets(tmp_path, {"mean": True, "local_fakes": None})) is None
    written = json.loads((tmp_path / "mean-heatmaps.json").read_text())
    assert written == {key: value for key, value in document.items() if key != "sheet"}
    with Image.open(tmp_path / "mean-heatmaps.png") as image:
        assert image.width > 1000


def test_mean_heatmaps_go_into_a_report(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    from export.explain.mean_heatmaps import find_mean_heatmaps
    from export.explain.mean_sheet import illustrations
    from train.evaluate.report.html import MAGIC

    found = find_mean_heatmaps(drawn.manifest, detector)
    shown = illustrations(found.groups)
    assert len(shown) == len(found.groups)
    assert all(one.data.startswith(tuple(MAGIC)) for one in shown)
    assert any(one.caption.startswith("fake: checker, seen: 1 pictures, ") for one in shown)


def test_no_row_to_evaluate_by_is_said(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    import polars as pl

    from train.data.manifest import Manifest, read_manifest, write_manifest

    whole = read_manifest(drawn.manifest)
    # All seen and in training.
    learned = whole.frame.filter((pl.col("source") == "drawn") & (pl.col("split") == "train"))
    path = drawn.manifest.parent / "learned.csv"
    write_manifest(Manifest(learned, whole.folder), path)
    assert learned.height
    (sentence,) = told(fauxlens("explain", "--mean", path, "--model", detector, "--out", tmp_path))
    assert "--rows all" in sentence
    assert fauxlens("explain", "--mean", path, "--model", detector, "--rows", "all", "--out", tmp_path).exit_code == 0
