"""What the arms of a grid reach on the same pictures: means over seeds with intervals, and differences from the first.

Arms may be trained on other generators. A picture counts as seen if any arm had its pair (generator, source) in
training, so that no arm is measured on pictures that it could have learned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from train.common.progress import ProgressCallback
from train.compare.ablate.grid import Grid
from train.compare.arms import Arm, Block
from train.compare.bootstrap import Figures, Metric, PictureSet, ScoreMatrix, figures_of
from train.compare.contrast import BootstrapSample
from train.compare.level import Level, level_of
from train.compare.seeds import Difference, differences_of
from train.data.manifest import Manifest
from train.evaluate.scores import read_scores
from train.fit.run_folder import Run, read_state, scores_path


@dataclass(frozen=True)
class AblationRow:
    """One metric on one set of pictures: of every arm its level, and its difference from the first arm.

    differences: None for the first arm, and for all where there is one seed only or the first arm failed.
    """

    metric: Metric
    set: PictureSet
    levels: tuple[Level, ...]
    differences: tuple[Difference | None, ...]


@dataclass(frozen=True)
class FailedTraining:
    """A training that came to no end; its arm has no figures. reason: a sentence."""

    arm: str
    seed: int
    reason: str


@dataclass(frozen=True)
class Ablation:
    """All rows of a grid; `runs` are the folders of each arm, by seed. JSON-able with `plain.to_plain`.

    arms: those of which every training is finished. baseline: the grid's first arm, whether it is one of them or not.
    """

    title: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: tuple[tuple[str, ...], ...]
    resamples: int
    rows: tuple[AblationRow, ...]
    baseline: str
    failed: tuple[FailedTraining, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether there is a baseline to compare with."""
        return self.arms[:1] == (self.baseline,)


def measure_ablation(
    grid: Grid,
    runs: Sequence[Run],
    manifest: Manifest,
    *,
    failed: Mapping[int, str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
) -> Ablation:
    """Measure the finished trainings of `grid.recipes`, in their order; `failed` are places of others, and why.

    An arm of which a training failed is left out, and without the first arm there are no differences. Takes about
    0.2 s a run for 2,000 pictures. Raises TrainError where a run is not finished, or no real or no fake picture is left
    that every arm was evaluated on.
    """
    size = len(grid.seeds)
    lost = tuple(
        FailedTraining(grid.arms[place // size].name, grid.seeds[place % size], reason)
        for place, reason in sorted((failed or {}).items())
    )
    gone = {one.arm for one in lost}
    arms = tuple(
        Arm(arm.name, tuple(runs[place * size : (place + 1) * size]))
        for place, arm in enumerate(grid.arms)
        if arm.name not in gone
    )
    first = grid.arms[0].name
    if not arms:
        return Ablation(grid.title, (), grid.seeds, (), resamples, (), first, lost)
    kept = [run for arm in arms for run in arm.runs]
    found = figures_of(_common(kept, manifest), resamples=resamples, seed=seed, on_progress=on_progress)
    called: Sequence[Difference] = ()
    if size > 1 and len(arms) > 1 and first not in gone:
        called = differences_of(Block("", arms[0], arms[1:]), found)
    by_place = {(one.arm, one.metric, one.set): one for one in called}
    rows = tuple(
        AblationRow(
            figures.metric,
            figures.set,
            tuple(level_of(sample, figures.units) for sample in _samples(figures, len(arms))),
            tuple(by_place.get((arm.name, figures.metric, figures.set)) for arm in arms),
        )
        for figures in found
    )
    folders = tuple(tuple(run.folder.name for run in arm.runs) for arm in arms)
    return Ablation(grid.title, tuple(arm.name for arm in arms), grid.seeds, folders, resamples, rows, first, lost)


def _samples(figures: Figures, arms: int) -> list[BootstrapSample]:
    values, drawn = np.split(figures.values, arms), np.split(figures.drawn, arms)
    return [BootstrapSample(one, more) for one, more in zip(values, drawn, strict=True)]


def _common(runs: Sequence[Run], manifest: Manifest) -> ScoreMatrix:
    """The scores of all runs on the pictures that all of them scored, with `seen` where any of them had it in training.

    Validation pictures, from which thresholds are drawn, are those that every run validated on.
    """
    tables = [read_scores(scores_path(run, "float")).select("path", "seen", "probability") for run in runs]
    shared = tables[0].select("path")
    for table in tables[1:]:
        shared = shared.join(table, on="path", how="semi")
    pictures = manifest.frame.select("path", "label", "generator", "family", "source", "split", "group")
    pictures = shared.join(pictures, on="path", how="inner").sort("path")
    ordered = [pictures.select("path").join(table, on="path", how="left", maintain_order="left") for table in tables]
    seen = np.stack([table["seen"].to_numpy() for table in ordered])
    by_any, by_all = seen.any(axis=0), seen.all(axis=0)
    split = pictures["split"].to_numpy()
    fake = pictures["label"].to_numpy() == "fake"
    validated = by_all & (split == "val")
    if not (validated & fake).any():
        # Arms without a generator in common; where a threshold lies between two reals is all that fakes decide.
        validated |= by_any & fake & (split == "val")
    kept = ~by_any | (split == "test") | validated
    probability = np.stack([table["probability"].to_numpy().astype(np.float64) for table in ordered])
    return ScoreMatrix(
        pictures.with_columns(seen=pl.Series(by_any)).filter(kept),
        probability[:, kept],
        np.array([read_state(run, "float").points.fpr_1 for run in runs]),
    )
