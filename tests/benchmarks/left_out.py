"""What detectors make of generators and cameras that they never saw, as two tables in Markdown.

    .venv/bin/python tests/benchmarks/left_out.py runs/fold-a runs/fold-b runs/fold-c

Each run was trained without some generators and some real sources (`data.held_out` in its recipe) and has scored all of
their pictures. For every generator left out: AUC and TPR at 1 % FPR against the test split's reals of sources in
training, AUC against the reals of sources left out, and how many are called fake at the run's own 1 % point. For every
source left out: how many of its reals are called fake there. The 1 % point is chosen on validation reals of sources in
training, by the rule of the shipped one. Intervals of 95 %: Wilson for shares, bootstrap over pictures for AUC.
Runs of several seeds leave out the same: then two more tables give the mean over the runs, with the lowest and the
highest. Takes a few seconds a run.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binomtest

from train.evaluate.calibration import FPR_1, equal_weights
from train.evaluate.metrics import Interval, Metrics, compute_metrics
from train.evaluate.ranked import Ranked, false_alarms_at_most
from train.evaluate.scores import read_scores
from train.evaluate.selection import without_reconstructions

GENERATED = ("gan", "diffusion", "unknown")
"""Families of whole generated pictures: the mean is theirs. Reconstructions and edits come after it."""


def one_percent_point(scores: pl.DataFrame) -> float:
    """The threshold at which at most 1 % of the seen validation reals are called fake, by weight and by number.

    As `train.fit.scoring` chooses the shipped one, but for the weights: here every source weighs the same, however few
    pictures it has.
    """
    val = without_reconstructions(scores.filter(pl.col("seen"), split="val"))
    reals, fakes = val.filter(label="real"), Ranked.of(val.filter(label="fake")["probability"].to_numpy())
    probability = reals["probability"].to_numpy()
    weighings = (equal_weights(reals["source"].to_list()), None)
    return max(false_alarms_at_most(Ranked.of(probability, one), fakes, FPR_1) for one in weighings)


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
    if len({name for _, name, *_ in fakes}) < len(fakes):
        print("\n" + over_seeds(fakes, others, reals))


def over_seeds(
    fakes: Sequence[tuple[str, str, int, Metrics, Metrics]],
    others: Sequence[tuple[str, str, int, Metrics, Metrics]],
    reals: Sequence[tuple[str, str, int, int]],
) -> str:
    """Tables in Markdown of what runs that differ in their seed alone make of the same generators and sources."""
    lines = [
        "| generator left out | trainings | AUC | TPR at 1 % FPR | AUC, cameras left out too | called fake | ECE |",
        "|---|---|---|---|---|---|---|",
    ]
    means = []
    for rows in (fakes, others):
        for name in sorted({row[1] for row in rows}):
            mine = [
                (m.auc.value, 100 * m.tpr_at_1.value, o.auc.value, 100 * m.recall.value, m.ece.value)
                for _, one, _, m, o in rows
                if one == name
            ]
            auc, tpr, other, caught, ece = np.transpose(mine)
            if rows is fakes:
                means.append(np.mean(mine, 0))
            lines.append(
                f"| {name} | {len(mine)} | {_range(auc, 3)} | {_range(tpr, 0)} % | {_range(other, 3)} "
                f"| {_range(caught, 0)} % | {_range(ece, 3)} |"
            )
        if rows is fakes:
            auc, tpr, other, caught, ece = np.mean(means, 0)
            lines.append(f"| **mean** | | {auc:.3f} | {tpr:.0f} % | {other:.3f} | {caught:.0f} % | {ece:.3f} |")
    lines += ["", "| real source left out | pictures | trainings | called fake at 1 % |", "|---|---|---|---|"]
    shares = []
    for name in sorted({row[1] for row in reals}):
        found = [100 * k / n for _, one, n, k in reals if one == name]
        shares.append(np.mean(found))
        count = next(n for _, one, n, _ in reals if one == name)
        lines.append(f"| {name} | {count} | {len(found)} | {_range(found, 1)} % |")
    return "\n".join([*lines, f"| **mean of sources** | | | {np.mean(shares):.1f} % |"])


def _range(values: Sequence[float] | np.ndarray, digits: int) -> str:
    """The mean of values, with the lowest and the highest."""
    low, mean, high = (f"{value:.{digits}f}" for value in (np.min(values), np.mean(values), np.max(values)))
    return mean if len(values) == 1 else f"{mean} ({low} to {high})"


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
