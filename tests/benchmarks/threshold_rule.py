"""How far the 1 % and 0.5 % points may be believed: chosen on one half of the validation reals, counted on the other.

    .venv/bin/python tests/benchmarks/threshold_rule.py runs/faces/scores/qat-int8.csv runs/all.csv

Three rules: reals of every source weighing alike, reals by number, and the higher of the two thresholds. Halves are of
groups of near-duplicates, drawn a hundred times. The test split is not read. Takes about a minute.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from train.data.manifest import read_manifest
from train.evaluate.calibration import FPR_05, FPR_1, equal_weights
from train.evaluate.ranked import Ranked, false_alarms_at_most
from train.evaluate.scores import read_scores
from train.evaluate.selection import without_reconstructions
from train.fit.scoring import FULL_SOURCE

HALVES, SEED = 100, 0
RULES = {"sources alike": ("alike",), "by number": ("number",), "the higher of both": ("alike", "number")}


def choose(rows: pl.DataFrame, weighing: tuple[str, ...], rate: float) -> float:
    """The highest threshold that false alarms at most `rate` give under each way of weighing the reals."""
    reals, fakes = (rows.filter(label=label) for label in ("real", "fake"))
    scores, ranked_fakes = reals["probability"].to_numpy(), Ranked.of(fakes["probability"].to_numpy())
    weights = {"alike": equal_weights(reals["source"].to_list(), FULL_SOURCE), "number": None}
    return max(false_alarms_at_most(Ranked.of(scores, weights[one]), ranked_fakes, rate) for one in weighing)


def count(rows: pl.DataFrame, threshold: float) -> tuple[float, float, float]:
    """Reals called fake as the mean of sources and by number, and fakes called fake: shares."""
    called = rows.with_columns(called=pl.col("probability") >= threshold)
    reals = called.filter(label="real")
    by_source = reals.group_by("source").agg(pl.col("called").mean())["called"]
    return float(by_source.mean()), float(reals["called"].mean()), float(called.filter(label="fake")["called"].mean())  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("manifest", type=Path)
    args = parser.parse_args()
    groups = read_manifest(args.manifest).frame.select("path", "group")
    rows = without_reconstructions(read_scores(args.scores).filter(pl.col("seen"), split="val")).join(groups, on="path")
    names = rows["group"].unique().sort()
    print("| rule | rate | reals called fake, mean of sources | all reals | fakes called fake |\n|---|---|---|---|---|")
    for rule, weighing in RULES.items():
        for rate in (FPR_1, FPR_05):
            random = np.random.default_rng(SEED)
            found = []
            for _ in range(HALVES):
                half = names.gather(random.permutation(len(names))[: len(names) // 2]).implode()
                chosen_on = pl.col("group").is_in(half)
                found.append(count(rows.filter(~chosen_on), choose(rows.filter(chosen_on), weighing, rate)))
            sources, reals, fakes = (f"{100 * value:.1f} %" for value in np.mean(found, 0))
            print(f"| {rule} | {100 * rate:g} % | {sources} | {reals} | {fakes} |")


if __name__ == "__main__":
    main()
