"""Which of several trained states to ship: figures on the validation split alone, as a table in Markdown.

    .venv/bin/python tests/benchmarks/candidates.py runs/a/scores/float.csv runs/b/scores/float.csv ...

Each table of scores is of a run on the same pictures; rows that one of them lacks are left out for all. Real sources
and generators weigh alike, reconstructions and edits do not count. Figures: AUC, and TPR at 0.5, 1, 2 and 5 % FPR with
their mean, because each alone rests on few photographs. The test split is not read. Takes a few seconds.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from train.evaluate.calibration import equal_weights
from train.evaluate.scores import read_scores
from train.evaluate.selection import without_reconstructions
from train.fit.scoring import FULL_SOURCE

RATES = (0.005, 0.01, 0.02, 0.05)


def validation_rows(tables: list[Path]) -> list[pl.DataFrame]:
    """Each table's reported validation rows that all tables have, in one order."""
    found = [without_reconstructions(read_scores(table).filter(pl.col("seen"), split="val")) for table in tables]
    for other in found[1:]:
        found[0] = found[0].join(other.select("path"), on="path", how="semi")
    return [rows.join(found[0].select("path"), on="path", how="semi").sort("path") for rows in found]


def figures(rows: pl.DataFrame) -> list[float]:
    """AUC, then TPR at each of RATES, sources and generators weighing alike."""
    fake = (rows["label"] == "fake").to_numpy()
    names = rows.select(pl.when(label="real").then("source").otherwise("generator")).to_series().to_list()
    weights = equal_weights(names, FULL_SOURCE)
    score = rows["log_odds"].to_numpy().astype(float)
    order = np.argsort(-score)
    false_alarms = np.cumsum(weights[order] * ~fake[order]) / weights[~fake].sum()
    caught = np.cumsum(weights[order] * fake[order]) / weights[fake].sum()
    return [
        float(roc_auc_score(fake, score, sample_weight=weights)),
        *(float(caught[false_alarms <= rate].max(initial=0)) for rate in RATES),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", nargs="+", type=Path)
    tables = parser.parse_args().scores
    rows = validation_rows(tables)
    print(f"{len(rows[0])} validation pictures\n")
    rates = " | ".join(f"TPR at {100 * rate:g} %" for rate in RATES)
    print(f"| scores | AUC | {rates} | mean TPR |\n|---|---|{'---|' * len(RATES)}---|")
    for table, one in zip(tables, rows, strict=True):
        auc, *caught = figures(one)
        shares = " | ".join(f"{value:.3f}" for value in (*caught, float(np.mean(caught))))
        print(f"| {table.parent.parent.name}, {table.stem} | {auc:.4f} | {shares} |")


if __name__ == "__main__":
    main()
