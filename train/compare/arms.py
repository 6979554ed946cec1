"""Runs sorted for a comparison: replicates differ in the seed alone, arms in one key of the recipe alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from train.common.errors import TrainError
from train.fit.run_folder import Run

SEED = "fit.seed"
LABELS_ONLY = ("title", "data.licences")
"""Keys of a recipe that change nothing of what is learned; two recipes that differ in them are the same."""

Key = tuple[str, Any]


@dataclass(frozen=True)
class Arm:
    """The replicates of one recipe, by seed; named by its value of the compared key."""

    name: str
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, rising."""
        return tuple(run.recipe.fit.seed for run in self.runs)


@dataclass(frozen=True)
class Block:
    """Arms whose recipes are equal but for the compared key, with the same seeds: what may be held together.

    name: the keys in which the blocks of a comparison differ, with this block's values; empty where there is one
    block only. others: in the order in which their runs were named, and empty where only the baseline was trained.
    """

    name: str
    baseline: Arm
    others: tuple[Arm, ...]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, the baseline first."""
        return (self.baseline, *self.others)


def arrange(runs: Sequence[Run], against: Key) -> tuple[Block, ...]:
    """Sort runs into blocks of arms of replicates, in the order of their first runs; `against` is the baseline's key.

    A folder that is named twice counts once. Raises TrainError where runs cannot be compared fairly: an unknown key or
    a value that no run has, other manifests, the same training twice, an arm without a baseline that differs from it
    in that key alone, nothing beside the baseline, seeds that do not match between arms, fewer than 2 seeds.
    """
    key, value = against
    runs = list({run.folder.resolve(): run for run in runs}.values())
    tables = [_flat(asdict(run.recipe)) for run in runs]
    _check_key(key, value, tables)
    _check_manifests(runs)
    found: dict[str, dict[str, list[Run]]] = {}
    rests: dict[str, dict[str, Any]] = {}
    for run, table in zip(runs, tables, strict=True):
        rest = {name: one for name, one in table.items() if name not in (key, SEED, *LABELS_ONLY)}
        block = repr(sorted(rest.items()))
        rests[block] = rest
        found.setdefault(block, {}).setdefault(value_in_words(table.get(key)), []).append(run)
    baseline = value_in_words(value)
    _check_baselines(found, rests, key, baseline)
    names = _names(list(rests.values()))
    return tuple(
        _block(name, {arm: _replicates(members) for arm, members in arms.items()}, baseline, key)
        for name, arms in zip(names, found.values(), strict=True)
    )


def value_in_words(value: Any) -> str:
    """A value of a recipe as short text: lists with commas, words without quotes, truth as TOML has it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(value_in_words, value))
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Dotted keys to values; the entries of a list of tables are numbered from 0."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{key}.")
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            for place, one in enumerate(value):
                flat |= _flat(one, f"{key}.{place}.")
        else:
            flat[key] = tuple(value) if isinstance(value, list) else value
    return flat


def _check_key(key: str, value: Any, tables: Sequence[Mapping[str, Any]]) -> None:
    if not tables:
        raise TrainError("Nothing to compare: name run folders made by `train`.")
    if key in (SEED, *LABELS_ONLY):
        raise TrainError(f"{key} has no effect on training: compare by a key that has, e.g. model.front_end.")
    if not any(key in table for table in tables):
        raise TrainError(f"No recipe of these runs has the key {key!r}: `fauxlens recipe keys` lists all keys.")
    there = list(dict.fromkeys(value_in_words(table[key]) for table in tables if key in table))
    if value_in_words(value) not in there:
        raise TrainError(
            f"No run has {key} = {value_in_words(value)}: they have {' and '.join(there)}; take one of these."
        )
    if len(there) == 1 and all(key in table for table in tables):
        raise TrainError(f"Every run has {key} = {there[0]}: add runs that differ from it.")


def _check_manifests(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs:
        if run.manifest_sha256 != first.manifest_sha256:
            raise TrainError(
                f"{run.folder} and {first.folder} were trained on different manifests "
                f"({run.manifest_path} and {first.manifest_path}): their results are not comparable."
            )


def _check_baselines(
    found: Mapping[str, Mapping[str, Sequence[Run]]], rests: Mapping[str, Mapping[str, Any]], key: str, baseline: str
) -> None:
    based = [rests[block] for block, arms in found.items() if baseline in arms]
    for block, arms in found.items():
        if baseline in arms:
            continue
        name, members = next(iter(arms.items()))
        differing = min((_differing([rests[block], other]) for other in based), key=len)
        raise TrainError(
            f"{members[0].folder} ({key} = {name}) has no run with {key} = {baseline} to compare with: the nearest "
            f"one also differs in {' and '.join(differing)}; train that baseline, or leave this run out."
        )


def _replicates(runs: Sequence[Run]) -> tuple[Run, ...]:
    by_seed: dict[int, Run] = {}
    for run in runs:
        twin = by_seed.setdefault(run.recipe.fit.seed, run)
        if twin is not run:
            raise TrainError(
                f"{twin.folder} and {run.folder} are the same training (recipe and seed {run.recipe.fit.seed}): "
                "leave one out, or it would count twice."
            )
    return tuple(by_seed[seed] for seed in sorted(by_seed))


def _block(name: str, arms: Mapping[str, tuple[Run, ...]], baseline: str, key: str) -> Block:
    base = Arm(baseline, arms[baseline])
    others = tuple(Arm(arm, runs) for arm, runs in arms.items() if arm != baseline)
    where = f", {name}" if name else ""
    for other in others:
        if other.seeds != base.seeds:
            raise TrainError(
                f"{key} = {other.name} has {_seeds(other)}, {key} = {baseline} has {_seeds(base)}{where}: train the "
                "missing seeds, or leave them out on both sides."
            )
    if others and len(base.seeds) < 2:
        raise TrainError(
            f"{key} = {baseline} has {_seeds(base)} only{where}: one seed cannot separate a gain from chance; train "
            "at least 2 seeds per arm, better 3 or more (`train --seed`)."
        )
    return Block(name, base, others)


def _seeds(arm: Arm) -> str:
    return f"{'seed' if len(arm.seeds) == 1 else 'seeds'} {value_in_words(arm.seeds)}"


def _differing(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    keys: Iterable[str] = dict.fromkeys(name for table in tables for name in table)
    return [name for name in keys if len({repr(table.get(name)) for table in tables}) > 1]


def _names(rests: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = _differing(rests)
    return ["; ".join(f"{key} = {value_in_words(rest.get(key))}" for key in keys) for rest in rests]
