"""What detectors make of generators and cameras that they never saw, as two tables in Markdown.

    .venv/bin/python tests/benchmarks/left_out.py runs/fold-a runs/fold-b runs/fold-c

Each run was trained without some generators and some real sources (`data.held_out` in its recipe) and has scored all of
their pictures. For every generator left out: AUC and TPR at 1 % FPR against the test split's reals of sources in
training, AUC against the reals of sources left out, and how many are called fake at the run's own 1 % point. For every
source left out: how many of its reals are called fake there. The 1 % point is chosen on validation reals of sources in
training, every source weighing the same. Intervals of 95 %: Wilson for shares, bootstrap over pictures for AUC.
Takes a few seconds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binomtest

from train.evaluate.metrics import Interval, Metrics, compute_metrics
from train.evaluate.scores import read_scores

FALSE_ALARMS = 0.01
GENERATED = ("gan", "diffusion", "unknown")
"""Families of whole generated pictures: the mean is theirs. Reconstructions and edits come after it."""


def one_percent_point(scores: pl.DataFrame) -> float:
    """The lowest threshold at which at most 1 % of the seen sources' validation reals are called fake.

    Every source weighs the same, however many pictures it has.
    """
    reals = scores.filter(pl.col("seen"), split="val", label="real")
    weight = 1 / reals.select(pl.len().over("source")).to_series().to_numpy()
    probability = reals["probability"].to_numpy()
    order = np.argsort(-probability)
    above = np.cumsum(weight[order]) / weight.sum()
    first = int(np.searchsorted(above, FALSE_ALARMS, side="right"))
    return float(np.nextafter(probability[order][first], np.float32(1)))


def generators(
    scores: pl.DataFrame, point: float, families: Sequence[str] = GENERATED
) -> list[tuple[str, int, Metrics, Metrics]]:
    """For every generator left out: name, pictures, figures against seen sources' reals and left-out ones'."""
    seen_reals = scores.filter(pl.col("seen"), split="test", label="real")
    other_reals = scores.filter(~pl.col("seen"), label="real")
    fakes = scores.filter(~pl.col("seen"), pl.col("family").is_in(families))
    rows = []
    # Fakes of a generator in training whose source is left out (reconstructions of left-out cameras) are no new kind.
    known = set(scores.filter("seen")["generator"])
    for generator in sorted(set(fakes["generator"]) - known):
        chosen = fakes.filter(generator=generator)
        against = (_evaluated(seen_reals, chosen, point), _evaluated(other_reals, chosen, point))
        rows.append((generator, chosen.height, *against))
    return rows


def _evaluated(reals: pl.DataFrame, fakes: pl.DataFrame, point: float) -> Metrics:
    both = pl.concat([reals, fakes])
    return compute_metrics((both["label"] == "fake").to_numpy(), both["probability"].to_numpy(), point, resamples=400)


def sources(scores: pl.DataFrame, point: float) -> list[tuple[str, int, int]]:
    """Source, pictures and false alarms of every real source left out."""
    reals = scores.filter(~pl.col("seen"), label="real")
    counted = reals.group_by("source").agg(pl.len().alias("n"), (pl.col("probability") >= point).sum().alias("k"))
    return [(row["source"], row["n"], row["k"]) for row in counted.sort("source").to_dicts()]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--state", default="float")
    options = parser.parse_args()
    fakes, others, reals = [], [], []
    for run in options.runs:
        scores = read_scores(run / "scores" / f"{options.state}.csv")
        point = one_percent_point(scores)
        fakes += [(run.name, *row) for row in generators(scores, point)]
        others += [(run.name, *row) for row in generators(scores, point, ("reconstruction", "edit"))]
        reals += [(run.name, *row) for row in sources(scores, point)]
    print(
        "| run | generator left out | pictures | AUC | TPR at 1 % FPR | AUC, cameras left out too | called fake | ECE |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(map(_line, fakes)))
    figures = [[m.auc.value, 100 * m.tpr_at_1.value, o.auc.value, 100 * m.recall.value] for *_, m, o in fakes]
    auc, tpr, auc_other, caught = np.mean(figures, axis=0)
    print(f"| mean | | | {auc:.3f} | {tpr:.0f} % | {auc_other:.3f} | {caught:.0f} % | |")
    print("\n".join(map(_line, others)))
    print("\n| run | real source left out | pictures | called fake at 1 % |\n|---|---|---|---|")
    for run_name, source, n, k in reals:
        found = binomtest(k, n).proportion_ci(method="wilson")
        print(f"| {run_name} | {source} | {n} | {100 * k / n:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}] |")
    print(f"| mean of sources | | | {100 * np.mean([k / n for _, _, n, k in reals]):.1f} % |")


def _line(row: tuple[str, str, int, Metrics, Metrics]) -> str:
    run, generator, count, seen, other = row
    return (
        f"| {run} | {generator} | {count} | {_number(seen.auc)} | {100 * seen.tpr_at_1.value:.0f} % "
        f"| {_number(other.auc)} | {_percent(seen.recall)} | {seen.ece.value:.3f} |"
    )


def _number(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _percent(interval: Interval) -> str:
    return f"{100 * interval.value:.0f} % [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


if __name__ == "__main__":
    main()
