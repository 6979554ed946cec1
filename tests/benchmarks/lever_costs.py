"""What each lever of training costs, in the share of a training step that it adds, as a table in Markdown.

    .venv/bin/python tests/benchmarks/lever_costs.py MANIFEST [--recipe faces] [--pictures 48] [--turns 9]

The step is `train_on_batch` of the recipe's network on a batch of its size, from random weights, all layers learning.

- What threads do to a picture beside the steps ([file_processing], [sampling], [augment]): the seconds of a core that
  the picture takes with the lever always on, less those with all off. The pictures are the manifest's, cut out as a run
  packs them; a picture's twin is the picture itself, blurred.
- What the step itself does ([fit], [model]): the seconds of a core of a step of a network with the lever, less those of
  one without.

Turns go through all levers, so that a slow moment of the machine hits all; medians over turns, with quartiles, each of
the turn's own ratio to the turn's step. Where steps take all cores, the share is what training is slowed down by; where
threads have a core to spare, it is less. A recipe's own probability of a lever scales its cost. `--lever` measures only
those that it names, also by a pattern as `sampling.mix*`; repeatable.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import TypeAdapter

from train.common.tf import load_tensorflow, seed_everything
from train.data.manifest import read_manifest
from train.data.rows import select_rows
from train.fit.augment import augment
from train.fit.crops import margin_of, square_of
from train.fit.file_processing import mix_twins, process_square
from train.fit.optimizers import make_optimizer
from train.fit.sampling import plan_all, plan_balanced
from train.fit.weight_average import WeightAverage
from train.image.view import parse_view
from train.model import build_classifier
from train.recipe import Augment, FileProcessing, Recipe, Sampling, read_recipe
from train.recipe_files import find_recipe

FILE_STEPS = ("border", "flip", "rescale", "sharpen", "blur", "colour", "grey", "noise", "jpeg", "jpeg_twice", "native")
AUGMENT_STEPS = ("rescale", "blur", "jpeg", "erase", "rotate", "brightness", "contrast", "sharpen", "noise")
BASES = ("plain", "plan_all", "step")
EPOCH = 10_000
"""Pictures of the epoch whose plan is drawn."""


def switched(kind: type, settings: Any, **on: float) -> Any:
    """The settings with every probability 0 but those given."""
    steps = FILE_STEPS if kind is FileProcessing else AUGMENT_STEPS
    return TypeAdapter(kind).validate_python({**asdict(settings), **dict.fromkeys(steps, 0.0), "flip": 0.0, **on})


def picture_levers(recipe: Recipe, squares: list[np.ndarray], shown: float, size: int) -> dict[str, Callable[[], None]]:
    """What is done to all pictures, by lever; `plain` is the view's resize alone."""
    file, edits = recipe.file_processing or FileProcessing(), recipe.augment
    twins = [cv2.GaussianBlur(square, (0, 0), 1.0) for square in squares]

    def process(settings: FileProcessing) -> None:
        random = np.random.default_rng(1)
        for square in squares:
            process_square(square, shown, size, settings, random)

    def mix(mix_by: Any) -> None:
        random = np.random.default_rng(1)
        for square, twin in zip(squares, twins, strict=True):
            mix_twins(square, twin, mix_by, random)
        process(off)

    views = [
        process_square(square, shown, size, switched(FileProcessing, file), np.random.default_rng(1))
        for square in squares
    ]

    def edit(settings: Augment) -> None:
        random = np.random.default_rng(1)
        for view in views:
            augment(view, settings, random)
        process(off)

    off = switched(FileProcessing, file)
    levers: dict[str, Callable[[], None]] = {"plain": partial(process, off)}
    for step in FILE_STEPS:
        on = {step: 1.0, "jpeg": 1.0} if step == "jpeg_twice" else {step: 1.0}
        levers[f"file_processing.{step}"] = partial(process, switched(FileProcessing, file, **on))
    levers["[file_processing] of the recipe"] = partial(process, file)
    levers["sampling.mix, by pixels"] = partial(mix, "pixels")
    levers["sampling.mix, by frequencies"] = partial(mix, "frequencies")
    for step in AUGMENT_STEPS:
        levers[f"augment.{step}"] = partial(edit, switched(Augment, edits, **{step: 1.0}))
    return levers


def plan_levers() -> dict[str, Callable[[], None]]:
    """How an epoch of EPOCH pictures is drawn, by lever."""
    is_fake = np.arange(EPOCH) % 2 == 1
    cells = np.arange(EPOCH) % 22
    twins = np.where(cells == 21, np.arange(EPOCH) - 1, -1)
    balanced = Sampling(power=0.5, pictures=EPOCH)
    return {
        "plan_all": lambda: consume(plan_all(EPOCH, (1,))),
        "sampling.power": lambda: consume(plan_balanced(is_fake, cells, twins, balanced, (1,))),
        "sampling.twins": lambda: consume(plan_balanced(is_fake, cells, twins, replace(balanced, twins=0.2), (1,))),
    }


def consume(plan: object) -> None:
    """Take a result, which nobody looks at."""


def step_levers(recipe: Recipe, size: int) -> dict[str, Callable[[], None]]:
    """A training step, by lever; `step` has none of them."""
    fit = replace(recipe.fit, average=0.0, weight_decay=0.0, label_smoothing=0.0, optimizer="adam")
    model = replace(recipe.model, weights="none", head="free")
    kinds: dict[str, tuple[Any, Any]] = {
        "step": (model, fit),
        "fit.average": (model, replace(fit, average=0.999)),
        "fit.weight_decay": (model, replace(fit, weight_decay=0.01)),
        "fit.label_smoothing": (model, replace(fit, label_smoothing=0.05)),
        "model.head = non-negative": (replace(model, head="non-negative"), fit),
    }
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, (fit.batch_size, size, size, 3)).astype(np.float32)
    y = (np.arange(fit.batch_size) % 2).astype(np.float32)[:, None]

    def step(network: Any, average: WeightAverage) -> None:
        network.train_on_batch(x, y)
        average.update()

    levers: dict[str, Callable[[], None]] = {}
    for name, (settings, own) in kinds.items():
        network = build_classifier(settings, size, learning=True)
        losses = load_tensorflow().keras.losses
        loss = losses.BinaryCrossentropy(from_logits=True, label_smoothing=own.label_smoothing)
        network.compile(optimizer=make_optimizer(own, 1e-4), loss=loss)
        average = WeightAverage(network, own.average, network.weights)

        levers[name] = partial(step, network, average)
    return levers


def core_seconds(run: Callable[[], None]) -> float:
    """Seconds of a core that a call takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def print_rows(rows: Mapping[str, list[float]], digits: int) -> None:
    """One line a lever: median and quartiles over turns, in percent of a step."""
    for name, shares in rows.items():
        low, middle, high = (100 * one for one in statistics.quantiles(shares, n=4))
        print(f"| {name} | {middle:+.{digits}f} % ({low:+.{digits}f} to {high:+.{digits}f}) |")


def main() -> None:
    """Measure in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--recipe", default="faces")
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--lever", action="append", help="only these: a pattern of the shell; repeatable")
    options = parser.parse_args()
    recipe = read_recipe(find_recipe(options.recipe), {"model.weights": "none"})
    view, file = parse_view(recipe.data.view), recipe.file_processing or FileProcessing()
    manifest = select_rows(read_manifest(options.manifest), view, "drop")
    rows = manifest.frame.sample(min(options.pictures, manifest.frame.height), seed=1)
    margin = margin_of(file) if view.needs_eyes else 1.0
    squares = [
        square_of(manifest, row, view, margin, round(file.side * margin), "drop") for row in rows.iter_rows(named=True)
    ]
    # One thread for what a thread of the pipeline does; steps have their own.
    cv2.setNumThreads(1)
    seed_everything(1)
    pictures, plans, steps = (
        picture_levers(recipe, squares, 1 / margin, view.size),
        plan_levers(),
        step_levers(recipe, view.size),
    )
    asked = options.lever or ["*"]
    pictures, plans, steps = (
        {name: run for name, run in some.items() if name in BASES or any(fnmatchcase(name, one) for one in asked)}
        for some in (pictures, plans, steps)
    )
    everything = {**pictures, **plans, **steps}
    for run in everything.values():
        run()
    turns = [{name: core_seconds(run) for name, run in everything.items()} for _ in range(options.turns)]
    batch = recipe.fit.batch_size
    in_pictures: dict[str, list[float]] = {
        name: [] for name in (*pictures, *plans) if name not in ("plain", "plan_all")
    }
    in_steps: dict[str, list[float]] = {name: [] for name in steps if name != "step"}
    for turn in turns:
        step = turn["step"] / batch
        for name in in_pictures:
            base, count = ("plan_all", EPOCH) if name in plans else ("plain", len(squares))
            in_pictures[name].append((turn[name] - turn[base]) / count / step)
        for name in in_steps:
            in_steps[name].append(turn[name] / turn["step"] - 1)
    milliseconds = statistics.median(turn["step"] for turn in turns) / batch * 1000
    side = statistics.median(len(square) for square in squares)
    print(
        f"{recipe.model.backbone} at {view.size} px, batches of {batch}, {len(squares)} squares (median {side:.0f} px):"
    )
    print(f"a step takes {milliseconds:.1f} ms a picture and core; {options.turns} turns.\n")
    print("| lever, always on | adds to a step |\n|---|---|")
    print_rows(in_pictures, 1)
    print_rows(in_steps, 1)


if __name__ == "__main__":
    main()
