"""A report over 100,000 scored pictures of 20 generators: time, memory, size of the page.

    .venv/bin/python tests/benchmarks/report_scale.py [--pictures 100000] [--generators 20] [--resamples 1000]

Scores are made up (seeded): half of the pictures are real, of 12 sources; one generator in four was not in training;
a person's sex is known of all. Evaluated as `fauxlens evaluate --by sex` does, without the pictures of mistakes. Prints
seconds (wall and processor), the most memory that the process held, and the bytes of each file.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from train.evaluate.by_attribute import compare_groups  # noqa: E402
from train.evaluate.calibration import choose_operating_points  # noqa: E402
from train.evaluate.evaluation import evaluate_scores  # noqa: E402
from train.evaluate.report.html import write_report  # noqa: E402
from train.evaluate.scores import read_scores, write_scores  # noqa: E402

SOURCES = 12


def made_up(pictures: int, generators: int) -> pl.DataFrame:
    """A scores table with the attribute `sex`."""
    random = np.random.default_rng(0)
    fake = np.arange(pictures) % 2 == 1
    kind = random.integers(0, np.where(fake, generators, SOURCES))
    seen = ~fake | (kind % 4 > 0)
    logit = random.normal(np.where(fake, np.where(seen, 2.5, 0.5), -2.0) + 0.1 * (kind % 5), 1.5)
    table = pl.DataFrame(
        {
            "path": [f"pictures/{number:07}.jpg" for number in range(pictures)],
            "label": pl.Series(np.where(fake, "fake", "real")),
            "kind": kind,
            "seen": seen,
            "logit": logit,
            "probability": 1 / (1 + np.exp(-logit)),
            "sex": pl.Series(np.where(random.random(pictures) < 0.5, "female", "male")),
        }
    )
    is_fake = pl.col("label") == "fake"
    return table.with_columns(
        generator=pl.when(is_fake).then(pl.format("generator-{}", "kind")).otherwise(pl.lit("camera")),
        source=pl.when(is_fake).then(pl.format("source-{}", "kind")).otherwise(pl.format("camera-{}", "kind")),
        family=pl.when(is_fake).then(pl.format("family-{}", pl.col("kind") % 3)).otherwise(pl.lit("camera")),
        split=pl.lit("test"),
    )


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--generators", type=int, default=20)
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    table = made_up(options.pictures, options.generators)
    probability, fake = table["probability"].to_numpy(), (table["label"] == "fake").to_numpy()
    points = choose_operating_points(probability[:5000], fake[:5000])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scores(table, folder / "scores.csv")
        start, processor = time.perf_counter(), time.process_time()
        scores = read_scores(folder / "scores.csv")
        evaluation = evaluate_scores(scores, points, name="made up", resamples=options.resamples)
        groups = compare_groups(
            scores, table.select("path", "sex"), ("sex",), points, name="made up", resamples=options.resamples
        )
        write_report(folder, [evaluation], title="made up", by_attribute=[groups])
        print(f"{options.pictures:,} pictures, {options.generators} generators, {options.resamples:,} resamples")
        print(f"{time.perf_counter() - start:.1f} s, {time.process_time() - processor:.1f} s of processor")
        status = Path("/proc/self/status").read_text()
        print(f"{int(status.split('VmHWM:')[1].split()[0]) * 1024 / 1e9:.2f} GB at most")
        for path in sorted(folder.iterdir()):
            print(f"{path.name:20} {path.stat().st_size / 1e6:8.2f} MB")


if __name__ == "__main__":
    main()
