"""`evaluate` on another tool's scores: figures are scikit-learn's of the same numbers; a bad table is one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from typer.testing import CliRunner, Result

from export.release.foreign import score_foreign
from fauxlens import app
from train.data.manifest import COLUMNS, Manifest, read_manifest, write_manifest
from train.evaluate.foreign_scores import read_foreign_scores
from train.evaluate.scores import read_scores

COUNT = 240
Table = Callable[..., Path]


@pytest.fixture(scope="module")
def pictures() -> pl.DataFrame:
    """A manifest's rows, two fakes of five, of which a third is the validation split; and scores of them."""
    random = np.random.default_rng(4)
    fake = np.arange(COUNT) % 5 < 2
    return pl.DataFrame(
        {
            "path": [f"a/{index:03d}.jpg" for index in range(COUNT)],
            "sha256": [f"{index:064x}" for index in range(COUNT)],
            "phash": [f"{index:016x}" for index in range(COUNT)],
            "label": np.where(fake, "fake", "real"),
            "generator": np.where(fake, "gan", "camera"),
            "family": np.where(fake, "gan", "camera"),
            "source": np.where(fake, "f", "r"),
            "group": [f"{index}" for index in range(COUNT)],
            "split": [("val", "test", "train")[index // 5 % 3] for index in range(COUNT)],
            "format": "JPEG",
            **{name: [100 + index for index in range(COUNT)] for name in ("width", "height", "bytes")},
            "score": random.normal(size=COUNT) + 1.3 * fake,
        }
    ).with_columns(
        **{name: pl.lit(None, pl.Int64) for name in ("jpeg_quality", "faces")},
        **{name: pl.lit(None, pl.Float64) for name in ("eye_x", "eye_y", "eye_distance")},
    )


@pytest.fixture
def manifest(pictures: pl.DataFrame, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    write_manifest(Manifest(pictures.select(COLUMNS), tmp_path / "data"), tmp_path / "data" / "manifest.csv")
    # The page shows the worst mistakes.
    return tmp_path / "data" / "manifest.csv"


@pytest.fixture(autouse=True)
def no_thumbnails(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no pictures behind these rows."""
    monkeypatch.setattr("train.evaluate.report.build.view_thumbnails", lambda manifest, view, unclear: None)


def run(table: Path, manifest: Path, *words: str) -> Result:
    out = table.parent / "report"
    return CliRunner().invoke(app, ["evaluate", str(table), str(manifest), "--out", str(out), *words])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("key", ["path", "sha256"])
def test_figures_are_scikit_learns_on_the_rows_outside_the_validation_split(
    pictures: pl.DataFrame, manifest: Path, tmp_path: Path, suffix: str, key: str
) -> None:
    table = tmp_path / f"scores{suffix}"
    scores = pictures.select(key, "score").sample(fraction=1, shuffle=True, seed=1)
    scores.write_csv(table) if suffix == ".csv" else scores.write_parquet(table)
    done = run(table, manifest, "--json")
    assert done.exit_code == 0, done.output
    overall = json.loads(done.stdout)["judgements"][0]["overall"]
    rest = pictures.filter(pl.col("split") != "val")
    fake = (rest["label"] == "fake").to_numpy()
    assert overall["auc"]["value"] == pytest.approx(roc_auc_score(fake, rest["score"]), abs=1e-12)
    assert overall["ap"]["value"] == pytest.approx(average_precision_score(fake, rest["score"]), abs=1e-12)
    assert (overall["n_real"], overall["n_fake"]) == (96, 64)
    assert not read_scores(tmp_path / "report" / "scores.csv")["seen"].any()


def test_paths_start_at_the_manifest_the_table_or_anywhere(
    pictures: pl.DataFrame, manifest: Path, tmp_path: Path
) -> None:
    ways = [lambda one: f"data/{one}", lambda one: str(manifest.parent / one), lambda one: f"data/../data/./{one}"]
    if hasattr(os, "symlink"):
        (tmp_path / "link").symlink_to(manifest.parent)
        ways.append(lambda one: f"link/{one}")
    for way in ways:
        table = tmp_path / "scores.csv"
        pictures.select(path=pl.Series([way(one) for one in pictures["path"]]), score="score").write_csv(table)
        found = read_foreign_scores(table, read_manifest(manifest))
        assert found.frame.select("path", "score").equals(pictures.select("path", "score"))


def test_a_probability_stays_what_the_tool_says(pictures: pl.DataFrame, manifest: Path, tmp_path: Path) -> None:
    p = 1 / (1 + np.exp(-pictures["score"].to_numpy()))
    pictures.select("path", probability=pl.Series(p)).write_csv(tmp_path / "scores.csv")
    assert run(tmp_path / "scores.csv", manifest).exit_code == 0
    kept = read_scores(tmp_path / "report" / "scores.csv").join(
        pictures.select("path", p=pl.Series(p)), on="path", maintain_order="left"
    )
    np.testing.assert_array_equal(kept["probability"], kept["p"].cast(pl.Float32))


def test_far_scores_do_not_become_ties(pictures: pl.DataFrame) -> None:
    far = pictures.with_columns(score=pl.col("score").exp() ** 6)
    found = score_foreign("it", far, False).scored.scores
    rest = far.filter(pl.col("split") != "val")
    fake = (rest["label"] == "fake").to_numpy()
    assert roc_auc_score(fake, found["probability"]) == pytest.approx(roc_auc_score(fake, rest["score"]), abs=1e-12)


@pytest.mark.parametrize("size", [1e308, 1e200, 1.0, 1e-200, 1e-307])
@pytest.mark.filterwarnings("error")
def test_scores_of_any_size_keep_their_order(pictures: pl.DataFrame, size: float) -> None:
    score = pictures["score"].to_numpy()
    far = pictures.with_columns(score=pl.Series(score / np.abs(score).max() * size))
    found, plain = (score_foreign("it", rows, False).scored for rows in (far, pictures))
    np.testing.assert_allclose(found.scores["probability"], plain.scores["probability"], atol=1e-6)
    assert found.points.balanced == pytest.approx(plain.points.balanced, abs=1e-6)


def test_a_probability_outside_0_to_1_is_refused(pictures: pl.DataFrame, manifest: Path, tmp_path: Path) -> None:
    pictures.select("path", probability="score", other="score").write_csv(tmp_path / "scores.csv")
    done = run(tmp_path / "scores.csv", manifest)
    assert done.exit_code == 2
    outside = pictures.filter(~pl.col("score").is_between(0, 1))
    first = outside["path"][0]
    assert f"outside 0..1 as 'probability' in {outside.height} of its rows, the first for '{first}'" in done.stderr
    assert run(tmp_path / "scores.csv", manifest, "--scores-at", "other").exit_code == 0


def test_what_was_left_out_and_what_was_chosen_where_is_said(
    pictures: pl.DataFrame, manifest: Path, tmp_path: Path
) -> None:
    some = pictures.filter(pl.col("split") != "val").head(100).select("path", other=-pl.col("score"))
    extra = pl.DataFrame({"path": ["elsewhere.jpg"], "other": [0.5]})
    pl.concat([some, extra, some.head(3)]).write_csv(tmp_path / "scores.csv")
    done = run(tmp_path / "scores.csv", manifest, "--scores-at", "other", "--name", "Theirs")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    for sentence in (
        "1 scores are of pictures that are not in the manifest",
        "140 of 240 rows have no score",
        "chosen on the reported rows themselves",
        "is its score that of “real”?",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": float("nan")}, "no finite number as 'score' in 1 of its rows"),
        ({"score": None}, "no finite number as 'score' in 1 of its rows"),
        ({"path": "a/001.jpg"}, "with different scores"),
    ],
)
def test_a_bad_row_is_named(
    pictures: pl.DataFrame, manifest: Path, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    rows = pictures.select("path", "score").to_dicts()
    rows[0] |= change
    pl.DataFrame(rows).write_csv(tmp_path / "scores.csv")
    done = run(tmp_path / "scores.csv", manifest)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert sentence in done.stderr


def test_a_bad_table_is_one_sentence(pictures: pl.DataFrame, manifest: Path, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    cases: list[tuple[pl.DataFrame, str]] = [
        (pictures.select("score"), "no column path or sha256"),
        (pictures.select("path"), "no column score"),
        (pictures.select("path", score=pl.lit("high")), "no finite number"),
        (pictures.select(path=pl.lit("x/") + pl.col("path"), score="score"), "None of the 240 scores"),
        (pictures.filter(label="real").select("path", "score"), "no fake picture"),
        (pictures.select("path", "score").head(1), "picture"),
        (pictures.select("path", "score").head(0), "has no rows"),
    ]
    for frame, sentence in cases:
        frame.write_csv(table)
        done = run(table, manifest)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
        assert sentence in done.stderr
    for name, data in (("scores.csv", b""), ("scores.parquet", b"PAR1 no"), ("other.parquet", b"")):
        (tmp_path / name).write_bytes(data)
        done = run(tmp_path / name, manifest)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    pictures.select("path", "score").write_csv(table)
    done = run(table, manifest, "--robustness", "standard")
    assert done.exit_code == 2
    assert "omit --robustness" in done.stderr
