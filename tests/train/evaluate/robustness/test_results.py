"""Robustness: the figures are those of the scores, and page, JSON and CSV say the same."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import evaluate_scores
from train.evaluate.metrics import Interval, wilson
from train.evaluate.plain import from_plain
from train.evaluate.report.html import write_report
from train.evaluate.robustness.results import CorruptedScores, Robustness, evaluate_corrupted, hardest
from train.evaluate.robustness.strength_figure import robustness_figure
from train.evaluate.selection import rows_to_report

Scored = tuple[pl.DataFrame, OperatingPoints]


def as_is(rows: pl.DataFrame) -> CorruptedScores:
    return CorruptedScores("none", 0, "none", "as it is", rows["probability"].to_numpy())


def test_figures_are_those_of_the_scores(scored: Scored) -> None:
    rows, points = rows_to_report(scored[0]), scored[1]
    moved = np.roll(rows["probability"].to_numpy(), 7)
    before, after = evaluate_corrupted(
        rows, points, [as_is(rows), CorruptedScores("blur", 2, "blur(2)", "blurred", moved)], name="m", resamples=20
    )
    fake, seen = (rows["label"] == "fake").to_numpy(), rows["seen"].to_numpy()
    reference = seen & ~fake
    for metrics, fakes in ((after.overall, fake & seen), (after.unseen, fake & ~seen)):
        assert metrics is not None
        chosen = reference | fakes
        assert metrics.auc.value == pytest.approx(roc_auc_score(fake[chosen], moved[chosen]))
        assert (metrics.n_real, metrics.n_fake) == (reference.sum(), fakes.sum())
    assert after.fakes.fpr_1.value == pytest.approx((moved[fake & seen] >= points.fpr_1).mean())
    assert after.reals.fpr_1.value == pytest.approx((moved[reference] >= points.fpr_1).mean())
    assert after.unseen_fakes is not None
    assert after.unseen_fakes.fpr_1.value == pytest.approx((moved[fake & ~seen] >= points.fpr_1).mean())

    def verdicts(probability: np.ndarray) -> np.ndarray:
        unsure_from = min(points.unsure_from, points.balanced)
        return (probability >= unsure_from).astype(int) + (probability >= points.balanced)

    changed = int((verdicts(moved) != verdicts(rows["probability"].to_numpy())).sum())
    assert 0 < changed < rows.height
    assert after.flips.verdict == wilson(changed, rows.height)
    assert before.flips.verdict.value == before.flips.balanced.value == before.flips.mean_change == 0


def test_a_detector_that_saw_none_of_the_generators_has_no_unseen_ones_apart(scored: Scored) -> None:
    rows = rows_to_report(scored[0]).with_columns(seen=pl.lit(False))
    (one,) = evaluate_corrupted(rows, scored[1], [as_is(rows)], name="m", resamples=20)
    assert (one.unseen, one.unseen_fakes, one.fakes_are_seen) == (None, None, False)
    assert one.fakes.n == (rows["label"] == "fake").sum()
    assert "blur" not in hardest([one])


def test_the_hardest_is_told_with_its_figures(withstood: Robustness) -> None:
    conditions = withstood.of("float")
    sentence = hardest(conditions)
    assert "Hardest for float: noise of strength 10." in sentence
    worst = conditions[-1]
    assert min(one.overall.auc.value for one in conditions) == worst.overall.auc.value
    assert f"{worst.overall.auc.value:.3f} instead of {conditions[0].overall.auc.value:.3f}" in sentence


def test_what_cannot_be_evaluated_is_refused(scored: Scored) -> None:
    rows = rows_to_report(scored[0])
    with pytest.raises(TrainError, match="unchanged pictures"):
        evaluate_corrupted(
            rows, scored[1], [CorruptedScores("blur", 1, "b", "b", rows["probability"].to_numpy())], name="m"
        )
    with pytest.raises(TrainError, match="test split"):
        evaluate_corrupted(scored[0], scored[1], [as_is(scored[0])], name="m")


@pytest.fixture(scope="module")
def written(
    scored: Scored, make: Callable[..., Scored], withstood: Robustness, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    evaluations = [
        evaluate_scores(table, scored[1], name=name, resamples=20)
        for name, table in (("float", scored[0]), ("int8", make(noise=0.2)[0]))
    ]
    folder = tmp_path_factory.mktemp("robust")
    write_report(folder, evaluations, title="t", robustness=withstood)
    return folder


def section(folder: Path) -> str:
    html = (folder / "report.html").read_text(encoding="utf-8")
    return html[html.index("<h2>Robustness to changes") : html.index("<h2>The worst errors")]


def test_json_gives_robustness_back(written: Path, withstood: Robustness) -> None:
    document = json.loads((written / "report.json").read_text(encoding="utf-8"))
    assert from_plain(Robustness, document["robustness"]) == withstood


def test_the_page_shows_what_the_json_says(written: Path) -> None:
    document = json.loads((written / "report.json").read_text(encoding="utf-8"))["robustness"]
    shown = section(written)
    table = re.findall(r"<tr>(.*?)</tr>", shown[shown.index("<tbody>") :], re.DOTALL)
    rows: dict[tuple[str, str], list[str]] = {}
    words = ""
    for line in table:
        heading = re.search(r"<th[^>]*>(.*?)</th>", line)
        words = unescape(heading[1]) if heading else words
        cells = re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)
        rows[words, cells[0]] = [re.sub(r"<[^>]+>", " ", cell).split()[0] for cell in cells[1:]]
    assert len(rows) == len(document["conditions"]) == 8
    for one in document["conditions"]:
        expected: list[Any] = [f"{one['overall']['auc']['value']:.3f}", f"{one['unseen']['auc']['value']:.3f}"]
        shares = [one["overall"]["tpr_at_1"], one["fakes"]["fpr_1"], one["unseen_fakes"]["fpr_1"]]
        shares += [one["reals"]["fpr_1"], one["flips"]["verdict"]]
        expected += [f"{100 * share['value']:.1f}" for share in shares]
        if one["kind"] == "none":
            expected[-1] = "–"
        assert rows[one["words"], one["model"]] == expected
    assert f"All {document['n']} evaluated pictures" in shown
    assert f"{document['n_real']} real and {document['n_fake']} fake" in shown


def test_a_sample_is_called_one(scored: Scored, withstood: Robustness, tmp_path: Path) -> None:
    evaluation = evaluate_scores(scored[0], scored[1], name="float", resamples=5)
    write_report(tmp_path, [evaluation], title="t", robustness=replace(withstood, n_judged=2000))
    assert f"{withstood.n} of the 2,000 evaluated pictures, " in section(tmp_path)


def test_csv_says_the_same(written: Path, withstood: Robustness) -> None:
    with (written / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["model"], row["set"], row["name"], row["seen"], row["metric"]) for row in rows]
    assert len(keys) == len(set(keys))
    found = dict(zip(keys, rows, strict=True))

    def interval(model: str, which: str, name: str, seen: str, metric: str) -> Interval:
        row = found[model, which, name, seen, metric]
        return Interval(*(float(row[name]) for name in ("value", "low", "high")))

    for one in withstood.conditions:
        assert one.unseen is not None
        assert one.unseen_fakes is not None
        assert interval(one.model, "disturbed", one.text, "True", "auc") == one.overall.auc
        assert interval(one.model, "disturbed", one.text, "False", "auc") == one.unseen.auc
        assert interval(one.model, "disturbed", one.text, "False", "called_fake_fpr_1") == one.unseen_fakes.fpr_1
        assert interval(one.model, "disturbed reals", one.text, "", "called_fake_fpr_1") == one.reals.fpr_1
        assert interval(one.model, "disturbed all", one.text, "", "changed_verdict") == one.flips.verdict


def test_every_strength_is_in_the_figure(withstood: Robustness) -> None:
    svg = robustness_figure(withstood.of("float"))
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    for text in ("JPEG quality", "noise, sigma", "75", "30", "10", "as is", "fakes of unseen generators"):
        assert text in texts
    assert "blur, sigma in px" not in texts


def test_without_robustness_the_page_is_silent(scored: Scored, tmp_path: Path) -> None:
    evaluation = evaluate_scores(scored[0], scored[1], name="m", resamples=5)
    html = write_report(tmp_path, [evaluation], title="t").html.read_text(encoding="utf-8")
    assert "Robustness to changes" not in html
    assert json.loads((tmp_path / "report.json").read_text())["robustness"] is None
