"""Pages of `evaluate`, `loo` and `detect --report`: accessible, printable and fit for a phone, in a real Chromium."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl

from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED, DetectedPicture, Settings, detect_input
from export.inference.inputs import Input
from export.inference.report import write_picture_report
from train.compare.leave_out.figures import LeftOutRow, SchemeResult
from train.compare.leave_out.page import page
from train.compare.level import Level
from train.evaluate.by_attribute import compare_groups
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import evaluate_scores
from train.evaluate.flips import count_flips
from train.evaluate.metrics import Interval
from train.evaluate.report.html import BaselineNote, write_report
from train.evaluate.scores import check_scores

SCRIPT = Path(__file__).parent / "report.test.mjs"


def made_up_scores(noise: float) -> pl.DataFrame:
    """200 reals of two sources and 200 fakes of two generators, one of which was not in training."""
    random = np.random.default_rng(3)
    fake, second = np.arange(400) % 2 == 1, np.arange(400) % 4 > 1
    log_odds = random.normal(np.where(fake, 1.5, -1.5), 1.2) + noise * np.random.default_rng(4).normal(size=400)
    return pl.DataFrame(
        {
            "path": [f"{number}.jpg" for number in range(400)],
            "label": pl.Series(np.where(fake, "fake", "real")),
            "generator": pl.Series(np.where(fake, np.where(second, "gan", "sdxl"), "camera")),
            "family": pl.Series(np.where(fake, np.where(second, "gan", "diffusion"), "camera")),
            "source": pl.Series(np.where(second, "one", "two")),
            "split": ["test"] * 400,
            "seen": ~(fake & second),
            "log_odds": log_odds,
            "probability": 1 / (1 + np.exp(-log_odds)),
        }
    )


def full_report(folder: Path) -> Path:
    """A report with two models, groups of people and a recipe."""
    scores, others = made_up_scores(0.0), made_up_scores(0.3)
    points = OperatingPoints(0.5, 0.9, 0.95, 0.4)
    random = np.random.default_rng(3)
    attributes = scores.select("path", sex=pl.Series(random.choice(["female", "male"], scores.height)))
    evaluations = [
        evaluate_scores(check_scores(one), points, name=name, resamples=20)
        for one, name in ((scores, "float"), (others, "int8"))
    ]
    return write_report(
        folder,
        evaluations,
        title="runs/mine on manifest.csv",
        flips=[count_flips(scores, others, points, names=("float", "int8"), resamples=20)],
        recipe_text="[data]\nview = 'a line that is longer than any screen' # " + "long " * 60,
        baseline=BaselineNote(0.612, "So the score is mostly not a file-format shortcut."),
        by_attribute=[compare_groups(scores, attributes, ("sex",), points, name="float", resamples=20)],
    ).html


def left_out_page(folder: Path) -> Path:
    """A page of two schemes."""
    level = Level(0.8, 0.7, 0.9, (0.8, 0.81), 0.01, 0.02)
    rows = tuple(
        LeftOutRow(
            f"without-{name}",
            name,
            "fake",
            False,
            "reals in training",
            90,
            80,
            2,
            level,
            level,
            Interval(0.5, 0.4, 0.6),
            0.9,
        )
        for name in ("sdxl", "a-generator-of-a-rather-long-name", "gan")
    )
    seeds = (1, 2)
    plans: dict[str, tuple[str, ...]] = {row.plan: ("gan", "sdxl") for row in rows}
    results = [SchemeResult(scheme, seeds, plans, rows, ("camera",)) for scheme in ("generator", "matrix")]
    path = folder / "loo.html"
    path.write_text(page(results, "Faces: what is new to it", "title = 'x'\n" * 30), encoding="utf-8")
    return path


def picture_page(folder: Path) -> Path:
    """The evidence about one picture, of a long name."""
    picture, target = folder / f"{'a-long-name-' * 9}.jpg", folder / "picture.html"
    picture.write_bytes(read_bundle(SHIPPED).references.pictures[0])
    settings = Settings(SHIPPED, "balanced")
    found = detect_input(settings, Input(str(picture), picture))
    assert isinstance(found, DetectedPicture)
    write_picture_report(found, picture.read_bytes(), settings, target)
    return target


def test_reports_in_chromium(tmp_path: Path, chromium: str, page_parts: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    reports = [str(full_report(tmp_path / "report")), str(left_out_page(tmp_path)), str(picture_page(tmp_path))]
    environment = {
        **os.environ,
        "FAUXLENS_REPORTS": json.dumps(reports),
        "FAUXLENS_CHROMIUM": chromium,
        "FAUXLENS_PARTS": str(page_parts),
    }
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", str(SCRIPT)],
        env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
