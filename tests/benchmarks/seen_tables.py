"""The tables of docs/results/detector.md on the test split, in Markdown, from a scores table and the detector it is of.

    .venv/bin/python tests/benchmarks/seen_tables.py RUN/scores/ptq-int8.csv BUNDLE [--matched stylegan:ffhq-256]

For every generator in training: AUC and TPR at 1 % FPR against all test reals, and what is called fake at each of the
detector's operating points; `--matched` adds a generator against one real source alone. For every real source: what is
called fake, and unsure at the balanced point. Reconstructions and edits stand apart. Intervals of 95 %: Wilson for
shares, bootstrap over pictures for AUC. `--without recon` leaves out pictures whose path holds this text, such as the
reduced copies of reals that `data reconstruct --scale` writes beside its reconstructions.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from export.artifacts.description import Description
from export.artifacts.metadata import read_description
from export.inference.detector import read_detector
from train.evaluate.decision import POINTS
from train.evaluate.metrics import Interval, Metrics, compute_metrics, wilson
from train.evaluate.scores import read_scores

APART = ("reconstruction", "edit")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("detector", type=Path)
    parser.add_argument("--matched", default="", help="GENERATOR:SOURCE")
    parser.add_argument("--without", metavar="TEXT", help="leave out pictures whose path holds this")
    options = parser.parse_args()
    description = read_description(read_detector(options.detector))
    scores = read_scores(options.scores).filter(pl.col("split") == "test")
    if options.without:
        scores = scores.filter(~pl.col("path").str.contains(options.without, literal=True))
    reals, fakes = scores.filter(label="real"), scores.filter(label="fake")
    whole = fakes.filter("seen", ~pl.col("family").is_in(APART))
    print(f"| generator | pictures | AUC | TPR at 1 % | {' | '.join(POINTS)} |\n|---|---|---|---|---|---|---|")
    for (name,), group in whole.group_by("generator", maintain_order=True):
        print(_fake_row(str(name), group, reals, description))
    if options.matched:
        generator, source = options.matched.split(":")
        group, against = whole.filter(generator=generator), reals.filter(source=source)
        print(_fake_row(f"{generator} against {source} alone", group, against, description))
    print(_fake_row("**all of these**", whole, reals, description))
    apart = fakes.filter(pl.col("family").is_in(APART))
    for (name,), group in apart.group_by("generator", maintain_order=True):
        print(_fake_row(str(name), group, reals, description))
    print(f"\n| real source | pictures | {' | '.join(POINTS)} | unsure (balanced) |\n|---|---|---|---|---|---|")
    groups = list(reals.group_by("source", maintain_order=True))
    for (name,), group in groups:
        print(_real_row(str(name), group, description))
    means = [np.mean([_called(group, description, point).value for _, group in groups]) for point in POINTS]
    print(f"| **mean of {len(groups)} sources** | | {' | '.join(f'{100 * mean:.1f} %' for mean in means)} | |")
    print(_real_row("**all of them**", reals, description))
    unsure = _unsure(reals, description)
    metrics = _metrics(whole, reals)
    print(f"\nReals that are unsure (balanced): {_percent(unsure)}. ECE {metrics.ece.value:.3f}.")


def _fake_row(name: str, fakes: pl.DataFrame, reals: pl.DataFrame, description: Description) -> str:
    found = _metrics(fakes, reals)
    called = " | ".join(f"{100 * _called(fakes, description, point).value:.0f} %" for point in POINTS)
    auc = f"{found.auc.value:.3f} [{found.auc.low:.3f}, {found.auc.high:.3f}]"
    return f"| {name} | {fakes.height} | {auc} | {100 * found.tpr_at_1.value:.0f} % | {called} |"


def _real_row(name: str, reals: pl.DataFrame, description: Description) -> str:
    called = " | ".join(_percent(_called(reals, description, point)) for point in POINTS)
    return f"| {name} | {reals.height} | {called} | {100 * _unsure(reals, description).value:.0f} % |"


def _metrics(fakes: pl.DataFrame, reals: pl.DataFrame) -> Metrics:
    both = pl.concat([reals, fakes])
    return compute_metrics((both["label"] == "fake").to_numpy(), both["probability"].to_numpy(), 0.5, resamples=400)


def _called(rows: pl.DataFrame, description: Description, point: str) -> Interval:
    fake_from = description.operating_points[point].fake_from
    return wilson(int((rows["probability"] >= fake_from).sum()), rows.height)


def _unsure(rows: pl.DataFrame, description: Description) -> Interval:
    decision = description.operating_points["balanced"]
    found = rows.filter(pl.col("probability") < decision.fake_from, pl.col("probability") >= decision.unsure_from)
    return wilson(found.height, rows.height)


def _percent(share: Interval) -> str:
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


if __name__ == "__main__":
    main()
