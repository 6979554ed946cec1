"""The support vector machine against scikit-learn used directly, and its report against scikit-learn's figures."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import TrainError
from train.common.own_files import REPORT, SVM, foreign_file, in_folder
from train.features.svm import SvmSettings, fit_svm, macro_f1_interval, svm_report
from train.features.table import FeatureNote, FeatureTable, write_features

COUNT = 240


@pytest.fixture(scope="module")
def features() -> FeatureTable:
    """Reals inside a shell of fakes, which no plane parts: the kernel matters. One generator is held out in tests."""
    random = np.random.default_rng(2)
    fake = np.arange(COUNT) % 2 == 1
    values = random.normal(size=(COUNT, 3)) * np.where(fake, 3.0, 1.0)[:, None] * np.array([1, 1, 40])
    rows = pl.DataFrame(
        {
            "path": [f"{i}.png" for i in range(COUNT)],
            "sha256": ["0" * 64] * COUNT,
            "label": np.where(fake, "fake", "real"),
            "generator": np.where(fake, np.where(np.arange(COUNT) % 10 == 1, "new", "old"), "camera"),
            "family": np.where(fake, "gan", "camera"),
            "source": "drawn",
            "group": [str(i // 2) for i in range(COUNT)],
            "split": [("train", "train", "val", "test")[i // 2 % 4] for i in range(COUNT)],
        }
    )
    note = FeatureNote("none", "upright|square|resize(32)", "drop", "0" * 64, "gone.csv")
    return FeatureTable(rows, values.astype(np.float32), note)


def test_the_best_machine_is_that_of_scikit_learn(features: FeatureTable) -> None:
    train = (features.rows["split"] == "train").to_numpy()
    values, fake = features.values[train], (features.rows["label"] == "fake").to_numpy()[train]
    groups = features.rows["group"].to_numpy()[train]
    fitted = fit_svm(values, fake, groups, SvmSettings(seed=4))
    assert fitted.best.kernel == "rbf"
    assert len(fitted.grid) == 10
    assert fitted.best.auc == max(one.auc for one in fitted.grid)
    scaler = StandardScaler().fit(values)
    machine = SVC(kernel=fitted.best.kernel, C=fitted.best.cost, class_weight="balanced")
    machine.fit(scaler.transform(values), fake)
    np.testing.assert_allclose(
        fitted.machine.decision_function(features.values),
        machine.decision_function(scaler.transform(features.values)),
        atol=1e-6,
    )
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=4)
    aucs = cross_val_score(fitted.machine, values, fake, groups=groups, cv=folds, scoring="roc_auc")
    assert fitted.best.auc == pytest.approx(aucs.mean())
    assert fitted.grid == fit_svm(values, fake, groups, SvmSettings(seed=4)).grid


def test_pictures_of_a_group_are_not_parted() -> None:
    # FeatureTable say which group a picture is of, and nothing of its class: parted groups would be recognised.
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), 4)
    fake = np.repeat(random.permutation(60) % 2 == 0, 4)
    values = random.normal(size=(60, 20)).repeat(4, axis=0) + random.normal(0, 0.01, (240, 20))
    fitted = fit_svm(values.astype(np.float32), fake, groups.astype(str), SvmSettings())
    assert fitted.best.auc < 0.75
    alone = fit_svm(values.astype(np.float32), fake, np.arange(240).astype(str), SvmSettings())
    assert alone.best.auc > 0.95


def test_the_report_has_scikit_learns_figures(features: FeatureTable, tmp_path: Path) -> None:
    found = svm_report(features, SvmSettings(held_out=("new",), folds=3), tmp_path, "t", tmp_path)
    assert foreign_file(in_folder(tmp_path, REPORT | SVM)) is None
    scores = pl.read_csv(tmp_path / "scores.csv")
    assert set(scores.filter(pl.col("generator") == "new")["seen"]) == {False}
    assert "train" not in set(scores.filter("seen")["split"])
    seen = scores.filter(pl.col("seen") & (pl.col("split") == "test"))
    expected = roc_auc_score(seen["label"] == "fake", seen["probability"])
    assert found.evaluation.overall.auc.value == pytest.approx(expected, abs=1e-6)
    reported = scores.filter(~pl.col("seen") | (pl.col("split") == "test"))
    called = reported["probability"] >= found.evaluation.points.balanced
    expected = f1_score(reported["label"] == "fake", called, average="macro")
    assert found.macro_f1.value == pytest.approx(expected)
    plain = json.loads((tmp_path / "svm.json").read_text())
    assert plain["macro_f1"] == found.macro_f1.value
    assert plain["macro_f1_interval"] == [found.macro_f1.low, found.macro_f1.high]
    assert plain["best"]["kernel"] == "rbf"
    assert (tmp_path / "report.html").exists()


def test_the_interval_of_macro_f1_is_that_of_resampled_groups() -> None:
    """Against scikit-learn's figure of resamples drawn one by one; groups of two make it wider than pictures alone."""
    random = np.random.default_rng(1)
    fake = np.repeat(random.random(60) < 0.5, 2)
    right = np.repeat(random.random(60) < 0.7, 2)
    rows = pl.DataFrame(
        {
            "label": np.where(fake, "fake", "real"),
            "group": np.repeat(np.arange(60), 2).astype(str),
            "probability": np.where(fake == right, 0.9, 0.1),
        }
    )
    found = macro_f1_interval(rows, 0.5)
    drawn = []
    for _ in range(2000):
        picked = random.integers(0, 60, 60)
        places = np.concatenate([2 * picked, 2 * picked + 1])
        drawn.append(f1_score(fake[places], rows["probability"].to_numpy()[places] >= 0.5, average="macro"))
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.02)
    alone = macro_f1_interval(rows.with_columns(group=pl.Series(map(str, range(120)))), 0.5)
    assert alone.value == found.value
    assert alone.high - alone.low < 0.85 * (found.high - found.low)


def test_too_few_groups_for_the_folds(features: FeatureTable) -> None:
    fake = np.array([True] * 4 + [False] * 20)
    with pytest.raises(TrainError, match=r"A class has 4 groups .* fewer than the 5 folds: pass --folds 4"):
        fit_svm(features.values[:24], fake, np.arange(24).astype(str), SvmSettings())


def test_the_verb(features: FeatureTable, tmp_path: Path) -> None:
    write_features(features, tmp_path / "f.npz")
    words = ["svm", str(tmp_path / "f.npz"), "--out", str(tmp_path / "out"), "--folds", "2"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "macro F1" in done.output
    wrong = CliRunner().invoke(app, [*words, "--generators", "camera,flux"])
    assert wrong.exit_code == 2
    assert "'flux'" in wrong.output
