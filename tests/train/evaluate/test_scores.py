"""The scores table survives its CSV and refuses what it is not."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from train.common.errors import TrainError
from train.evaluate.calibration import OperatingPoints
from train.evaluate.scores import SCORE_COLUMNS, check_scores, log_odds_of, read_scores, write_scores

Scored = tuple[pl.DataFrame, OperatingPoints]


def test_csv_keeps_every_bit(scored: Scored, tmp_path: Path) -> None:
    table, _ = scored
    hard = table.with_columns(
        path=pl.concat_str(pl.lit('odd, "name" ü '), "path"),
        log_odds=pl.Series(np.random.default_rng(0).normal(size=table.height).astype(np.float32) * 1e-7),
    )
    write_scores(hard, tmp_path / "deep" / "scores.csv")
    assert_frame_equal(read_scores(tmp_path / "deep" / "scores.csv"), hard, check_exact=True)


def test_parquet_keeps_every_bit_and_other_programs_read_it(scored: Scored, tmp_path: Path) -> None:
    table = scored[0].with_columns(path=pl.concat_str(pl.lit("=odd, ü "), "path"))
    path = tmp_path / "deep" / "scores.parquet"
    write_scores(table, path)
    assert_frame_equal(read_scores(path), table, check_exact=True)
    # As it stands, without the apostrophe that CSV needs.
    assert_frame_equal(pl.read_parquet(path), table, check_exact=True)


def test_a_damaged_parquet_is_one_sentence(scored: Scored, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    write_scores(scored[0], path)
    data = path.read_bytes()
    random = np.random.default_rng(0)
    for number in range(60):
        damaged = bytearray(data[: random.integers(4, len(data))] if number % 3 == 0 else data)
        for place in random.integers(4, len(damaged), 0 if number % 3 == 0 else 20):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_scores(path).height > 0
        except TrainError as refused:
            assert str(refused).startswith(str(path)) and "\n" not in str(refused)
    path.write_bytes(b"PAR1")
    with pytest.raises(TrainError, match="is not a Parquet table"):
        read_scores(path)


def test_a_parquet_of_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.common.documents.MAX_ROWS", 99)
    pl.DataFrame({"path": ["a"] * 100}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(TrainError, match="has 100 rows, more than the 99 that are read"):
        read_scores(tmp_path / "a.parquet")


def test_a_number_for_a_name_stays_text(scored: Scored, tmp_path: Path) -> None:
    table = scored[0].with_columns(source=pl.lit("2021"), generator=pl.lit("007"))
    write_scores(table, tmp_path / "scores.csv")
    assert read_scores(tmp_path / "scores.csv")["generator"][0] == "007"


def test_other_columns_are_dropped_and_order_is_fixed(scored: Scored) -> None:
    shuffled = scored[0].select(reversed(list(SCORE_COLUMNS))).with_columns(extra=pl.lit(1))
    assert_frame_equal(check_scores(shuffled), scored[0])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"label": pl.lit("maybe")}, "unknown label 'maybe'"),
        ({"split": pl.lit("dev")}, "unknown split 'dev'"),
        ({"path": pl.lit("same.jpg")}, "same.jpg more than once"),
        ({"probability": pl.lit(1.5)}, r"not in 0\.\.1"),
        ({"log_odds": pl.lit(float("nan"))}, "not numbers"),
        ({"source": pl.lit(None, pl.String)}, "without a source"),
        ({"log_odds": pl.lit("high")}, "wrong kind"),
    ],
)
def test_bad_values_are_refused_by_name(scored: Scored, change: dict[str, pl.Expr], word: str) -> None:
    with pytest.raises(TrainError, match=word):
        check_scores(scored[0].with_columns(**change))


def test_missing_columns_rows_and_files_are_refused(scored: Scored, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no column seen"):
        check_scores(scored[0].drop("seen"))
    with pytest.raises(TrainError, match="no rows"):
        check_scores(scored[0].clear())
    with pytest.raises(TrainError, match=r"none\.csv does not exist"):
        read_scores(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(TrainError, match=r"empty\.csv"):
        read_scores(tmp_path / "empty.csv")


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_table_of_format_1_is_read_whichever_logit_it_has(scored: Scored, tmp_path: Path, calibrated: bool) -> None:
    logit = pl.col("log_odds") if calibrated else 3 * pl.col("log_odds") - 1
    scored[0].with_columns(logit=logit).drop("log_odds").write_csv(tmp_path / "scores.csv")
    read = read_scores(tmp_path / "scores.csv")
    assert_frame_equal(read.drop("log_odds"), scored[0].drop("log_odds"), check_exact=True)
    np.testing.assert_allclose(read["log_odds"], scored[0]["log_odds"], atol=1e-3, rtol=5e-3)


def test_a_logit_of_format_1_that_is_no_number_is_refused(scored: Scored, tmp_path: Path) -> None:
    scored[0].with_columns(logit=pl.lit(float("inf"))).drop("log_odds").write_csv(tmp_path / "scores.csv")
    with pytest.raises(TrainError, match="not numbers"):
        read_scores(tmp_path / "scores.csv")


def test_log_odds_are_scipys_and_finite_at_the_ends() -> None:
    from scipy.special import logit

    p = np.linspace(0.001, 0.999, 99)
    np.testing.assert_allclose(log_odds_of(p), logit(p).astype(np.float32), rtol=1e-6)
    assert np.isfinite(log_odds_of([0.0, 1.0])).all()
