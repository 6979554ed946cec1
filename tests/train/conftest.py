"""Made-up scores (two seen generators, one unseen, two seen real sources, one unseen) and made-up pictures."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from train.data.manifest import COLUMNS, Manifest, read_manifest, rows_frame, write_manifest
from train.evaluate.calibration import (
    OperatingPoints,
    choose_operating_points,
    fit_calibration,
    log_odds,
    probabilities,
)
from train.evaluate.robustness.results import Condition, CorruptedScores, Robustness, evaluate_corrupted
from train.evaluate.scores import check_scores, write_scores
from train.evaluate.selection import rows_to_report
from train.fit.run_folder import Run, State, scores_path, start_run, write_state
from train.recipe import parse_recipe

Scored = tuple[pl.DataFrame, OperatingPoints]

PARTS = (
    # label, generator, family, source, seen, count, mean logit
    ("real", "camera", "camera", "studio", True, 400, -2.2),
    ("real", "camera", "camera", "street", True, 300, -1.8),
    ("real", "camera", "camera", "web", False, 150, -0.6),
    ("fake", "gan-a", "gan", "a", True, 300, 2.6),
    ("fake", "diffusion-b", "diffusion", "b", True, 250, 2.0),
    ("fake", "diffusion-c", "diffusion", "c", False, 120, 0.1),
)


def make_scores(noise: float = 0.0, parts: tuple = PARTS, seed: int = 5) -> Scored:
    random = np.random.default_rng(seed)
    frames = [
        pl.DataFrame(
            {
                "path": [f"{source}/{i:04d}.jpg" for i in range(count)],
                "label": label,
                "generator": generator,
                "family": family,
                "source": source,
                "split": random.choice(["train", "val", "test"], count, p=[0.5, 0.2, 0.3]),
                "seen": seen,
                "logit": random.normal(mean, 1.3, count),
            }
        )
        for label, generator, family, source, seen, count, mean in parts
    ]
    table = pl.concat(frames)
    logits = table["logit"].to_numpy() + noise * np.random.default_rng(seed + 1).normal(size=table.height)
    fake = (table["label"] == "fake").to_numpy()
    validation = ((table["split"] == "val") & table["seen"]).to_numpy()
    calibration = fit_calibration(logits[validation], fake[validation])
    probability = probabilities(calibration, logits)
    odds = pl.Series(log_odds(calibration, logits))
    table = table.with_columns(log_odds=odds, probability=pl.Series(probability))
    points = choose_operating_points(probability[validation], fake[validation])
    return check_scores(table), points


@pytest.fixture(scope="session")
def scored() -> Scored:
    return make_scores()


@pytest.fixture(scope="session")
def parts() -> tuple:
    return PARTS


@pytest.fixture(scope="session")
def make() -> Callable[..., Scored]:
    return make_scores


CORRUPTED = (("none", 0, 0.0), ("jpeg", 75, 0.3), ("jpeg", 30, 1.5), ("noise", 10, 4.0))
"""Kind, strength, and how far the logits move in standard deviations of made-up chance."""


def make_robustness(names: tuple[str, ...] = ("float", "int8")) -> Robustness:
    scores, points = make_scores()
    rows = rows_to_report(scores)
    conditions: list[Condition] = []
    for seed, name in enumerate(names):
        chance = np.random.default_rng(seed).normal(size=rows.height)
        corrupted = [
            CorruptedScores(kind, strength, f"{kind}({strength})", f"{kind} of strength {strength}",
                      1 / (1 + np.exp(-(rows["log_odds"].to_numpy() + far * chance))))
            for kind, strength, far in CORRUPTED
        ]  # fmt: skip
        conditions += evaluate_corrupted(rows, points, corrupted, name=name, resamples=20)
    n_fake = int((rows["label"] == "fake").sum())
    return Robustness(rows.height, rows.height - n_fake, n_fake, rows.height, 256.0, tuple(conditions))


@pytest.fixture(scope="session")
def withstood() -> Robustness:
    return make_robustness()


STUDY = (
    # label, generator, family, source, seen, count, mean logit
    ("real", "camera", "camera", "studio", True, 260, -1.2),
    ("real", "camera", "camera", "street", True, 240, -1.2),
    ("real", "camera", "camera", "web", False, 120, -0.9),
    ("fake", "gan-a", "gan", "a", True, 360, 1.2),
    ("fake", "gan-c", "gan", "c-one", False, 90, 0.2),
    ("fake", "gan-c", "gan", "c-two", False, 70, 0.4),
    ("fake", "diffusion-b", "diffusion", "b", False, 150, -0.6),
)


class Study:
    """Run folders as `train` leaves them, with made-up scores of a made-up manifest.

    The pictures have difficulties of their own, shared by all runs and within groups of near-duplicates, so that runs
    agree as trained ones do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        random = np.random.default_rng(11)
        frames, hardness = [], []
        for label, generator, family, source, seen, count, mean in STUDY:
            # Four pictures in five stand alone.
            group = np.sort(random.integers(0, int(count / 1.2), count))
            split = np.array(["train", "val", "test"])[(group % 10 >= 3).astype(int) + (group % 10 >= 6)]
            shared = 0.7 * random.normal(size=group.max() + 1)[group]
            hardness.append(mean + shared + 0.7 * random.normal(size=count))
            frames.append(
                pl.DataFrame(
                    {
                        "path": [f"{source}/{i:04d}.jpg" for i in range(count)],
                        "label": label,
                        "generator": generator,
                        "family": family,
                        "source": source,
                        "seen": seen,
                        "group": [f"{source}-{one}" for one in group],
                        "split": split,
                    }
                )
            )
        self.pictures = pl.concat(frames)
        self.hardness = np.concatenate(hardness)
        digits = [f"{i:016x}" for i in range(self.pictures.height)]
        rows = self.pictures.drop("seen").with_columns(
            sha256=pl.Series([4 * one for one in digits]),
            phash=pl.Series(digits),
            format=pl.lit("JPEG"),
            **{name: pl.lit(value, pl.Int64) for name, value in (("width", 96), ("height", 96), ("bytes", 4000))},
            **{name: pl.lit(None, pl.Int64) for name in ("jpeg_quality", "faces")},
            **{name: pl.lit(None, pl.Float64) for name in ("eye_x", "eye_y", "eye_distance")},
        )
        self.manifest = folder / "manifest.csv"
        write_manifest(Manifest(rows.select(COLUMNS), folder), self.manifest)

    def run(
        self,
        name: str,
        front_end: str = "rgb",
        seed: int = 1,
        gain: dict[str, float] | None = None,
        manifest: Path | None = None,
        finished: bool = True,
        **settings: Any,
    ) -> Path:
        """Write a run; `gain` raises the logits of sources, `settings` are keys of the recipe with __ for the dot."""
        recipe = {
            "title": "Study",
            "data": {"view": "upright|square|resize(96)", "generators": ["camera", "gan-a"], "held_out": ["web"]},
            "model": {"front_end": front_end, "weights": "none"},
            "stages": [{"name": "all", "epochs": 2, "learning_rate": 1e-3, "train_from": "all"}],
            "fit": {"seed": seed},
        }
        for key, value in settings.items():
            section, _, last = key.rpartition("__")
            target: Any = recipe[section] if section else recipe
            target[last] = value
        manifest = manifest or self.manifest
        run = start_run(self.folder / name, parse_recipe(recipe, name), manifest, read_manifest(manifest))
        if finished:
            self.write(run, gain or {})
        return run.folder

    def write(self, run: Run, gain: dict[str, float], table: pl.DataFrame | None = None) -> None:
        """Write the scores and the state of a run, as training does; `table` instead of the study's pictures."""
        front_end, seed = run.recipe.model.front_end, run.recipe.fit.seed
        of_arm = np.random.default_rng(sum(map(ord, front_end)))
        name = run.folder.relative_to(self.folder).as_posix()
        of_run = np.random.default_rng([sum(map(ord, name)), seed])
        count = self.pictures.height
        logit = self.hardness + 0.6 * of_arm.normal(size=count) + 0.5 * of_run.normal(size=count)
        for source in self.pictures["source"].unique().sort():
            rows = (self.pictures["source"] == source).to_numpy()
            logit[rows] += gain.get(source, 0.0) + 0.05 * of_run.normal()
        raw = (table if table is not None else self.pictures).drop("group").with_columns(logit=pl.Series(logit))
        validation = raw.filter(pl.col("seen") & (pl.col("split") == "val"))
        fake = (validation["label"] == "fake").to_numpy()
        calibration = fit_calibration(validation["logit"].to_numpy(), fake)
        points = choose_operating_points(probabilities(calibration, validation["logit"].to_numpy()), fake)
        probability = pl.Series(probabilities(calibration, raw["logit"].to_numpy()))
        odds = pl.Series(log_odds(calibration, raw["logit"].to_numpy()))
        kept = ~pl.col("seen") | (pl.col("split") != "train")
        write_scores(raw.with_columns(log_odds=odds, probability=probability).filter(kept), scores_path(run, "float"))
        write_state(run, State("float", calibration, points))

    def arms(self, gains: dict[str, dict[str, float]], seeds: int = 3) -> list[Path]:
        """Runs of several front ends over seeds 1, 2, ..., arm after arm."""
        return [
            self.run(f"{front_end}/{seed}", front_end, seed, gain)
            for front_end, gain in gains.items()
            for seed in range(1, seeds + 1)
        ]


@pytest.fixture(scope="session")
def make_study() -> type[Study]:
    return Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


GENERATORS = (("real", "camera", "camera"), ("fake", "gan-like", "gan"), ("fake", "diffusion-like", "diffusion"))


def make_noise(folder: Path, splits: Sequence[str], generators: int = 3) -> Path:
    """Write pictures of 32 px, noise of generators and flat noise of a camera, and return their manifest.

    splits: those of the first, second, ... picture of each generator.
    """
    random = np.random.default_rng(0)
    rows = []
    for label, generator, family in GENERATORS[:generators]:
        for number, split in enumerate(splits):
            pixels = random.integers(100, 140, (32, 32, 3)) + 40 * (label == "fake") * random.integers(
                0, 2, (32, 32, 1)
            )
            path = folder / f"{generator}-{number}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            half = "".join(map(str, random.permutation([0, 1] * 32)))
            rows.append(
                {
                    "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "phash": f"{int(half, 2):016x}", "width": 32, "height": 32, "format": "PNG",
                    "bytes": path.stat().st_size, "label": label, "generator": generator, "family": family,
                    "source": "drawn", "group": path.stem, "split": split,
                }
            )  # fmt: skip
    write_manifest(Manifest(rows_frame(rows), folder), folder / "manifest.csv")
    return folder / "manifest.csv"


@pytest.fixture(scope="session")
def noise() -> Callable[..., Path]:
    return make_noise


def texture(seed: int, width: int = 96, height: int = 96) -> Image.Image:
    """A smooth random picture that differs from one seed to the next as much as photographs do."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3)).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def draw() -> Callable[..., Image.Image]:
    return texture


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A miniature dataset in the usual layout: 30 real, 15 of stylegan2, 15 of sdxl, each picture another one."""
    folder = tmp_path / "faces"
    for start, count, name in ((0, 30, "real"), (100, 15, "fake/stylegan2"), (200, 15, "fake/sdxl")):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            texture(start + index).save(folder / name / f"{index:02}.jpg", quality=90)
    return folder
