"""Draw the pictures that the shipped bundle carries: `python tests/golden/draw_references.py DETECTOR FOLDER`.

Real faces may not be handed on, so the references are drawn portraits (train/data/sample). They say nothing about
faces; they are chosen so that the detector's scores spread evenly from its most real to its most fake, for a runtime
is compared with numbers and a heatmap is compared with another only where something speaks for "fake".
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from export.inference.detector import LoadedDetector, load_detector
from export.inference.picture_result import evaluate_picture
from train.data.sample.make import make_sample
from train.image.decode import decode

DRAWN, CHOSEN, SIDE, SEED = 600, 24, 256, 77


def draw_references(detector_path: Path, folder: Path) -> None:
    """Write CHOSEN pictures as FOLDER/real and FOLDER/fake/GENERATOR, half of them of each class."""
    detector = load_detector(detector_path)
    with tempfile.TemporaryDirectory() as name:
        make_sample(Path(name) / "sample", count=DRAWN, size=SIDE, seed=SEED)
        for kind in ("real", "fake"):
            files = sorted((Path(name) / "sample" / kind).rglob("*.jpg"))
            scores = np.array([_probability(detector, file) for file in files])
            for at in np.linspace(scores.min(), scores.max(), CHOSEN // 2):
                nearest = int(np.abs(scores - at).argmin())
                scores[nearest] = np.inf  # no picture twice
                target = folder / files[nearest].relative_to(Path(name) / "sample")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(files[nearest], target)


def _probability(detector: LoadedDetector, file: Path) -> float:
    worst = evaluate_picture(detector, decode(file), str(file)).worst
    return worst.verdict.probability if worst and worst.verdict else 0.0


if __name__ == "__main__":
    draw_references(Path(sys.argv[1]), Path(sys.argv[2]))
