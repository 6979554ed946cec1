"""How often 95 % intervals of `compare --against` hold the true difference, beside simpler ways to make them.

    .venv/bin/python tests/benchmarks/paired_coverage.py [--studies 1000] [--resamples 200]

Every study has two arms trained over some seeds and evaluated on the same made-up pictures, near-duplicates among them.
A picture has a part of its score that all trainings share, one that the trainings of an arm share, and one of its own
in each training; each training moves all fakes by a step of its own, which is what the seed does to a detector that
meets an unseen generator. The arms have the same distribution unless the steps differ in size ("uneven"), where the
true difference is that of many studies. Prints the share of intervals that hold the truth and the median half-width,
for `contrast` and for five others:

    one df       as `contrast`, but one number of degrees of freedom for the whole variance (Satterthwaite)
    twice        as one df, but v is the variance of the difference of means, so that a part is counted twice
    same seed    as twice, seeds paired as well: the spread of the differences seed by seed, S - 1 degrees of freedom
    both drawn   percentiles of a bootstrap that draws seeds and pictures
    pictures     the bootstrap over pictures alone, as if another seed gave the same detector

Then come families of 24 differences without substance (four arms against a baseline, six sets of pictures), figures
drawn from normal distributions: the share of families in which at least one is called after Bonferroni's correction,
and how often a true difference of 0.1 is, where seeds have a standard deviation of 0.015 and pictures of 0.01.

Takes about 4 minutes on one core.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, stdtrit

from train.compare.bootstrap import Figures, ScoreMatrix, figures_of
from train.compare.contrast import BootstrapSample, contrast
from train.evaluate.calibration import choose_operating_points

KINDS = ("contrast", "one df", "twice", "same seed", "both drawn", "pictures")


@dataclass(frozen=True)
class Scene:
    """What the studies of a row have in common.

    reals, fakes: pictures of each split. distance: between the classes, in standard deviations of a score. steps: how
    far the seeds of each arm move the fakes. by_seed: correlation of the steps of runs with the same seed number.
    """

    name: str
    seeds: int = 3
    reals: int = 300
    fakes: int = 150
    distance: float = 1.2
    steps: tuple[float, float] = (0.2, 0.2)
    by_seed: float = 0.0


SCENES = (
    Scene("one seed like the other", steps=(0.0, 0.0)),
    Scene("seeds differ a little", steps=(0.1, 0.1)),
    Scene("seeds differ much", steps=(0.3, 0.3)),
    Scene("uneven", steps=(0.05, 0.3)),
    Scene("alike by seed number", steps=(0.3, 0.3), by_seed=0.6),
    Scene("easy generator", distance=3.0),
    Scene("more pictures", reals=400, fakes=500),
    Scene("2 seeds", seeds=2),
    Scene("5 seeds", seeds=5),
    Scene("5 seeds, uneven", seeds=5, steps=(0.05, 0.3)),
)


def study(random: np.random.Generator, scene: Scene) -> ScoreMatrix:
    """The scores of one made-up study: first the runs of one arm, then those of the other."""
    frames = []
    for label, generator, count in (("real", "camera", scene.reals), ("fake", "gan", scene.fakes)):
        for split in ("val", "test"):
            # A picture has 0.3 near-duplicates on average.
            group = np.sort(random.integers(0, int(count / 1.3), count))
            kind = {"label": label, "generator": generator, "source": generator, "split": split, "seen": True}
            frames.append(pl.DataFrame({"group": [f"{label}-{split}-{one}" for one in group], **kind}))
    pictures = pl.concat(frames)
    group = pictures["group"].rank("dense").to_numpy() - 1
    fake = (pictures["label"] == "fake").to_numpy()
    validation = (pictures["split"] == "val").to_numpy()

    def of_pictures(share: float) -> np.ndarray:
        """A part of the score: `share` of the variance, three fifths of it common to a group."""
        common = random.normal(size=group.max() + 1)[group]
        return np.asarray(np.sqrt(share) * (np.sqrt(0.6) * common + np.sqrt(0.4) * random.normal(size=group.size)))

    everywhere = of_pictures(0.35)
    together = random.normal(size=scene.seeds)
    rows = []
    for step in scene.steps:
        of_arm = of_pictures(0.35)
        for seed in range(scene.seeds):
            moved = step * (np.sqrt(scene.by_seed) * together[seed] + np.sqrt(1 - scene.by_seed) * random.normal())
            score = everywhere + of_arm + np.sqrt(0.3) * random.normal(size=group.size)
            rows.append(expit(score + (scene.distance + moved) * fake))
    thresholds = [choose_operating_points(row[validation], fake[validation]).fpr_1 for row in rows]
    return ScoreMatrix(pictures, np.stack(rows), np.array(thresholds))


def half_widths(figures: Figures, random: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Value and half-width of each kind of interval."""
    arm, baseline = map(BootstrapSample, np.split(figures.values, 2), np.split(figures.drawn, 2))
    ours = contrast(arm, baseline, figures.units, rate=figures.metric != "auc")
    seeds = arm.by_seed.size
    between = [float(one.by_seed.var(ddof=1)) / seeds for one in (arm, baseline)]
    by_seed = float(np.var(arm.by_seed - baseline.by_seed, ddof=1)) / seeds
    pictures = float(np.var(arm.drawn.mean(axis=0) - baseline.drawn.mean(axis=0), ddof=1))
    drawn = [
        one.drawn[random.integers(0, seeds, (seeds, one.drawn.shape[1])), np.arange(one.drawn.shape[1])]
        for one in (arm, baseline)
    ]
    low, high = np.percentile(drawn[0].mean(axis=0) - drawn[1].mean(axis=0), [2.5, 97.5])

    def student(parts: list[float], rest: float) -> tuple[float, float]:
        variance = max(sum(parts) + rest, 1e-12)
        df = variance**2 / max(sum(part**2 for part in parts) / (seeds - 1), 1e-30)
        return ours.value, -float(stdtrit(df, 0.025)) * variance**0.5

    made = (
        (ours.value, ours.half_width()),
        student(between, ours.pictures_se**2),
        student(between, pictures),
        student([by_seed], pictures),
        ((low + high) / 2, (high - low) / 2),
        (ours.value, 1.96 * pictures**0.5),
    )
    return dict(zip(KINDS, made, strict=True))


def families(seeds: int, uneven: float, count: int) -> str:
    """How often `contrast` and one df call any of 24 differences that are none, and one that is 0.1."""
    random = np.random.default_rng(9)
    of_seeds = np.array([0.01, 0.05, 0.05, 0.015, 0.015, 0.02])
    wobble = 0.01 * np.sqrt(2) * np.array([-1.0, 0.0, 1.0])
    wrong, right = np.zeros((2, count), bool), np.zeros((2, count), bool)
    for number in range(count):
        steps = np.outer([1, uneven, 1, 1, 1], of_seeds)[:, :, None] * random.normal(size=(5, 6, seeds))
        values = 0.6 + steps + 0.01 * random.normal(size=(5, 6, 1))
        for arm in range(1, 5):
            for one in range(6):
                made = [
                    BootstrapSample(values[place, one], values[place, one][:, None] + size * wobble)
                    for place, size in ((arm, 1), (0, 0))
                ]
                found = contrast(made[0], made[1], 300, rate=False)
                parts = [part.by_seed.var(ddof=1) / seeds for part in made]
                df = found.se**4 / (sum(part**2 for part in parts) / (seeds - 1) + found.pictures_se**4 / 299)
                reach = np.array([found.half_width(24), -stdtrit(df, 0.025 / 24) * found.se])
                wrong[:, number] |= abs(found.value) > reach
                if (arm, one) == (2, 3):
                    right[:, number] = found.value + 0.1 > reach
    cells = [
        f"{kind}: {wrong[place].mean():.3f} of families, power {right[place].mean():.2f}"
        for place, kind in enumerate(("contrast", "one df"))
    ]
    return f"{seeds} seeds, one arm {uneven:g} times as unsteady  {'  '.join(cells)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print(f"share of {options.studies} intervals that hold the truth, and median half-width")
    for scene in SCENES:
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        spread: dict[str, list[float]] = {}
        for number in range(options.studies):
            random = np.random.default_rng([options.seed, number])
            for figures in figures_of(study(random, scene), resamples=options.resamples, seed=number):
                by_arm = np.split(figures.values, 2)
                spread.setdefault(figures.metric, []).append(float(np.std(by_arm, axis=1, ddof=1).mean()))
                for kind, one in half_widths(figures, random).items():
                    found.setdefault((figures.metric, kind), []).append(one)
        for metric, deviations in spread.items():
            truth = float(np.mean([value for value, _ in found[metric, KINDS[0]]])) if "uneven" in scene.name else 0.0
            cells = []
            for kind in KINDS:
                held = np.mean([abs(value - truth) <= reach for value, reach in found[metric, kind]])
                reach = np.median([reach for _, reach in found[metric, kind]])
                cells.append(f"{kind} {held:.3f} (±{reach:.3f})")
            print(f"{scene.name:24} {metric:12} sd of seeds {np.mean(deviations):.3f}  {'  '.join(cells)}", flush=True)
    for seeds, uneven in ((2, 1.0), (3, 1.0), (3, 6.0), (5, 1.0), (5, 6.0)):
        print(families(seeds, uneven, options.studies), flush=True)


if __name__ == "__main__":
    main()
