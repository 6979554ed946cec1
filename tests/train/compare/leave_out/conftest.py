"""Trainings of a scheme with made-up scores: finished run folders, as `loo` leaves them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from train.compare.leave_out.plans import SchemePlan, make_plans
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.evaluate.selection import mark_seen
from train.fit.run_folder import Run, start_run
from train.recipe import Recipe, parse_recipe

BASE: dict[str, Any] = {
    "title": "Study",
    "data": {"view": "upright|square|resize(96)", "generators": ["*"]},
    "model": {"weights": "none"},
    "stages": [{"name": "all", "epochs": 2, "learning_rate": 1e-3, "train_from": "all"}],
}


class Schemes:
    """The study's made-up pictures, and runs of any scheme over them."""

    def __init__(self, study: Any) -> None:
        self.study = study
        self.base: Recipe = parse_recipe(BASE, "tests")

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.study.manifest)

    def rewrite(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Change the manifest before there are runs."""
        manifest = self.manifest
        write_manifest(Manifest(change(manifest.frame), manifest.folder), self.study.manifest)

    def plans(self, scheme: str, only: Sequence[str] = ()) -> SchemePlan:
        return make_plans(scheme, self.manifest.frame, self.base, only)

    def runs(self, plans: SchemePlan, seeds: Sequence[int] = (1, 2, 3)) -> dict[str, list[Run]]:
        manifest = self.manifest
        found: dict[str, list[Run]] = {}
        for plan in plans.plans:
            for seed in seeds:
                recipe = plan.recipe(self.base, seed)
                run = start_run(
                    self.study.folder / "runs" / f"{plan.name}-{seed}", recipe, self.study.manifest, manifest
                )
                seen = mark_seen(manifest.frame, recipe.data).select("path", "seen")
                pictures = self.study.pictures.drop("seen", "split").join(
                    manifest.frame.select("path", "split"), on="path", how="left", maintain_order="left"
                )
                self.study.write(run, {}, pictures.join(seen, on="path", how="left", maintain_order="left"))
                found.setdefault(plan.name, []).append(run)
        return found


@pytest.fixture
def schemes(study: Any) -> Schemes:
    return Schemes(study)


def auc_by_hand(reals: np.ndarray, fakes: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(np.repeat([0, 1], [reals.size, fakes.size]), np.concatenate([reals, fakes])))
