"""Does the heatmap point at what was replaced? Local fakes with known places against chance.

    fauxlens data reconstruct reals.csv --out local --autoencoder taesd --regions random
    .venv/bin/python tests/benchmarks/heatmap_places.py DETECTOR local [--least 0.0]

Of every local fake in the folder that the detector calls at least `--least` fake: whether the heatmap's highest cell
lies in the replaced region (at least half of the cell), and the overlap (IoU) of the region with as many cells as it
has, the highest first. Chance: the mean over all cells, and the IoU of randomly ordered cells. Also the same for
the difference of the heatmaps of a fake and its original, which is what the replacement alone brought. Intervals are
Wilson's.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from scipy.stats import binomtest

from export.inference.detector import detect, open_detector
from train.data.manifest import read_manifest
from train.data.rows import eyes_of
from train.image.decode import Picture, decode
from train.image.view import apply_view

SHUFFLES, SEED = 200, 0


def cells_of(mask: np.ndarray, side: int) -> np.ndarray:
    """The share of each of side x side cells that a mask uint8 [S, S] covers, float [side, side] in 0..1."""
    size = len(mask) // side * side
    blocks = mask[:size, :size].reshape(side, size // side, side, size // side)
    return np.asarray(blocks.mean(axis=(1, 3)) / 255)


def overlap(scores: np.ndarray, inside: np.ndarray) -> float:
    """IoU of a region, bool cells, with as many of the highest cells."""
    chosen = np.zeros(scores.size, bool)
    chosen[np.argsort(-scores.ravel(), kind="stable")[: inside.sum()]] = True
    both = (chosen & inside.ravel()).sum()
    return float(both / (chosen | inside.ravel()).sum())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("detector", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=float, default=0.0)
    options = parser.parse_args()
    detector = open_detector(options.detector)
    rows = {row["path"]: row for row in read_manifest(options.folder / "manifest.csv").frame.to_dicts()}
    random = np.random.default_rng(SEED)
    found: dict[str, list[tuple[bool, float]]] = {"heatmap": [], "difference": []}
    chance: list[tuple[float, float]] = []
    for pair in pl.read_csv(options.folder / "pairs.csv").to_dicts():
        eyes = eyes_of(rows[pair["fake"]])
        fake, real = (decode(options.folder / pair[name]) for name in ("fake", "real"))
        if eyes is None or fake.orientation != 1 or real.pixels.shape != fake.pixels.shape:
            continue
        verdicts = [detect(detector, picture, eyes=eyes) for picture in (fake, real)]
        mask = np.asarray(Image.open(options.folder / pair["mask"]).convert("RGB"))
        seen = apply_view(detector.view, Picture(mask, 1, "PNG", None, ()), eyes)[..., 0]
        inside = cells_of(seen, len(verdicts[0].heatmap)) >= 0.5
        if verdicts[0].probability < options.least or not inside.any() or inside.all():
            continue
        maps = {"heatmap": verdicts[0].heatmap, "difference": verdicts[0].heatmap - verdicts[1].heatmap}
        for name, scores in maps.items():
            found[name].append((bool(inside.ravel()[scores.argmax()]), overlap(scores, inside)))
        shuffled = [overlap(random.random(inside.shape), inside) for _ in range(SHUFFLES)]
        chance.append((float(inside.mean()), float(np.mean(shuffled))))
    count = len(chance)
    print(f"{count} local fakes called at least {options.least:g} fake")
    for name, values in found.items():
        hits = sum(hit for hit, _ in values)
        between = binomtest(hits, count).proportion_ci(method="wilson")
        mean = np.mean([one for _, one in values])
        place = f"{hits / count:.3f} [{between.low:.3f}, {between.high:.3f}]"
        print(f"{name:10s} highest cell inside {place}, IoU {mean:.3f}")
    share, iou = np.mean(chance, axis=0)
    print(f"chance     highest cell inside {share:.3f}, IoU {iou:.3f}")


if __name__ == "__main__":
    main()
