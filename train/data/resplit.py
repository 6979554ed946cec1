"""Other splits for a manifest: other shares, k-fold, or with generators left out of training.

A scan honours the splits that a card fixes and never moves a picture. Here every picture gets a split anew, official
splits included, because the manifest's user asks for it. First, groups that share a content or are connected by
near-duplicates become one (a scan leaves groups apart that it named at different times); then each group, or what is
kept of it, goes to one split by the hash of its name. So no near-duplicate ever stands in two splits, and a group
goes where it would go in any other manifest.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from train.common.errors import DataError
from train.data.groups import merge_groups, near_links
from train.data.manifest import LABELS, SPLITS, Manifest, in_order, moved
from train.data.splits import USUAL, Shares, position_of, split_of

Column = Literal["generator", "family", "source"]
COLUMNS: tuple[Column, ...] = ("generator", "family", "source")


@dataclass(frozen=True)
class Fold:
    """Fold `number` of `count` (1..count, from 2): a group is in the test split of exactly one of them.

    The other groups are divided into train and val in the usual proportion by hash, for each fold anew.
    """

    number: int
    count: int


@dataclass(frozen=True)
class LeaveOut:
    """Pictures whose `column` is one of `names` stand in test only; the other groups keep their usual split.

    `mixed` says what happens to groups that also hold other pictures, such as a photograph and its edits: they go
    to `test` as a whole, or keep their usual split and `drop` the pictures that training and validation must not see.
    """

    names: tuple[str, ...]
    column: Column = "generator"
    mixed: Literal["test", "drop"] = "test"


SplitSpec = Shares | Fold | LeaveOut


def resplit(manifest: Manifest, spec: SplitSpec) -> Manifest:
    """Return the manifest with groups made whole and split `spec`; rows keep their order.

    Raises DataError where `spec` leaves out a name that no picture has, or so much that training has no real or no
    fake picture, and for a fold without a picture.
    """
    return _split(_with_whole_groups(manifest), spec)


def resplit_all(manifest: Manifest, specs: Sequence[SplitSpec]) -> Iterator[tuple[str, Manifest]]:
    """Yield a name fit for a file and the manifest split anew for each of `specs`, with near-duplicates sought once.

    Raises DataError as `resplit`, and where two names would be the same.
    """
    names = [name_of(spec) for spec in specs]
    if again := [name for index, name in enumerate(names) if name in names[:index]]:
        raise DataError(f"Two splits would both be named {again[0]!r}: write them one by one.")
    whole = _with_whole_groups(manifest)
    for name, spec in zip(names, specs, strict=True):
        yield name, _split(whole, spec)


def parse_split_specs(text: str, manifest: Manifest) -> tuple[SplitSpec, ...]:
    """Read how to split a manifest; DataError says what is wrong and what is allowed.

    - `shares:0.7/0.15/0.15`: train, val and test by hash, in these proportions.
    - `fold:2/5`: the second of five folds; `folds:5`: all five.
    - `leave-out:sdxl,sd-2.1`: these generators in test only; `leave-out:source=sfhq` and `leave-out:family=gan` go by
      another column; with `:drop` behind it as in `LeaveOut.mixed`.
    - `leave-each-out:generator`: each in turn (or each `source` or `family`) that training can spare, also `:drop`.
    """
    kind, _, rest = text.partition(":")
    if kind == "shares" and (shares := _parse_shares(rest)):
        return (shares,)
    if kind == "fold" and (match := re.fullmatch(r"(\d{1,3})/(\d{1,3})", rest, re.ASCII)):
        number, count = int(match[1]), int(match[2])
        if 1 <= number <= count >= 2:
            return (Fold(number, count),)
    if kind == "folds" and re.fullmatch(r"\d{1,3}", rest, re.ASCII) and int(rest) >= 2:
        return tuple(Fold(number, int(rest)) for number in range(1, int(rest) + 1))
    mixed: Literal["test", "drop"] = "drop" if rest.endswith(":drop") else "test"
    rest = rest.removesuffix(":drop")
    if kind == "leave-each-out":
        for column in COLUMNS:
            if rest == column:
                return tuple(LeaveOut((name,), column, mixed) for name in _spared(manifest, column))
    if kind == "leave-out" and rest:
        for column in COLUMNS:
            if rest.startswith(f"{column}="):
                return (LeaveOut(tuple(rest.removeprefix(f"{column}=").split(",")), column, mixed),)
        return (LeaveOut(tuple(rest.split(",")), "generator", mixed),)
    raise DataError(
        f"{text!r} is not a way to split: write shares:0.7/0.15/0.15, fold:2/5, folds:5, leave-out:GENERATOR,..., "
        "leave-out:source=NAME,... or leave-each-out:generator (or source, family)."
    )


def name_of(spec: SplitSpec) -> str:
    """Return a name for a split that a file can have, such as `fold-2-of-5` or `without-sdxl`."""
    match spec:
        case Shares(train, val, test):
            name = f"shares-{train:g}-{val:g}-{test:g}"
        case Fold(number, count):
            name = f"fold-{number}-of-{count}"
        case LeaveOut(names, column):
            name = "-".join(("without", *(() if column == "generator" else (column,)), *names))
    return re.sub(r"[^\w.-]+", "-", name)


def join_groups(manifest: Manifest, pairs: Sequence[tuple[str, str]]) -> Manifest:
    """Return the manifest with the groups of each pair of pictures (two of its paths) joined.

    A joined group has the smallest name that a card gave, else the smallest of all. Its pictures get one split:
    train if any of them was in it, else val if any was, else test. So no picture that a model was
    trained on becomes one that it is evaluated by, and the order of joining does not matter. All other groups stay
    as they are. DataError if a path is not in the manifest.
    """
    frame = manifest.frame
    row_of = {path: row for row, path in enumerate(frame["path"])}
    for path in (path for pair in pairs for path in pair):
        if path not in row_of:
            raise DataError(f"{path} is not in the manifest in {manifest.folder}: name pictures by its column path.")
    links = np.array([(row_of[one], row_of[other]) for one, other in pairs], np.int64).reshape(-1, 2)
    return _joined(manifest, links, ())


def join_look_alikes(manifest: Manifest) -> Manifest:
    """Return the manifest with the groups of near-duplicates and of equal contents joined, as `join_groups` does."""
    return _joined(manifest, near_links(manifest.frame["phash"]), (manifest.frame["sha256"],))


def merge(manifests: Sequence[Manifest], folder: Path) -> Manifest:
    """Return one manifest of several, for writing into `folder`, with its look-alikes joined, rows sorted by path.

    Pictures that look alike in two of the manifests, or a group that stands in two, get one group and one split, as
    `join_groups` does; all others keep theirs. DataError if a picture is in two of the manifests.
    """
    parts = [moved(one, folder).frame.with_columns(part=pl.lit(number)) for number, one in enumerate(manifests)]
    # An attribute that one of them does not have is empty there.
    frame = pl.concat(parts, how="diagonal").sort("path")
    if twice := frame.filter(pl.col("path").is_duplicated())["path"].head(1).to_list():
        raise DataError(f"{twice[0]} is in two of the manifests: merge manifests of different folders.")
    in_several = pl.col("part").n_unique().over("group") > 1
    # Within one manifest official splits may tear a group; only what merging brings together is mended.
    together = frame.with_columns(split=pl.when(in_several).then(_first_split()).otherwise("split"))
    return join_look_alikes(Manifest(in_order(together.drop("part")), folder))


def _joined(manifest: Manifest, links: np.ndarray, keys: Sequence[pl.Series]) -> Manifest:
    frame = manifest.frame.with_columns(before=pl.col("group"))
    frame = frame.with_columns(group=merge_groups(frame["group"], links, keys))
    was_joined = pl.col("before").n_unique().over("group") > 1
    joined = frame.with_columns(split=pl.when(was_joined).then(_first_split()).otherwise("split"))
    return Manifest(joined.drop("before"), manifest.folder)


def _first_split() -> pl.Expr:
    """For each row, train if any of its group is in it, else val if any is, else test."""
    rank = pl.col("split").replace_strict(SPLITS, range(len(SPLITS)), return_dtype=pl.Int64)
    return rank.min().over("group").replace_strict(range(len(SPLITS)), SPLITS, return_dtype=pl.String)


def _with_whole_groups(manifest: Manifest) -> Manifest:
    frame = manifest.frame
    groups = merge_groups(frame["group"], near_links(frame["phash"]), (frame["sha256"],))
    return Manifest(frame.with_columns(group=groups), manifest.folder)


def _split(manifest: Manifest, spec: SplitSpec) -> Manifest:
    frame = manifest.frame
    if not isinstance(spec, LeaveOut):
        found = frame.with_columns(split=_by_group(frame, spec))
        if isinstance(spec, Fold):
            _check_fold(found, spec)
        return Manifest(found, manifest.folder)
    for name in spec.names:
        if name not in (there := frame[spec.column].unique().sort().to_list()):
            raise DataError(f"No picture has the {spec.column} {name!r}: name one of {', '.join(there)}.")
    left_out = pl.col(spec.column).is_in(spec.names)
    goes_to_test = (left_out.any() if spec.mixed == "test" else left_out.all()).over("group")
    found = frame.with_columns(split=_by_group(frame, USUAL)).with_columns(
        split=pl.when(goes_to_test).then(pl.lit("test")).otherwise("split")
    )
    found = found.filter(~left_out | (pl.col("split") == "test"))
    for label in LABELS:
        if found.filter(label=label, split="train").is_empty():
            # Such pictures were there, and went to test with the groups that they are in.
            dragged = spec.mixed == "test" and not frame.filter(~left_out, label=label).is_empty()
            remedy = "drop it from mixed groups (:drop), or leave out less" if dragged else "leave out less"
            raise DataError(
                f"Without {spec.column} {', '.join(spec.names)} no {label} picture is left to train on: {remedy}."
            )
    return Manifest(found, manifest.folder)


def _check_fold(found: pl.DataFrame, spec: Fold) -> None:
    groups = found["group"].n_unique()
    remedy = f"use fewer folds than {spec.count}, or add pictures"
    if groups < spec.count:
        raise DataError(f"{spec.count} folds need as many groups, and the manifest has {groups}: {remedy}.")
    if found.filter(split="test").is_empty():
        raise DataError(f"No group falls into fold {spec.number} of {spec.count}, of only {groups} groups: {remedy}.")
    for label in LABELS:
        of_class = found.filter(label=label)
        if not of_class.is_empty() and of_class.filter(split="train").is_empty():
            raise DataError(
                f"Without fold {spec.number} of {spec.count} no {label} picture is left to train on: {remedy}."
            )


def _by_group(frame: pl.DataFrame, spec: Shares | Fold) -> pl.Series:
    groups = frame["group"].unique()
    splits = pl.Series([_split_of(group, spec) for group in groups], dtype=pl.String)
    return frame["group"].replace_strict(groups, splits, return_dtype=pl.String)


def _split_of(group: str, spec: Shares | Fold) -> str:
    if isinstance(spec, Shares):
        return split_of(group, spec)
    if int(position_of(group, f"fold of {spec.count}") * spec.count) + 1 == spec.number:
        return "test"
    share = USUAL.val / (USUAL.train + USUAL.val)
    return "val" if position_of(group, f"val of fold {spec.number} of {spec.count}") < share else "train"


def _spared(manifest: Manifest, column: Column) -> list[str]:
    """Return the values of a column without whose pictures there are still real and fake ones."""
    labels_of = manifest.frame.group_by(column).agg(pl.col("label").unique()).sort(column)
    names: list[str] = labels_of[column].to_list()
    labels = [set(found) for found in labels_of["label"]]
    spared = [
        name for index, name in enumerate(names) if set(LABELS) <= set().union(*labels[:index], *labels[index + 1 :])
    ]
    if not spared:
        raise DataError(
            f"No {column} of {', '.join(names)} can be left out, because all remaining pictures would be of one class: "
            f"add another {column}."
        )
    return spared


def _parse_shares(text: str) -> Shares | None:
    parts = text.split("/")
    if len(parts) != 3 or not all(re.fullmatch(r"\d{1,4}(\.\d{1,6})?", part, re.ASCII) for part in parts):
        return None
    train, val, test = (float(part) for part in parts)
    return Shares(train, val, test) if train > 0 else None
