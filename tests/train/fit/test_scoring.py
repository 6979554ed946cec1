"""What calibration and thresholds are chosen on."""

import polars as pl

from train.fit.scoring import rows_met_in_life


def test_reconstructions_choose_no_threshold_where_there_are_other_fakes() -> None:
    frame = pl.DataFrame(
        {"label": ["real", "fake", "fake"], "family": ["camera", "gan", "reconstruction"], "log_odds": [0.0, 2.0, 1.0]}
    )
    assert rows_met_in_life(frame)["log_odds"].to_list() == [0.0, 2.0]
    only = frame.filter(pl.col("family") != "gan")
    assert rows_met_in_life(only).height == 2
