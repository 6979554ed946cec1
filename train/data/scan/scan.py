"""Scan a folder of pictures into a manifest."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import polars as pl

from train.common.documents import table_bytes
from train.common.errors import DataError
from train.common.parts import ALL, WorkPart, part_path
from train.common.progress import ProgressCallback
from train.data.cards.reader import Card, CardFacts, open_card
from train.data.groups import assign_groups
from train.data.manifest import COLUMNS, LABELS, SCHEMA, Manifest, attribute_problem, check_frame
from train.data.scan import scan_cache
from train.data.scan.find_files import FoundFile, find_files, looked_for, why_unfit
from train.data.scan.measure import Measured, Refused, measure_all
from train.data.scan.skipped import Skipped
from train.data.splits import assign_splits

MARKS = ("mark", "mark_says")
"""Attributes that a scan itself adds: those of train.data.scan.measure."""
Trust = Literal["cache", "nothing"]
# Columns of the manifest that a picture keeps from one scan to the next.
_KEPT = ("group", "split", "faces", "eye_x", "eye_y", "eye_distance")
_CARD = ("label", "generator", "family", "source", "card_split", "card_group")
_MEASURED = ("sha256", "phash", "width", "height", "format", "jpeg_quality", "bytes")


@dataclass(frozen=True)
class ScannedRows:
    """What a scan knows of each picture by itself; groups and splits take all pictures together (`assign_rows`).

    `frame` has a row a picture, sorted by path: its path, what the card and the file say, and the attributes. `unfit`
    are those of the skipped that are where the card has pictures, with the label that it has for them. `facts`
    are those of the folder and the card, the same whichever part of the pictures was looked at, and can be JSON;
    `listing` is a digest of all names and of what the card says of them, empty where everything was looked at.
    """

    frame: pl.DataFrame
    skipped: tuple[Skipped, ...]
    unfit: tuple[tuple[str | None, Skipped], ...]
    facts: Mapping[str, Any]


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
    found = scan_rows(
        folder, card, manifest_path=manifest_path, workers=workers, on_progress=on_progress, trust=trust, clock=clock
    )
    # A dataset of one class is fine; one of two whose pictures of a class cannot be read is not.
    for label in missing_labels(found.frame, found.facts):
        refuse_unfit(str(folder), f"{label} picture", [one for its, one in found.unfit if its == label])
        raise DataError(f"{folder} has no {label} picture that can be read {looked_for(folder, card, {label})}")
    frame = assign_rows(found.frame, found.facts, previous)
    # A table that is as it was has been checked.
    if previous is None or not frame.equals(previous.frame):
        check_frame(frame, str(manifest_path))
    return Manifest(frame, manifest_path.parent), found.skipped


def scan_rows(
    folder: Path,
    card: Card,
    *,
    manifest_path: Path,
    part: WorkPart = ALL,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
    trust: Trust = "cache",
    clock: Callable[[], int] = time.time_ns,
) -> ScannedRows:
    """Do what of `scan` is done for each picture by itself, for those whose path below `folder` is in `part`.

    A part has a cache of its own. Raises DataError as `scan`, but where no picture of a class can be read.
    """
    started = clock()
    there, ignored = find_files(folder, manifest_path.parent, part)
    files, unfit, unnamed = _look_up(there, folder, open_card(card, folder), part)
    if files.is_empty():
        refuse_unfit(str(folder), "picture", [one for _, one in unfit])
        raise DataError(f"{folder} has no picture {looked_for(folder, card, {rule.label for rule in card.rules})}")
    facts = {
        # Not those of the table of measurements, of which some are joined beside them.
        "attributes": [name for name in files.columns if attribute_problem(name) is None],
        "card": card.name,
        "expected": dict(card.expected),
        "labels": sorted({rule.label for rule in card.rules} & set(LABELS)),
        "listing": "" if part.count == 1 else _digest(files),
    }
    cache = scan_cache.scan_cache_path(manifest_path if part == ALL else part_path(manifest_path, part))
    if part.count > 1:
        files = files.filter(pl.Series([part.has(below) for below in files["below"]], dtype=pl.Boolean))
    measured = _measure(files, folder, started, cache, trust, workers, on_progress)
    rows = files.join(measured, on="path", how="left", maintain_order="left")
    for path, below, reason, label in rows.select("path", "below", "reason", "label").drop_nulls("reason").iter_rows():
        unfit.append((label, Skipped(path, f"{folder / below}{reason}")))
    skipped = [*(one for _, one in unfit), *unnamed, *ignored]
    marks = [name for name in MARKS if name not in facts["attributes"]]
    rows = rows.filter(pl.col("reason").is_null()).select("path", *_CARD, *_MEASURED, *facts["attributes"], *marks)
    return ScannedRows(rows, tuple(sorted(skipped, key=attrgetter("path"))), tuple(unfit), facts)


def refuse_unfit(place: str, kind: str, unfit: Sequence[Skipped]) -> None:
    """Raise the reason why none of the pictures that are where the card has them can be used; pass where none is."""
    if unfit:
        raise DataError(
            f"{place} has no {kind} that can be used; {len(unfit):,} skipped, the first because {unfit[0].reason}"
        )


def missing_labels(rows: pl.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    """Return the classes that the card has rules for and no picture is of."""
    return [label for label in facts["labels"] if label not in rows["label"]]


def assign_rows(rows: pl.DataFrame, facts: Mapping[str, Any], previous: Manifest | None) -> pl.DataFrame:
    """Return the frame of a manifest of `ScannedRows` of all pictures, whose groups and splits are worked out.

    Group, split and faces of pictures in `previous` are kept, faces of others are yet to be found.
    """
    attributes = facts["attributes"]
    # What files say of themselves comes along where any says something, unless the card has a column of that name.
    said = [name for name in MARKS if name not in attributes and rows[name].null_count() < rows.height]
    return _assign(rows, previous, sorted([*attributes, *said]))


def _digest(files: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    listed = files.select("below", *_CARD, *(name for name in files.columns if attribute_problem(name) is None))
    for some in listed.iter_slices(100_000):
        digest.update(table_bytes(some))
    return digest.hexdigest()


def _look_up(
    files: list[FoundFile], folder: Path, card: Card, part: WorkPart
) -> tuple[pl.DataFrame, list[tuple[str | None, Skipped]], list[Skipped]]:
    """Return the files that the card names, with what it says about them, those that cannot be used, with the label
    that the card has for them, and those that it does not name."""
    named: list[FoundFile] = []
    facts: list[CardFacts] = []
    unfit: list[tuple[str | None, Skipped]] = []
    unnamed: list[Skipped] = []
    for file in files:
        below, path, is_link, _ = file
        if (is_link or not path.isascii()) and (problem := why_unfit(file, folder)):
            if part.has(below):
                label = facts_of.label if (facts_of := card.facts(below)) else None
                unfit.append((label, problem))
        elif found := card.facts(below):
            named.append(file)
            facts.append(found)
        elif part.has(below):
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
