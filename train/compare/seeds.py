"""Recipes compared over seeds: what each arm reaches, and how it differs from the baseline on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.common.errors import TrainError
from train.common.progress import ProgressCallback
from train.compare.arms import Arm, Block, Key, arrange, value_in_words
from train.compare.bootstrap import METRICS, Figures, Metric, PictureSet, figures_of
from train.compare.contrast import LEVEL, BootstrapSample, Contrast, contrast, holm
from train.compare.read_matrix import read_matrix
from train.fit.run_folder import Run

BETTER, WORSE, NOTHING_FOUND = "better", "worse", "no significant difference"


@dataclass(frozen=True)
class Figure:
    """One metric of one arm on one set of pictures: of each training, their mean and standard deviation, in 0..1."""

    metric: Metric
    set: PictureSet
    by_seed: tuple[float, ...]
    mean: float
    sd: float


@dataclass(frozen=True)
class ArmFigures:
    """What one arm reaches; `runs` are the folders, by seed."""

    name: str
    runs: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Difference:
    """An arm against the baseline in one metric on one set.

    adjusted_p: Holm's, over all differences of this metric in the block. verdict: `better` or `worse` where
    adjusted_p is below 0.05 (fewer false alarms are better), else `no significant difference`. half_width: of the
    95 % interval. detectable: with this se, and the other differences as they are, the smallest that would
    have been called.
    """

    arm: str
    metric: Metric
    set: PictureSet
    contrast: Contrast
    half_width: float
    adjusted_p: float
    detectable: float
    verdict: str


@dataclass(frozen=True)
class BlockFigures:
    """One block: its arms, the baseline first, and the differences of the others from it.

    family: how many differences there are of a metric, the type that they are corrected for.
    """

    name: str
    seeds: tuple[int, ...]
    arms: tuple[ArmFigures, ...]
    family: dict[Metric, int]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class ArmComparison:
    """All blocks of a comparison; JSON-able with `plain.to_plain`."""

    key: str
    baseline: str
    state: str
    resamples: int
    level: float
    blocks: tuple[BlockFigures, ...]


def compare_arms(
    runs: Sequence[Run],
    against: Key,
    *,
    state: str = "float",
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
) -> ArmComparison:
    """Compare runs that differ in one key of their recipe and in the seed.

    `against` is that key and the value of the baseline. Every metric is corrected for all its differences in a
    block. Raises TrainError where the runs cannot be compared fairly (see `arrange`), were not evaluated on the same
    pictures, or are not finished; DataError where their manifest is gone.
    """
    blocks = arrange(runs, against)
    if resamples < 100:
        raise TrainError(f"resamples is {resamples}: intervals need at least 100; 1000 is usual.")
    manifest = runs[0].manifest()
    found = []
    for place, block in enumerate(blocks):
        matrix = read_matrix([run for arm in block.arms for run in arm.runs], manifest.frame, state)

        def report(done: int, total: int, before: int = place * resamples) -> None:
            if on_progress is not None:
                on_progress(before + done, len(blocks) * total)

        found.append(figures_of(matrix, resamples=resamples, seed=seed, on_progress=report))
    return ArmComparison(
        key=against[0],
        baseline=value_in_words(against[1]),
        state=state,
        resamples=resamples,
        level=LEVEL,
        blocks=tuple(_block(block, figures) for block, figures in zip(blocks, found, strict=True)),
    )


def differences_of(block: Block, found: Sequence[Figures]) -> tuple[Difference, ...]:
    """How the other arms of a block differ from its baseline, metric after metric, of figures of its runs in turn.

    Every metric is corrected for all its differences. Needs two trainings an arm.
    """
    differences = []
    for metric in METRICS:
        contrasts = _contrasts(block, [figures for figures in found if figures.metric == metric])
        adjusted = holm([one.p for _, _, one in contrasts])
        for place, (arm, figures, one) in enumerate(contrasts):
            # Were this one none, Holm's procedure would hold it against all that are not called then.
            others = holm([1.0 if other == place else p.p for other, (_, _, p) in enumerate(contrasts)])
            left = len(others) - sum(p < LEVEL for p in others)
            differences.append(_difference(arm, figures, one, adjusted[place], left))
    return tuple(differences)


def _block(block: Block, found: Sequence[Figures]) -> BlockFigures:
    differences = differences_of(block, found)
    family: dict[Metric, int] = {metric: sum(one.metric == metric for one in differences) for metric in METRICS}
    return BlockFigures(block.name, block.baseline.seeds, _arms(block, found), family, differences)


def _samples(block: Block, figures: Figures) -> dict[Arm, BootstrapSample]:
    bounds = np.cumsum([0] + [len(arm.runs) for arm in block.arms])
    return {
        arm: BootstrapSample(figures.values[start:end], figures.drawn[start:end])
        for arm, start, end in zip(block.arms, bounds[:-1], bounds[1:], strict=True)
    }


def _contrasts(block: Block, found: Sequence[Figures]) -> list[tuple[str, Figures, Contrast]]:
    contrasts = []
    for figures in found:
        samples = _samples(block, figures)
        for arm in block.others:
            one = contrast(samples[arm], samples[block.baseline], figures.units, rate=figures.metric != "auc")
            contrasts.append((arm.name, figures, one))
    return contrasts


def _difference(arm: str, figures: Figures, one: Contrast, adjusted_p: float, left: int) -> Difference:
    gain = one.value < 0 if figures.metric == "false_alarms" else one.value > 0
    return Difference(
        arm=arm,
        metric=figures.metric,
        set=figures.set,
        contrast=one,
        half_width=one.half_width(),
        adjusted_p=adjusted_p,
        detectable=one.half_width(left),
        verdict=NOTHING_FOUND if adjusted_p >= LEVEL else BETTER if gain else WORSE,
    )


def _arms(block: Block, found: Sequence[Figures]) -> tuple[ArmFigures, ...]:
    of_arm: dict[Arm, list[Figure]] = {arm: [] for arm in block.arms}
    for figures in found:
        for arm, sample in _samples(block, figures).items():
            values = sample.by_seed
            sd = float(values.std(ddof=1)) if values.size > 1 else 0.0
            of_arm[arm].append(Figure(figures.metric, figures.set, tuple(values.tolist()), float(values.mean()), sd))
    return tuple(
        ArmFigures(arm.name, tuple(run.folder.as_posix() for run in arm.runs), tuple(figures))
        for arm, figures in of_arm.items()
    )
