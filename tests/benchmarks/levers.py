"""What each lever of training brings to generators and cameras left out, as a table in Markdown with paired intervals.

    .venv/bin/python tests/benchmarks/levers.py runs/all.csv runs/baseline runs/arm ...

All runs leave out the same generators and real sources (`data.held_out`) and have scored them; an arm differs from the
first run, the baseline, in one lever. Figures, each on the pictures that every run has scored:

- AUC of the generators left out, mean over generators, against the test split's reals of sources in training;
- reals of the sources left out that are called fake at the run's own 1 % point (tests/benchmarks/left_out.py), mean
  over sources;
- AUC of the generators in training, mean over generators, on the test split.

Reconstructions and edits count as no generators. A difference is the arm minus the baseline, its interval of 95 % from
resamples of groups of near-duplicates, the same groups for both. It knows the chance of the pictures, not that of the
trainings: with one seed an arm is one draw. Takes about a minute.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from left_out import GENERATED, one_percent_point  # type: ignore[import-not-found]  # the script beside this one
from sklearn.metrics import roc_auc_score

from train.data.manifest import read_manifest
from train.evaluate.scores import read_scores

RESAMPLES, SEED = 1000, 1


@dataclass(frozen=True)
class Arm:
    """A run's P(fake) of the pictures that all runs have, [N], and its own 1 % point."""

    name: str
    probability: np.ndarray
    point: float


def read_arms(manifest: Path, runs: list[Path], state: str) -> tuple[pl.DataFrame, list[Arm]]:
    """The manifest's pictures that every run has scored, sorted by path, with their group, and what each run says."""
    tables = {run.name: read_scores(run / "scores" / f"{state}.csv") for run in runs}
    first, *others = tables.values()
    pictures = first.join(read_manifest(manifest).frame.select("path", "group"), on="path")
    for other in others:
        pictures = pictures.join(other, on="path", how="semi")
    pictures = pictures.sort("path")
    arms = [
        Arm(name, pictures.select("path").join(table, on="path")["probability"].to_numpy(), one_percent_point(table))
        for name, table in tables.items()
    ]
    return pictures, arms


def pair_sets(pictures: pl.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Positions of the pictures of each figure: by figure the generators or sources, and the reals they are held to."""
    rows = pictures.with_row_index("position")
    left, seen = rows.filter(~pl.col("seen")), rows.filter("seen", split="test")

    def by(frame: pl.DataFrame, column: str) -> dict[str, np.ndarray]:
        parts = frame.partition_by(column, as_dict=True, maintain_order=True)
        return {str(key[0]): part["position"].to_numpy() for key, part in sorted(parts.items())}

    made = pl.col("family").is_in(GENERATED)
    known = set(rows.filter("seen")["generator"])
    return {
        "left": by(left.filter(made, ~pl.col("generator").is_in(known)), "generator"),
        "seen": by(seen.filter(made), "generator"),
        "sources": by(left.filter(label="real"), "source"),
        "reals": {"": seen.filter(label="real")["position"].to_numpy()},
    }


def figures(arm: Arm, sets: Mapping[str, Mapping[str, np.ndarray]], counts: np.ndarray) -> np.ndarray:
    """The three figures, [3], of pictures that count so often, [N]."""
    reals = sets["reals"][""]
    found = []
    for kind in ("left", "sources", "seen"):
        if kind == "sources":
            shares = [
                np.average(arm.probability[chosen] >= arm.point, weights=counts[chosen])
                for chosen in sets[kind].values()
                if counts[chosen].any()
            ]
        else:
            shares = [
                roc_auc_score(
                    np.repeat([0, 1], [reals.size, chosen.size]),
                    arm.probability[np.concatenate([reals, chosen])],
                    sample_weight=counts[np.concatenate([reals, chosen])],
                )
                for chosen in sets[kind].values()
                if counts[chosen].any()
            ]
        found.append(float(np.mean(shares)))
    return np.array(found)


def draw_counts(pictures: pl.DataFrame, generator: np.random.Generator) -> np.ndarray:
    """How often each picture comes in a resample of the groups, with as many groups as there are, [N]."""
    groups = pictures["group"].rank("dense").to_numpy() - 1
    number = int(groups.max()) + 1
    return np.bincount(generator.integers(0, number, number), minlength=number)[groups]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--state", default="float")
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    options = parser.parse_args()
    pictures, arms = read_arms(options.manifest, options.runs, options.state)
    sets = pair_sets(pictures)
    whole = [figures(arm, sets, np.ones(pictures.height)) for arm in arms]
    generator = np.random.default_rng(SEED)
    drawn = np.array(
        [
            [figures(arm, sets, counts) for arm in arms]
            for counts in (draw_counts(pictures, generator) for _ in range(options.resamples))
        ]
    )
    print("| training | AUC, generators left out | photographs left out called fake | AUC, generators in training |")
    print("|---|---|---|---|")
    for number, arm in enumerate(arms):
        auc, alarms, seen = whole[number]
        cells = [f"{auc:.3f}", f"{100 * alarms:.1f} %", f"{seen:.3f}"]
        if number:
            low, high = np.quantile(drawn[:, number] - drawn[:, 0], [0.025, 0.975], axis=0)
            change = whole[number] - whole[0]
            for place, scale, digits in ((0, 1, 3), (1, 100, 1), (2, 1, 3)):
                numbers = (scale * value[place] for value in (change, low, high))
                middle, least, most = (f"{value:+.{digits}f}" for value in numbers)
                cells[place] += f"; {middle} [{least}, {most}]"
        print(f"| {arm.name} | " + " | ".join(cells) + " |")
    print(f"\n{', '.join(sets['left'])} against {sets['reals'][''].size} reals; {', '.join(sets['sources'])}.")


if __name__ == "__main__":
    main()
