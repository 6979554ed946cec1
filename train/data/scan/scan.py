"""Scan a folder of pictures into a manifest."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Literal

import polars as pl

from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.common.text import printable_bytes
from train.data.cards.layouts import EXPECTED
from train.data.cards.reader import Card, CardFacts, open_card, usual_layout
from train.data.groups import assign_groups
from train.data.manifest import (
    COLUMNS,
    LABELS,
    SCHEMA,
    Manifest,
    attribute_problem,
    check_frame,
    relative_path,
)
from train.data.scan import scan_cache
from train.data.scan.measure import Measured, Refused, measure_all
from train.data.scan.skipped import Skipped
from train.data.splits import assign_splits
from train.image.files import SUFFIXES, file_problem, folder_problem

# So many names are given of what was looked for and found.
MARKS = ("mark", "mark_says")
"""Attributes that a scan itself adds: those of train.data.scan.measure."""
_NAMED = 6
Trust = Literal["cache", "nothing"]
# Columns of the manifest that a picture keeps from one scan to the next.
_KEPT = ("group", "split", "faces", "eye_x", "eye_y", "eye_distance")
# A file whose name promises a picture: its path below the scanned folder, that in the manifest (both with forward
# slashes), whether it is a link, and its stamp.
_File = tuple[str, str, bool, scan_cache.Stamp]


def scan(
    folder: Path,
    card: Card,
    *,
    manifest_path: Path,
    previous: Manifest | None = None,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
    trust: Trust = "cache",
    clock: Callable[[], int] = time.time_ns,
) -> tuple[Manifest, tuple[Skipped, ...]]:
    """Look at every picture below `folder` that a rule of the card names; rows are sorted by path.

    Pictures known from `previous` (by content) keep group, split and face. Hidden files and folders are
    ignored, links to folders are not followed, links to files only within `folder`. A picture that cannot
    be used is listed as skipped. `on_progress` gets the number of pictures done and their total.

    `manifest_path` is where the caller will write the manifest. What is in the files is remembered beside it (see
    scan_cache.py), also when the scan is broken off, and files that are as they were are not read again; `trust`
    "nothing" reads them all. Both give the same manifest. `clock` tells the nanoseconds since 1970. Raises
    DataError if a folder cannot be read, or no picture is left, or none of a class that the card has rules for.
    """
    started = clock()
    there, ignored = _find(folder, manifest_path.parent)
    files, unfit, unnamed = _look_up(there, folder, open_card(card, folder))
    skipped = [*(one for _, one in unfit), *unnamed, *ignored]
    if files.is_empty():
        _refuse_all(folder, "picture", [one for _, one in unfit])
        raise DataError(f"{folder} has no picture {_looked_for(folder, card, {rule.label for rule in card.rules})}")
    measured = _measure(files, folder, started, scan_cache.scan_cache_path(manifest_path), trust, workers, on_progress)
    rows = files.join(measured, on="path", how="left", maintain_order="left")
    for path, below, reason, label in rows.select("path", "below", "reason", "label").drop_nulls("reason").iter_rows():
        unfit.append((label, Skipped(path, f"{folder / below}{reason}")))
        skipped.append(unfit[-1][1])
    rows = rows.filter(pl.col("reason").is_null())
    # A dataset of one class is fine; one of two whose pictures of a class cannot be read is not.
    for label in sorted({rule.label for rule in card.rules} & set(LABELS)):
        if label not in rows["label"]:
            _refuse_all(folder, f"{label} picture", [one for its, one in unfit if its == label])
            raise DataError(f"{folder} has no {label} picture that can be read {_looked_for(folder, card, {label})}")
    # Not those of the table of measurements, of which some are joined beside them.
    attributes = [name for name in files.columns if attribute_problem(name) is None]
    # What files say of themselves comes along where any says something, unless the card has a column of that name.
    said = [name for name in MARKS if name not in attributes and rows[name].null_count() < rows.height]
    frame = _assign(rows, previous, sorted([*attributes, *said]))
    # A table that is as it was has been checked.
    if previous is None or not frame.equals(previous.frame):
        check_frame(frame, str(manifest_path))
    return Manifest(frame, manifest_path.parent), tuple(sorted(skipped, key=attrgetter("path")))


def _refuse_all(folder: Path, kind: str, unfit: list[Skipped]) -> None:
    """Raise the reason why none of the pictures that are where the card has them can be used; pass where none is."""
    if unfit:
        raise DataError(
            f"{folder} has no {kind} that can be used; {len(unfit):,} skipped, the first because {unfit[0].reason}"
        )


def _looked_for(folder: Path, card: Card, labels: set[str]) -> str:
    """The rest of a sentence about pictures that are not there: where the card has them, and what is there instead."""
    unknown = card.rules == usual_layout(card.name).rules
    globs = [rule.glob for rule in card.rules if rule.label in labels and not rule.skip]
    wanted = ", ".join(globs[:_NAMED]) + (f" and {len(globs) - _NAMED} more" if len(globs) > _NAMED else "")
    there = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir() if not entry.name.startswith("."))
    found = ", ".join(there[:_NAMED]) + (f" and {len(there) - _NAMED} more" if len(there) > _NAMED else "")
    above = _dataset_above(folder, card)
    remedy = f"name {above}" if above else "rename the folders" if unknown else "name another folder of the dataset"
    expected = EXPECTED if unknown else wanted
    return f"(expected {expected}; found {found or 'nothing'}): {remedy}, or name a card that fits with --card."


def _dataset_above(folder: Path, card: Card) -> Path | None:
    """The folder from which a card's paths start, where one inside it was named; None where that does not show."""
    inside = folder.resolve().parts
    for rule in card.rules:
        start = tuple(rule.start.split("/")[:-1])
        for depth in range(1, len(start)):
            if inside[-depth:] == start[:depth]:
                return folder.resolve().parents[depth - 1]
    return None


def _find(folder: Path, manifest_folder: Path) -> tuple[list[_File], list[Skipped]]:
    """List the files below a folder whose names promise a picture, sorted by their path in the manifest.

    What is not looked at, and why, comes with them; but for hidden files and folders.

    This and `_look_up` are most of a scan in which nothing has changed. So they make no objects for a file but these.
    """
    if folder.is_file():
        raise DataError(f"{folder} is a file: name the folder that holds the pictures.")
    files: list[_File] = []
    ignored: list[Skipped] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        here = folder / inside
        in_manifest = relative_path(here, manifest_folder)
        start = "" if in_manifest == "." else f"{in_manifest}/"
        try:
            with _entries(here) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    is_link = entry.is_symlink()
                    why = None
                    if entry.is_dir(follow_symlinks=False):
                        why = folder_problem(name)
                        if why is None:
                            waiting.append(f"{inside}{name}/")
                    elif is_link and _is_folder(entry):
                        why = "is a link to a folder, which is not followed: copy the folder there, or scan it too."
                    elif name[name.rfind(".") :].lower() in SUFFIXES:
                        why = file_problem(name)
                        if why is None:
                            files.append((inside + name, start + name, is_link, scan_cache.stamp(entry)))
                    if why is not None:
                        shown = printable_bytes(start + name)
                        ignored.append(Skipped(shown, f"{folder / inside}/{printable_bytes(name)} {why}"))
        except OSError as error:
            raise DataError(f"{here} cannot be read ({error.strerror}): name a folder you may read.") from None
    return sorted(files, key=itemgetter(1)), ignored


@contextmanager
def _entries(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List a folder."""
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as entries:
            yield entries
        return
    # To ask for a file's stamp takes a third less time if its folder is open.
    handle = os.open(folder, os.O_RDONLY)
    try:
        with os.scandir(handle) as entries:
            yield entries
    finally:
        os.close(handle)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _look_up(
    files: list[_File], folder: Path, card: Card
) -> tuple[pl.DataFrame, list[tuple[str | None, Skipped]], list[Skipped]]:
    """Return the files that the card names, with what it says about them, those that cannot be used, with the label
    that the card has for them, and those that it does not name."""
    named: list[_File] = []
    facts: list[CardFacts] = []
    unfit: list[tuple[str | None, Skipped]] = []
    unnamed: list[Skipped] = []
    for file in files:
        below, path, is_link, _ = file
        if (is_link or not path.isascii()) and (problem := _unfit(file, folder)):
            label = facts_of.label if (facts_of := card.facts(below)) else None
            unfit.append((label, problem))
        elif found := card.facts(below):
            named.append(file)
            facts.append(found)
        else:
            why = card.skip_reason(below)
            text = (
                f"is left out: {why}" if why else f"is named by no rule of card {card.name!r}: add a rule or move it."
            )
            unnamed.append(Skipped(path, f"{folder / below} {text}"))
    columns = {"path": [path for _, path, _, _ in named], "below": [below for below, _, _, _ in named]}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    stamps = scan_cache.stamp_frame([stamp for _, _, _, stamp in named])
    return pl.concat([frame, _facts_frame(facts), stamps], how="horizontal"), unfit, unnamed


def _facts_frame(facts: list[CardFacts]) -> pl.DataFrame:
    """Return what the card says as columns; its split and group are called so, for the manifest has others."""
    # Most cards say the same few things about all their files, and say them with the same objects.
    place: dict[int, int] = {}
    rows = [place.setdefault(id(fact), len(place)) for fact in facts]
    distinct = list({id(fact): fact for fact in facts}.values())
    columns: dict[str, list[str | None]] = {
        "label": [fact.label for fact in distinct],
        "generator": [fact.generator for fact in distinct],
        "family": [fact.family for fact in distinct],
        "source": [fact.source for fact in distinct],
        "card_split": [fact.split for fact in distinct],
        "card_group": [fact.group for fact in distinct],
    }
    for name in sorted({name for fact in distinct for name, _ in fact.attributes}):
        # What a table leaves empty is not known.
        columns[name] = [dict(fact.attributes).get(name) or None for fact in distinct]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))[rows]


def _unfit(file: _File, folder: Path) -> Skipped | None:
    below, path, is_link, _ = file
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        shown = printable_bytes(path)
        return Skipped(shown, f"{shown} has a name that is not UTF-8: rename it.")
    # Unlike Path.resolve, realpath lets a link to itself pass; it cannot be read later on.
    if is_link and not Path(os.path.realpath(folder / below)).is_relative_to(os.path.realpath(folder)):
        return Skipped(path, f"{folder / below} is a link out of the folder: copy the picture into it.")
    return None


def _measure(
    files: pl.DataFrame,
    folder: Path,
    started: int,
    cache_path: Path,
    trust: Trust,
    workers: int,
    on_progress: ProgressCallback | None,
) -> pl.DataFrame:
    """Return what is in each file (columns of a cache): recalled where it is as it was, else measured and kept."""
    old = scan_cache.read_cache(cache_path) if trust == "cache" else scan_cache.blank()
    stamps = files.select("path", *scan_cache.STAMP)
    unchanged = old.select(stamps.columns).equals(stamps)
    recalled = old if unchanged else old.join(stamps, on=stamps.columns, how="semi")
    if on_progress is not None and recalled.height:
        on_progress(recalled.height, files.height)
    if unchanged:
        return recalled
    fresh = files.join(recalled, on="path", how="anti", maintain_order="left")
    found: list[Measured | Refused] = []
    try:
        with closing(measure_all([f"{folder}/{below}" for below in fresh["below"]], workers)) as results:
            for one in results:
                found.append(one)
                if on_progress is not None:
                    on_progress(recalled.height + len(found), files.height)
    finally:
        # Also when the scan is broken off: what was measured until then need not be measured again.
        measured = _table(fresh.head(len(found)), found)
        lasting = pl.Series([isinstance(one, Measured) or one.lasting for one in found], dtype=pl.Boolean)
        kept = measured.filter(lasting & measured.select(scan_cache.is_settled(started)).to_series())
        scan_cache.write_cache(cache_path, pl.concat([recalled, kept]).sort("path"))
    return pl.concat([recalled, measured])


def _table(fresh: pl.DataFrame, found: list[Measured | Refused]) -> pl.DataFrame:
    facts = {name: kind for name, kind in scan_cache.SCHEMA.items() if name not in ("path", *scan_cache.STAMP)}
    # Of a file that was measured there is no reason, of a refused one there is nothing else.
    columns = {name: [getattr(one, name, None) for one in found] for name in facts}
    return fresh.select("path", *scan_cache.STAMP).hstack(pl.DataFrame(columns, schema=facts))


def _assign(rows: pl.DataFrame, previous: Manifest | None, attributes: Sequence[str]) -> pl.DataFrame:
    """Return the manifest of pictures: group, split and faces are those of `previous`, or yet to be found."""
    before = (previous.frame if previous is not None else pl.DataFrame(schema=SCHEMA)).select("sha256", *_KEPT)
    rows = rows.join(before.unique("sha256", keep="last"), on="sha256", how="left", maintain_order="left")
    groups = rows["group"]
    splits = rows.select(pl.coalesce("card_split", "split")).to_series()
    # A picture that is known keeps both, so if all are, there is nothing to compute.
    if groups.has_nulls():
        groups = pl.Series(
            assign_groups(
                rows["sha256"],
                rows["phash"],
                rows["card_group"],
                dict(before.select("sha256", "group").iter_rows()),
            )
        )
        splits = pl.Series(
            assign_splits(groups.to_list(), splits.to_list(), dict(before.select("group", "split").iter_rows()))
        )
    return rows.with_columns(groups.alias("group"), splits.alias("split")).select(*COLUMNS, *attributes)
