"""Which trainings a scheme of leaving out needs: each one recipe, and what it is to be evaluated on."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from train.common.errors import TrainError
from train.data.manifest import LABELS, SPLITS
from train.data.splits import position_of
from train.evaluate.selection import Pair, pairs_of_recipe
from train.recipe import Data, Recipe

Kind = Literal["generator", "source"]


@dataclass(frozen=True)
class Plan:
    """One training of a scheme, whatever its seed.

    name: fit for a file, such as `without-sdxl`. generators, sources: those that are left out by name; both empty in
    the scheme `matrix`. left_out: the pairs that the recipe would train on and this training does not. trained_on:
    generators of fakes in training.
    """

    name: str
    generators: tuple[str, ...]
    sources: tuple[str, ...]
    left_out: tuple[Pair, ...]
    trained_on: tuple[str, ...]
    data: Data

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """The recipe of this training with one seed."""
        return replace(base, data=self.data, fit=replace(base.fit, seed=seed))


@dataclass(frozen=True)
class SchemePlan:
    """The trainings of a scheme; `spared` are names for which there is none: a split would lack a class."""

    scheme: str
    plans: tuple[Plan, ...]
    spared: tuple[str, ...] = ()


def make_plans(scheme: str, frame: pl.DataFrame, recipe: Recipe, only: Sequence[str] = ()) -> SchemePlan:
    """Read a scheme for a manifest's frame and a recipe; what the recipe leaves out itself stays left out.

    - `generator`: each generator in turn is left out of training, `source`: each source.
    - `folds:K`: generators of fakes and sources of reals are dealt into K folds; each training leaves out a fold of
      both, so that what it is tried on is new on both sides.
    - `matrix`: each generator of fakes in turn is the only one in training.

    only: of `generator`, `source` and `matrix` just these names. Raises TrainError for an unknown scheme or name, and
    where the manifest has too few generators or sources of a class for it.
    """
    pairs = pairs_of_recipe(frame, recipe.data)
    trained = frame.join(_as_frame(pairs), on=["generator", "source"], how="semi")
    if scheme in ("generator", "source"):
        found = _each("generator" if scheme == "generator" else "source", trained, recipe.data, only)
    elif scheme == "matrix":
        found = _matrix(trained, recipe.data, only)
    elif match := re.fullmatch(r"folds:(\d{1,3})", scheme, re.ASCII):
        if only:
            raise TrainError("--only goes with the schemes generator, source and matrix, not with folds.")
        found = _folds(int(match[1]), trained, recipe.data)
    else:
        raise TrainError(f"{scheme!r} is not a scheme: choose generator, source, folds:K (such as folds:5) or matrix.")
    return _with_names_of_their_own(found)


def _each(kind: Kind, trained: pl.DataFrame, data: Data, only: Sequence[str]) -> SchemePlan:
    names = trained[kind].unique().sort().to_list()
    _check_known(kind, only, names)
    spared = tuple(name for name in names if not _both_classes(trained.filter(pl.col(kind) != name)))
    wanted = [name for name in names if name in only or not only]
    left = [name for name in wanted if name not in spared]
    if not left:
        raise TrainError(
            f"No {kind} of {', '.join(wanted)} can be left out, because a split would then have no real or no fake "
            f"pictures: add pictures of another {kind}."
        )
    return SchemePlan(kind, tuple(_without(kind, name, trained, data) for name in left), spared)


def _folds(count: int, trained: pl.DataFrame, data: Data) -> SchemePlan:
    fakes, reals = (trained.filter(pl.col("label") == label) for label in ("fake", "real"))
    generators = fakes["generator"].unique().to_list()
    # A source that holds fakes, too, cannot be left out without them.
    sources = sorted(set(reals["source"]) - set(fakes["source"]))
    if count < 2:
        raise TrainError(f"folds:{count} leaves nothing to train on: use at least 2 folds.")
    if count > min(len(generators), len(sources)):
        raise TrainError(
            f"folds:{count} needs {count} generators of fakes and {count} sources with real pictures only, and "
            f"training has {len(generators)} and {len(sources)}: use fewer folds, or add pictures."
        )
    plans = []
    for number in range(count):
        these, those = (sorted(_shuffled(names, count)[number::count]) for names in (generators, sources))
        plans.append(_left_out(f"fold-{number + 1}-of-{count}", these, those, trained, data))
    return SchemePlan(f"folds:{count}", tuple(plans))


def _shuffled(names: Iterable[str], count: int) -> list[str]:
    """By hash, so that the folds are the same on every machine and do not follow the alphabet."""
    return sorted(names, key=lambda name: (position_of(name, f"one of {count} folds"), name))


def _matrix(trained: pl.DataFrame, data: Data, only: Sequence[str]) -> SchemePlan:
    reals = trained.filter(pl.col("label") == "real")["generator"].unique().sort().to_list()
    fakes = trained.filter(pl.col("label") == "fake")["generator"].unique().sort().to_list()
    _check_known("generator of fakes", only, fakes)
    if both := sorted(set(reals) & set(fakes)):
        raise TrainError(f"The generator {both[0]!r} has real and fake pictures: give them different names.")
    if len(fakes) < 2:
        raise TrainError(
            f"A matrix needs at least 2 generators of fakes in training, and there is only {fakes[0]}: add another."
        )
    wanted = [name for name in fakes if name in only or not only]
    real = trained.filter(pl.col("label") == "real")
    plans, spared = [], []
    for name in wanted:
        mine = trained.filter((pl.col("label") == "fake") & (pl.col("generator") == name))
        if not _both_classes(pl.concat([real, mine])):
            spared.append(name)
            continue
        left = trained.filter((pl.col("label") == "fake") & (pl.col("generator") != name))
        plans.append(Plan(f"only-{name}", (), (), _pairs(left), (name,), replace(data, generators=(*reals, name))))
    if not plans:
        raise TrainError(
            f"None of {', '.join(wanted)} has pictures in train, val and test to be trained on alone: add pictures."
        )
    return SchemePlan("matrix", tuple(plans), tuple(spared))


def _without(kind: Kind, name: str, trained: pl.DataFrame, data: Data) -> Plan:
    if kind == "generator":
        return _left_out(f"without-{name}", [name], [], trained, data)
    return _left_out(f"without-source-{name}", [], [name], trained, data)


def _left_out(name: str, generators: list[str], sources: list[str], trained: pl.DataFrame, data: Data) -> Plan:
    goes = pl.col("generator").is_in(generators) | pl.col("source").is_in(sources)
    stays = trained.filter(~goes)
    pairs = set(_pairs(stays))
    for shared in [one for one in (*generators, *sources) if _drags_along(one, trained, pairs)]:
        raise TrainError(
            f"{shared!r} is the name of a generator and of a source with other pictures, so neither can be left out by "
            "name: rename one in the manifest."
        )
    held_out = tuple(dict.fromkeys((*data.held_out, *generators, *sources)))
    trained_on = stays.filter(pl.col("label") == "fake")["generator"].unique().sort().to_list()
    return Plan(
        name,
        tuple(generators),
        tuple(sources),
        _pairs(trained.filter(goes)),
        tuple(trained_on),
        replace(data, held_out=held_out),
    )


def _pairs(rows: pl.DataFrame) -> tuple[Pair, ...]:
    return tuple(sorted(rows.select("generator", "source").unique().iter_rows()))


def _drags_along(name: str, trained: pl.DataFrame, wanted: set[Pair]) -> bool:
    """Whether leaving out a name takes away pairs that should stay, for a recipe leaves out generators and sources."""
    gone = trained.filter((pl.col("generator") == name) | (pl.col("source") == name))
    return any(pair in wanted for pair in _pairs(gone))


def _check_known(kind: str, only: Sequence[str], names: Sequence[str]) -> None:
    for name in only:
        if name not in names:
            raise TrainError(f"Training has no {kind} {name!r}: choose from {', '.join(names)}.")


def _both_classes(rows: pl.DataFrame) -> bool:
    """Whether every split has reals and fakes."""
    there = set(rows.select("split", "label").unique().iter_rows())
    return all((split, label) in there for split in SPLITS for label in LABELS)


def _as_frame(pairs: Sequence[Pair]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"generator": pl.String, "source": pl.String}, orient="row")


def _with_names_of_their_own(found: SchemePlan) -> SchemePlan:
    """Names fit for files; where two would be the same, also on a disk that does not tell case, numbers follow."""
    plans: list[Plan] = []
    taken: Counter[str] = Counter()
    for plan in found.plans:
        name = re.sub(r"[^\w.-]+", "-", plan.name)[:80]
        taken[name.casefold()] += 1
        again = taken[name.casefold()]
        plans.append(replace(plan, name=name if again == 1 else f"{name}--{again}"))
    return replace(found, plans=tuple(plans))
