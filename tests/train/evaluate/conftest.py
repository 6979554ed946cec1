"""Made-up scores with a known make-up: two seen generators, one unseen, two seen real sources, one unseen."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from train.evaluate.calibration import (
    OperatingPoints,
    choose_operating_points,
    fit_calibration,
    probabilities,
)
from train.evaluate.scores import check_scores

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
    probability = probabilities(fit_calibration(logits[validation], fake[validation]), logits)
    table = table.with_columns(logit=pl.Series(logits), probability=pl.Series(probability))
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
