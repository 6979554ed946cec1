"""How many pictures a second `train` learns from, against a bare Keras loop on one batch that never changes.

    .venv/bin/python tests/benchmarks/train_rate.py MANIFEST [--recipe all-generators] [--size 96] [--batches 40]

Both take steps with the same network, from random weights: `train`'s loop on augmented batches of the manifest's
training pictures, which its threads prepare beside the steps, and `train_on_batch` on the first of these batches, again
and again. A turn measures one of each, so that a slow moment of the machine hits both, and the ratio is of a turn's two
rates. Prints medians with their quartiles. Packing, validation and checkpoints are not in it, for they are not once a
batch. Not a test: the machine's mood is in the seconds, less so in the ratio.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from train.common.tf import load_tensorflow, seed_everything
from train.dropout import seed_dropout
from train.fit.batches import Batch
from train.fit.epoch import keras_step, learn_epoch
from train.fit.optimizers import make_optimizer
from train.fit.pipeline import begin
from train.fit.stage_data import StageData, gather_stage_data
from train.fit.weight_average import WeightAverage
from train.model import build_classifier
from train.recipe import Recipe, read_recipe, with_options
from train.recipe_files import find_recipe


def rate(batches: int, size: int, run: Callable[[], object]) -> float:
    """Pictures a second of one run over so many batches of `size`."""
    start = time.perf_counter()
    run()
    return batches * size / (time.perf_counter() - start)


def full_batches(data: StageData, first: int) -> Generator[Batch, None, None]:
    """The batches of epochs from number `first` on, without the short one at an epoch's end."""
    for epoch in count(first):
        for batch in data.augmented(len(data.recipe.stages) - 1, epoch):
            if len(batch[0]) == data.recipe.fit.batch_size:
                yield batch


def compiled(recipe: Recipe, size: int) -> Any:
    """The recipe's network with all layers learning."""
    model = build_classifier(recipe.model, size, learning=True)
    losses = load_tensorflow().keras.losses
    model.compile(
        optimizer=make_optimizer(recipe.fit, 1e-4),
        loss=losses.BinaryCrossentropy(from_logits=True, label_smoothing=recipe.fit.label_smoothing),
    )
    return model


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits both alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--recipe", default="all-generators")
    parser.add_argument("--size", type=int)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    read = read_recipe(find_recipe(options.recipe), {"model.weights": "none"})
    recipe = with_options(read, size=options.size)
    size, seed = recipe.fit.batch_size, recipe.fit.seed
    with tempfile.TemporaryDirectory() as temporary:
        run = begin(recipe, options.manifest.resolve(), Path(temporary) / "run")
        data = gather_stage_data(run, run.store())
        if len(data.learn.index) < size:
            parser.error(f"the training split has {len(data.learn.index)} pictures, and a batch takes {size}")
        seed_everything(seed)
        model = compiled(recipe, run.view.size)
        average = WeightAverage(model, recipe.fit.average, model.weights)
        x, y, weight = next(full_batches(data, 0))

        def bare() -> None:
            for _ in range(options.batches):
                model.train_on_batch(x, y, sample_weight=weight)

        def train(turn: int) -> None:
            def seeded(batches: Iterator[Batch]) -> Iterator[Batch]:
                for number, batch in enumerate(batches):
                    seed_dropout(model, seed, number)
                    yield batch

            with closing(full_batches(data, turn * options.batches)) as batches:
                learn_epoch(
                    keras_step(model),
                    seeded(islice(batches, options.batches)),
                    rate=lambda number: 1e-4,
                    on_batch=lambda done, loss: None,
                    after_step=average.update,
                )

        # Traced and warm before the first turn.
        model.train_on_batch(x, y, sample_weight=weight)
        average.update()
        rates: dict[str, list[float]] = {"train": [], "bare Keras loop": [], "ratio": []}
        for turn in range(options.repeat):
            ours = rate(options.batches, size, partial(train, turn))
            theirs = rate(options.batches, size, bare)
            for name, value in zip(rates, (ours, theirs, ours / theirs), strict=True):
                rates[name].append(value)
    print(f"{recipe.model.backbone} at {run.view.size} px, batches of {size}, {options.batches} batches a turn")
    for name, values in rates.items():
        low, middle, high = statistics.quantiles(values, n=4)
        unit = "" if name == "ratio" else " pictures/s"
        print(f"{name:16} {middle:.3f}  [{low:.3f}, {high:.3f}]{unit}")


if __name__ == "__main__":
    main()
