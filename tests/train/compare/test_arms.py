"""Runs are sorted into arms of replicates, and what cannot be compared fairly is refused in a sentence."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from train.common.errors import TrainError
from train.compare.arms import Block, arrange, value_in_words
from train.data.manifest import read_manifest, write_manifest
from train.fit.run_folder import open_run

RGB = ("model.front_end", "rgb")
Runs = Callable[..., Path]


def sort(folders: list[Path], against: tuple[str, Any] = RGB) -> tuple[Block, ...]:
    return arrange([open_run(folder) for folder in folders], against)


def test_arms_and_blocks_are_found_whatever_the_order(study: Any) -> None:
    folders = [
        study.run(f"{mix}-{front_end}-{seed}", front_end, seed, finished=False, title=f"{mix} {seed}", **more)
        for mix, more in (("gan", {}), ("wide", {"model__dropout": 0.5}))
        for front_end in ("npr", "rgb", "ela")
        for seed in (2, 1)
    ]
    first, second = sort(folders)
    assert (first.name, second.name) == ("model.dropout = 0.2", "model.dropout = 0.5")
    assert [arm.name for arm in first.arms] == ["rgb", "npr", "ela"]
    assert {arm.seeds for block in (first, second) for arm in block.arms} == {(1, 2)}
    assert [run.folder.name for run in second.others[0].runs] == ["wide-npr-1", "wide-npr-2"]
    # Another name, the same folders: titles and order change nothing.
    again = sort([*reversed(folders), folders[0]])
    assert {block.name: {arm.name for arm in block.arms} for block in again} == {
        block.name: {arm.name for arm in block.arms} for block in (first, second)
    }


def test_any_key_may_be_compared_also_one_of_a_stage(study: Any) -> None:
    stages = [{"name": "all", "epochs": 2, "learning_rate": rate, "train_from": "all"} for rate in (1e-3, 1e-4)]
    folders = [
        study.run(f"{place}-{seed}", seed=seed, finished=False, stages=[stage])
        for place, stage in enumerate(stages)
        for seed in (1, 2)
    ]
    (block,) = sort(folders, ("stages.0.learning_rate", 1e-4))
    assert (block.name, block.baseline.name, block.others[0].name) == ("", "0.0001", "0.001")


def test_a_block_with_the_baseline_alone_is_kept(study: Any) -> None:
    folders = [study.run(f"{name}-{seed}", name, seed, finished=False) for name in ("rgb", "npr") for seed in (1, 2)]
    lone = study.run("lone", seed=1, finished=False, model__dropout=0.5)
    assert [len(block.others) for block in sort([*folders, lone])] == [1, 0]


def test_values_in_words() -> None:
    assert [value_in_words(one) for one in (("camera", "gan"), True, 0.5, "rgb", None)] == [
        "camera, gan",
        "true",
        "0.5",
        "rgb",
        "none",
    ]


@pytest.mark.parametrize(
    ("runs", "against", "words"),
    [
        ([], RGB, "Nothing to compare"),
        ([("rgb", 1), ("npr", 1)], ("fit.seed", 1), "fit.seed has no effect on training"),
        ([("rgb", 1), ("npr", 1)], ("title", "Study"), "title has no effect on training"),
        ([("rgb", 1), ("npr", 1)], ("model.frontend", "rgb"), "has the key 'model.frontend'"),
        ([("ela", 1), ("npr", 1)], RGB, "No run has model.front_end = rgb: they have ela and npr"),
        ([("rgb", 1), ("rgb", 2)], RGB, "Every run has model.front_end = rgb: add runs"),
        ([("rgb", 1), ("npr", 1)], RGB, "rgb has seed 1 only.*train at least 2 seeds"),
        (
            [("rgb", 1), ("rgb", 2), ("npr", 1)],
            RGB,
            "= npr has seed 1, model.front_end = rgb has seeds 1, 2: train the missing seeds",
        ),
        ([("rgb", 1), ("rgb", 1), ("npr", 1)], RGB, "are the same training \\(recipe and seed 1\\)"),
        (
            [("rgb", 1), ("rgb", 2), ("npr", 1, {"model__dropout": 0.5})],
            RGB,
            "2 \\(model.front_end = npr\\) has no run with model.front_end = rgb .* differs in model.dropout; train",
        ),
        (
            [("rgb", 1), ("npr", 1, {"model__dropout": 0.5, "fit__batch_size": 8})],
            RGB,
            "differs in model.dropout and fit.batch_size",
        ),
    ],
)
def test_what_is_not_fair_is_refused_in_a_sentence(
    study: Any, runs: list[tuple], against: tuple[str, Any], words: str
) -> None:
    folders = [
        study.run(str(place), front_end, seed, finished=False, **(more[0] if more else {}))
        for place, (front_end, seed, *more) in enumerate(runs)
    ]
    with pytest.raises(TrainError) as refused:
        sort(folders, against)
    sentence = str(refused.value)
    assert re.search(words, sentence), sentence
    assert "\n" not in sentence and sentence.endswith((".", ")."))


def test_other_manifests_are_refused(study: Any) -> None:
    manifest = read_manifest(study.manifest)
    other = study.folder / "other.csv"
    write_manifest(type(manifest)(manifest.frame.head(-1), manifest.folder), other)
    folders = [
        study.run("a", "rgb", finished=False),
        study.run("b", "npr", manifest=other, finished=False),
    ]
    with pytest.raises(TrainError, match="trained on different manifests"):
        sort(folders)
