"""Does the heatmap point at what was replaced? Local fakes with known masks, against chance.

`fauxlens data reconstruct REALS --regions random --out FOLDER` makes such fakes and keeps their masks. Two measures:
the pointing game (Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016), in which the highest
cell has to lie in the mask, and the overlap (intersection over union) of the mask with as many of the highest cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from export.inference.detector import LoadedDetector, detect
from train.common.documents import read_table
from train.common.errors import ExportError
from train.data.manifest import read_manifest
from train.data.reconstruct.reconstruct import ReconstructedPair
from train.data.rows import eyes_of
from train.evaluate.metrics import Interval, wilson
from train.image.decode import Picture, decode
from train.image.view import apply_view

SHUFFLES = 200
"""Random orders of a picture's cells whose mean overlap is that of chance."""

EXAMPLES = 8

COLUMNS = ("local fakes", "pictures", "highest cell in the mask", "chance", "overlap (IoU)", "chance of overlap")


@dataclass(frozen=True)
class Localisation:
    """How well heatmaps point at the masks of a group of local fakes.

    pointing: share of pictures whose highest cell is in the mask, with a 95 % interval (Wilson); overlap: mean
    intersection over union, 0..1; the two of chance beside them: mean share of cells in the mask, and the mean
    overlap of randomly ordered cells.
    """

    name: str
    pictures: int
    pointing: Interval
    chance_pointing: float
    overlap: float
    chance_overlap: float


@dataclass(frozen=True)
class LocalFake:
    """One local fake: what a detector saw of it (uint8 [S, S, 3]), of its mask (uint8 [S, S]), what it said of it, and
    the measures of its heatmap."""

    path: str
    view: np.ndarray
    mask: np.ndarray
    heatmap: np.ndarray
    label: str
    probability: float
    hit: bool
    overlap: float
    chance_hit: float
    chance_overlap: float


@dataclass(frozen=True)
class Localised:
    """What was found of a folder: `groups` (all, called at least unsure, called fake, those that are not empty) and
    `examples`, the local fakes of the highest probability, highest first."""

    groups: tuple[Localisation, ...]
    examples: tuple[LocalFake, ...]


def measure_localisation(detector: LoadedDetector, folder: Path, *, seed: int = 0) -> Localised:
    """Measure a detector's heatmaps on the local fakes in a folder that `data reconstruct --regions` wrote.

    A cell counts as masked when at least half of it is; pictures whose mask covers no cell or every one, and those
    without a face where the view needs one, are left out.
    Raises ExportError where the folder has no masks and where no picture is left, DataError for damaged pictures.
    """
    found = sorted(_measure_all(detector, folder, np.random.default_rng(seed)), key=lambda one: -one.probability)
    if not found:
        raise ExportError(f"No local fake in {folder} has both a face and a mask that covers part of it: make more.")
    groups = {
        "all": found,
        "called at least unsure": [one for one in found if one.label != "real"],
        "called fake": [one for one in found if one.label == "fake"],
    }
    summaries = tuple(_summary(name, group) for name, group in groups.items() if group)
    return Localised(summaries, tuple(found[:EXAMPLES]))


def check_local_fakes(folder: Path, needs_eyes: bool) -> None:
    """Raise what `measure_localisation` would, as far as it can be told without a detector: before the work."""
    pairs = _pairs(folder)
    rows = {row["path"]: row for row in read_manifest(folder / "manifest.csv").frame.iter_rows(named=True)}
    for name in (*pairs["fake"], *pairs["mask"]):
        if not (folder / name).is_file():
            raise ExportError(f"{folder / name}, of {folder / 'pairs.csv'}, is missing: make the local fakes again.")
    if needs_eyes and not any(name in rows and eyes_of(rows[name]) for name in pairs["fake"]):
        raise ExportError(
            f"No local fake in {folder} has a face that the view could show: run `fauxlens data faces "
            f"{folder / 'manifest.csv'}`, or make others."
        )


def localisation_document(found: Iterable[Localisation]) -> list[dict[str, Any]]:
    """What is written as JSON: a dict for each group."""
    return [asdict(one) for one in found]


def table_rows(found: Iterable[Localisation]) -> list[tuple[str, ...]]:
    """Rows under COLUMNS."""
    return [
        (
            one.name,
            f"{one.pictures:,}",
            f"{one.pointing.value:.0%} [{one.pointing.low:.0%}, {one.pointing.high:.0%}]",
            f"{one.chance_pointing:.0%}",
            f"{one.overlap:.2f}",
            f"{one.chance_overlap:.2f}",
        )
        for one in found
    ]


def masked_cells(mask: np.ndarray, side: int) -> np.ndarray:
    """The share of each of side x side cells that a mask uint8 [S, S] covers, float64 [side, side] in 0..1."""
    size = len(mask) // side * side
    blocks = mask[:size, :size].reshape(side, size // side, side, size // side)
    return np.asarray(blocks.mean(axis=(1, 3)) / 255)


def mask_overlap(scores: np.ndarray, inside: np.ndarray) -> float:
    """Intersection over union of a mask, bool cells, with as many of the highest-scored cells; 0..1."""
    chosen = np.zeros(scores.size, bool)
    chosen[np.argsort(-scores.ravel(), kind="stable")[: inside.sum()]] = True
    both = (chosen & inside.ravel()).sum()
    return float(both / (chosen | inside.ravel()).sum())


def _measure_all(detector: LoadedDetector, folder: Path, random: np.random.Generator) -> Iterable[LocalFake]:
    pairs = _pairs(folder)
    rows = {row["path"]: row for row in read_manifest(folder / "manifest.csv").frame.iter_rows(named=True)}
    for pair in pairs.iter_rows(named=True):
        row = rows.get(pair["fake"])
        eyes = eyes_of(row) if row else None
        picture = decode(folder / pair["fake"])
        # The mask lies as the picture is stored, and a view turns both.
        mask = Picture(decode(folder / pair["mask"]).pixels, picture.orientation, "PNG", None, ())
        if (detector.view.needs_eyes and eyes is None) or mask.pixels.shape != picture.pixels.shape:
            continue
        verdict = detect(detector, picture, eyes=eyes)
        seen = apply_view(detector.view, mask, eyes)[..., 0]
        inside = masked_cells(seen, len(verdict.heatmap)) >= 0.5
        if not inside.any() or inside.all():
            continue
        shuffled = [mask_overlap(random.random(inside.shape), inside) for _ in range(SHUFFLES)]
        yield LocalFake(
            path=pair["fake"],
            view=verdict.view,
            mask=seen,
            heatmap=verdict.heatmap,
            label=verdict.label,
            probability=verdict.probability,
            hit=bool(inside.ravel()[verdict.heatmap.argmax()]),
            overlap=mask_overlap(verdict.heatmap, inside),
            chance_hit=float(inside.mean()),
            chance_overlap=float(np.mean(shuffled)),
        )


def _pairs(folder: Path) -> pl.DataFrame:
    path, remedy = folder / "pairs.csv", "name a folder that `fauxlens data reconstruct --regions random` wrote"
    try:
        pairs = read_table(
            path,
            schema=dict.fromkeys(ReconstructedPair.__dataclass_fields__, pl.String()),
            error=ExportError,
            remedy=remedy,
        )
    except OSError as error:
        raise ExportError(f"{path} cannot be read ({error.strerror or error}): {remedy}.") from error
    if not {"fake", "mask"} <= set(pairs.columns):
        raise ExportError(f"{path} has no columns fake and mask: give a folder made by `data reconstruct`.")
    masked = pairs.filter(pl.col("mask").is_not_null(), pl.col("fake").is_not_null())
    if masked.is_empty():
        raise ExportError(f"{folder} has no masks: make local fakes by `fauxlens data reconstruct --regions random`.")
    return masked


def _summary(name: str, group: Sequence[LocalFake]) -> Localisation:
    return Localisation(
        name=name,
        pictures=len(group),
        pointing=wilson(sum(one.hit for one in group), len(group)),
        chance_pointing=float(np.mean([one.chance_hit for one in group])),
        overlap=float(np.mean([one.overlap for one in group])),
        chance_overlap=float(np.mean([one.chance_overlap for one in group])),
    )
