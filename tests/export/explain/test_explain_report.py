"""What `evaluate` puts into a report beside the scores: mean heatmaps and robustness, of detector files and of runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from ela.front_ends import parse_front_end
from export.artifacts.metadata import attach
from export.explain.mean_heatmaps import find_mean_heatmaps, mean_heatmaps_of
from export.release.evaluate import evaluate_models
from export.release.scoring import score_and_map
from train.common.errors import TrainError
from train.data.manifest import read_manifest
from train.data.store import pack
from train.evaluate.calibration import probabilities
from train.evaluate.robustness.corruptions import STANDARD
from train.evaluate.scores import read_scores
from train.evaluate.selection import mark_manifest, rows_to_report
from train.fit.loop import load_model
from train.fit.run_folder import read_state
from train.fit.scoring import keras_scorer
from train.image.view import parse_view

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny
    from tests.export.explain.conftest import Drawn, MakeRun


@pytest.fixture(scope="module")
def detector(tiny: Tiny, describe: Describe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector, saying that it has learned from what `drawn` calls seen."""
    path = tmp_path_factory.mktemp("detector") / "tiny.tflite"
    path.write_bytes(
        attach(tiny.raw["ptq-int8"], describe("ptq-int8", seen=(("camera", "drawn"), ("checker", "drawn"))))
    )
    return path


def test_a_detector_file_brings_its_mean_heatmaps(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    found = evaluate_models([detector], drawn.manifest, tmp_path)
    document = json.loads(found.paths.json.read_text(encoding="utf-8"))
    groups = find_mean_heatmaps(drawn.manifest, detector).groups
    assert [one["caption"].split(": ")[-1].split(" ")[0] for one in document["illustrations"]] == [
        str(group.n) for group in groups
    ]
    html = found.paths.html.read_text(encoding="utf-8")
    shown = html[html.index("<h2>Where tiny.tflite looks</h2>") : html.index("<h2>The worst errors")]
    assert shown.count("data:image/png;base64,") == len(groups)
    assert re.findall(r"<figcaption>(.*?)</figcaption>", shown) == [one["caption"] for one in document["illustrations"]]
    assert document["robustness"] is None


def test_remembered_heatmaps_give_the_same_means(detector: Path, drawn: Drawn) -> None:
    expected = find_mean_heatmaps(drawn.manifest, detector)
    manifest = read_manifest(drawn.manifest)
    store = pack(manifest, parse_view("upright|square|resize(32)"), drawn.manifest.parent / ".packed")
    # Validation pictures among them, as after an export.
    every = manifest.frame.with_columns(seen=pl.col("source") == "drawn").with_row_index("row")
    scores, heatmaps = score_and_map(store, every.sample(fraction=1, shuffle=True, seed=1), detector.read_bytes())
    rows = every.sample(fraction=1, shuffle=True, seed=1)
    found = mean_heatmaps_of(store, rows, scores["probability"].to_numpy(), heatmaps, expected.threshold)
    assert [(one.kind, one.name, one.seen, one.n) for one in found] == [
        (one.kind, one.name, one.seen, one.n) for one in expected.groups
    ]
    evaluated = rows_to_report(mark_manifest(manifest, (("camera", "drawn"), ("checker", "drawn")))).height
    assert sum(one.n for one in found if one.kind in ("generator", "source")) == evaluated < every.height
    for one, other in zip(found, expected.groups, strict=True):
        np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)
        np.testing.assert_array_equal(one.picture, other.picture)
        assert (one.called_fake, one.empty) == (other.called_fake, other.empty)


def test_robustness_of_a_detector_file_begins_with_its_own_scores(detector: Path, drawn: Drawn, tmp_path: Path) -> None:
    found = evaluate_models([detector], drawn.manifest, tmp_path, robustness="standard", pictures=100)
    assert found.robustness is not None
    first, *others = found.robustness.conditions
    assert [one.text for one in others] == [one.text for one in STANDARD]
    (evaluation,) = found.evaluations
    assert (first.reals, first.fakes) == (evaluation.reals, evaluation.fakes)
    assert first.overall.auc.value == evaluation.overall.auc.value
    assert found.robustness.n == 8
    assert found.robustness.median_side == 72
    html = found.paths.html.read_text(encoding="utf-8")
    assert all(one.words in html for one in STANDARD)
    assert html.count("<svg") == 7


def test_robustness_of_a_run(make_run: MakeRun, drawn: Drawn, tmp_path: Path) -> None:
    run = make_run("rgb")
    found = evaluate_models([run.folder], drawn.manifest, tmp_path, robustness="standard", pictures=6)
    assert found.robustness is not None
    assert found.robustness.n == 6
    first, *others = found.robustness.conditions
    assert len(others) == len(STANDARD)
    # Nobody trained this run: it says the same of every picture, and not what its made-up scores table says.
    logits = keras_scorer(load_model(run), parse_front_end("rgb"))(run.store().pixels[:4])
    probability = probabilities(read_state(run, "float").calibration, logits)
    assert abs(probability.mean() - 0.5) > 0.01
    assert first.overall.ece.value == pytest.approx(abs(probability.mean() - 0.5), abs=1e-3)


def test_a_set_of_corruptions_that_there_is_not_is_refused_at_once(drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"'all'.*none, standard"):
        evaluate_models([tmp_path / "nothing"], drawn.manifest, tmp_path, robustness="all")


def test_a_run_scores_its_training_rows_where_all_are_asked_for(
    make_run: MakeRun, drawn: Drawn, tmp_path: Path
) -> None:
    trained = make_run("rgb")
    frame = read_manifest(drawn.manifest).frame
    seen = (frame["source"] == "drawn") & frame["generator"].is_in(["camera", "checker"])
    found = evaluate_models([trained.folder], drawn.manifest, tmp_path / "all", which="all")
    assert read_scores(tmp_path / "all" / "scores.csv").height == frame.height
    assert f"{int((seen & (frame['split'] != 'test')).sum())} of {frame.height} rows" in found.notes[0]
    evaluate_models([trained.folder], drawn.manifest, tmp_path / "test")
    outside = int((~seen | (frame["split"] == "test")).sum())
    scores = read_scores(tmp_path / "test" / "scores.csv")
    assert scores.filter(~pl.col("seen") | (pl.col("split") == "test")).height == outside
