"""Schemes of leaving out: what each training sees, and what cannot be left out is said in a sentence."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from train.common.errors import TrainError
from train.common.parts import WorkPart
from train.compare.leave_out.plans import SchemePlan, make_plans
from train.compare.leave_out.study import plan_study, trainings_in
from train.data.manifest import SPLITS
from train.evaluate.selection import pairs_of_recipe
from train.recipe import Recipe, parse_recipe

PARTS = (
    ("real", "camera", "studio"), ("real", "camera", "street"), ("real", "camera", "web"), ("fake", "gan-a", "a"),
    ("fake", "gan-c", "c-one"), ("fake", "gan-c", "c-two"), ("fake", "diffusion-b", "b"),
)  # fmt: skip


def frame(parts: Any = PARTS) -> pl.DataFrame:
    rows = [(*part, split) for part in parts for split in SPLITS]
    return pl.DataFrame(rows, schema=["label", "generator", "source", "split"], orient="row")


def recipe(**data: Any) -> Recipe:
    plain = {
        "title": "t",
        "data": {"view": "upright|square|resize(32)", "generators": ["*"]} | data,
        "model": {"weights": "none"},
        "stages": [{"name": "all", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
        "fit": {"seed": 7},
    }
    return parse_recipe(plain, "tests")


def plans(scheme: str, only: tuple[str, ...] = (), parts: Any = PARTS, **data: Any) -> SchemePlan:
    return make_plans(scheme, frame(parts), recipe(**data), only)


def test_what_is_left_out_is_never_trained_on() -> None:
    for scheme in ("generator", "source", "folds:2", "folds:3", "matrix"):
        found = plans(scheme)
        every = set(pairs_of_recipe(frame(), recipe().data))
        for plan in found.plans:
            trained = set(pairs_of_recipe(frame(), plan.data))
            assert trained | set(plan.left_out) == every
            assert not trained & set(plan.left_out) and plan.left_out
            assert {generator for generator, _ in trained} - {"camera"} == set(plan.trained_on)


def test_names_of_the_trainings() -> None:
    assert [plan.name for plan in plans("generator").plans] == ["without-diffusion-b", "without-gan-a", "without-gan-c"]
    assert plans("generator").spared == ("camera",)
    assert [plan.name for plan in plans("source", ("web",)).plans] == ["without-source-web"]
    assert [plan.name for plan in plans("matrix").plans] == ["only-diffusion-b", "only-gan-a", "only-gan-c"]
    alike = (*PARTS, ("fake", "GAN/a", "d"), ("fake", "gan a", "e"))
    names = [plan.name for plan in plans("generator", parts=alike).plans]
    assert len({name.casefold() for name in names}) == len(names) == 5


def test_folds_share_out_generators_and_cameras() -> None:
    found = plans("folds:3").plans
    assert sorted(name for plan in found for name in plan.generators) == ["diffusion-b", "gan-a", "gan-c"]
    assert sorted(name for plan in found for name in plan.sources) == ["street", "studio", "web"]
    assert all(len(plan.generators) == len(plan.sources) == 1 for plan in found)


def test_what_a_recipe_leaves_out_stays_left_out() -> None:
    found = plans("generator", held_out=["gan-a"])
    assert [plan.name for plan in found.plans] == ["without-diffusion-b", "without-gan-c"]
    assert all("gan-a" in plan.data.held_out for plan in found.plans)


@pytest.mark.parametrize(
    ("scheme", "only", "parts", "words"),
    [
        ("everything", (), PARTS, "is not a scheme: choose generator, source, folds:K"),
        ("folds:1", (), PARTS, "use at least 2 folds"),
        ("folds:4", (), PARTS, "needs 4 generators of fakes and 4 sources .* has 3 and 3: use fewer"),
        ("folds:2", ("gan-a",), PARTS, "--only goes with"),
        ("generator", ("gan-z",), PARTS, "no generator 'gan-z': choose from camera, diffusion-b"),
        ("source", ("nowhere",), PARTS, "no source 'nowhere': choose from a, b, c-one"),
        ("matrix", ("camera",), PARTS, "no generator of fakes 'camera'"),
        ("generator", (), PARTS[:4], "No generator of camera, gan-a can be left out"),
        ("matrix", (), PARTS[:4], "at least 2 generators of fakes in training, and there is only gan-a"),
        ("source", (), (("real", "camera", "s"), ("fake", "gan", "s")), "No source of s can be left out"),
        ("generator", (), PARTS[:3], "no fake picture in the split 'train'"),
        ("matrix", (), (*PARTS, ("fake", "camera", "x")), "'camera' has real and fake pictures"),
        ("generator", ("gan-c",), (*PARTS, ("real", "camera", "gan-c")), "a generator and of a source with other"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(scheme: str, only: Any, parts: Any, words: str) -> None:
    with pytest.raises(TrainError, match=words) as refused:
        plans(scheme, only, parts)
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def test_parts_share_out_all_trainings(schemes: Any, tmp_path: Path) -> None:
    study = plan_study(schemes.study.manifest, tmp_path / "out", schemes.base, ["generator", "folds:2"], 3)
    assert len(study.trainings) == 3 * (3 + 2)
    # Seeds one after the other: whoever stops early has every plan once.
    assert [one.seed for one in study.trainings[:6]] == [0, 0, 0, 0, 0, 1]
    assert len({one.recipe.sha256 for one in study.trainings}) == 15
    parts = [trainings_in(study, WorkPart(number, 4)) for number in range(1, 5)]
    assert sorted(map(len, parts)) == [3, 4, 4, 4]
    assert {one.name for part in parts for one in part} == {one.name for one in study.trainings}
    with pytest.raises(TrainError, match="name each scheme once"):
        plan_study(schemes.study.manifest, tmp_path / "out", schemes.base, ["matrix", "matrix"], 1)
