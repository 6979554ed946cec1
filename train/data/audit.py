"""The audit: can a score on this manifest be believed?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from train.data.groups import near_pairs
from train.data.manifest import LABELS, SPLITS, Manifest
from train.data.null_model import NullModel, fit_null_model
from train.data.scan import Skipped

MEASURES = ("width", "height", "aspect", "jpeg_quality", "bytes_per_pixel")
_EXAMPLES = 5


@dataclass(frozen=True)
class Limits:
    """What an audit lets pass.

    `leaks`, `conflicts` and `mixed_groups` are numbers of cases, `null_auc` is compared with the lower end of the null
    model's interval, `skipped_share` is 0..1 of all pictures. `mixed_groups` is open by default: a face and
    its edited or inverted twin are near-duplicates with different labels, and rightly so.
    """

    leaks: int = 0
    conflicts: int = 0
    mixed_groups: int | None = None
    null_auc: float = 0.75
    skipped_share: float = 0.05


@dataclass(frozen=True)
class Count:
    """Number of pictures with one combination of label, generator, source and split."""

    label: str
    generator: str
    source: str
    split: str
    pictures: int


@dataclass(frozen=True)
class Spread:
    """Quartiles of one measure in one class; None where no picture has it (JPEG quality of PNG files)."""

    label: str
    measure: str
    lower: float | None
    median: float | None
    upper: float | None


@dataclass(frozen=True)
class Cases:
    """How many cases of one kind there are, and the paths of the first few."""

    count: int
    examples: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Audit:
    """All that was found; `failures` are sentences about what broke the limits, `findings` about the rest."""

    counts: tuple[Count, ...]
    formats: dict[str, dict[str, int]]
    spreads: tuple[Spread, ...]
    exact_duplicates: Cases
    leaks: Cases
    conflicts: Cases
    mixed_groups: Cases
    null_model: NullModel | None
    skipped: tuple[Skipped, ...]
    limits: Limits
    failures: tuple[str, ...]
    findings: tuple[str, ...]


def audit(manifest: Manifest, skipped: Sequence[Skipped] = (), limits: Limits | None = None, seed: int = 0) -> Audit:
    """Audit a manifest without opening its pictures.

    A leak is a near-duplicate pair, or one content or group, in more than one split; a conflict is one content with
    both labels; a mixed group has both labels. `seed` is for the null model.
    """
    frame, limits = manifest.frame, limits or Limits()
    leaks, conflicts = _leaks(frame), _cases(frame, "sha256", "label")
    mixed, null_model = _cases(frame, "group", "label"), fit_null_model(frame, seed)
    duplicates = _cases(frame, "sha256", "path")
    measured = frame.with_columns(
        aspect=pl.col("width") / pl.col("height"),
        bytes_per_pixel=pl.col("bytes") / (pl.col("width") * pl.col("height")),
    )
    failures, findings = _empty_cells(frame), list[str]()
    for cases, limit, what in (
        (leaks, limits.leaks, "near-duplicates in different splits: scan again without official splits"),
        (conflicts, limits.conflicts, "contents labelled both real and fake: correct the card or remove them"),
        (mixed, limits.mixed_groups, "groups with real and fake pictures: right for pairs, else mislabelled"),
    ):
        if cases.count:
            sentence = f"{cases.count} {what} (first: {', '.join(cases.examples[0])})."
            (failures if limit is not None and cases.count > limit else findings).append(sentence)
    if duplicates.count:
        findings.append(f"{duplicates.count} contents stand more than once.")
    share = len(skipped) / max(1, len(skipped) + frame.height)
    if skipped:
        sentence = f"{len(skipped)} pictures ({share:.1%}) were left out: see the list of reasons."
        (failures if share > limits.skipped_share else findings).append(sentence)
    failing = null_model is not None and null_model.low > limits.null_auc
    (failures if failing else findings).append(null_verdict(null_model, limits))
    return Audit(
        counts=_counts(frame),
        formats={label: _formats(frame.filter(label=label)) for label in LABELS},
        spreads=tuple(_spread(measured, label, measure) for measure in MEASURES for label in LABELS),
        exact_duplicates=duplicates,
        leaks=leaks,
        conflicts=conflicts,
        mixed_groups=mixed,
        null_model=null_model,
        skipped=tuple(skipped),
        limits=limits,
        failures=tuple(failures),
        findings=tuple(findings),
    )


def _counts(frame: pl.DataFrame) -> tuple[Count, ...]:
    keys = ["label", "generator", "source", "split"]
    return tuple(Count(*row) for row in frame.group_by(keys).len().sort(keys).iter_rows())


def _formats(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame["format"].value_counts().sort("format").iter_rows())


def _empty_cells(frame: pl.DataFrame) -> list[str]:
    failures = []
    for label in LABELS:
        present = set(frame.filter(label=label)["split"])
        if not present:
            failures.append(f"No picture is {label}: add some.")
        elif missing := [split for split in SPLITS if split not in present]:
            failures.append(f"No {label} picture is in split {' or '.join(missing)}: add pictures.")
    return failures


def _cases(frame: pl.DataFrame, key: str, differing: str) -> Cases:
    """Find the values of column `key` whose rows differ in column `differing`."""
    many = frame.group_by(key, maintain_order=True).agg(pl.col(differing).n_unique().alias("kinds"), pl.col("path"))
    paths = many.filter(pl.col("kinds") > 1)["path"]
    return Cases(len(paths), tuple(tuple(found[:_EXAMPLES]) for found in paths[:_EXAMPLES].to_list()))


def _leaks(frame: pl.DataFrame) -> Cases:
    splits, paths = frame["split"].to_numpy(), frame["path"].to_list()
    pairs = near_pairs(frame["phash"].to_list())
    torn = [(int(a), int(b)) for a, b in pairs[splits[pairs[:, 0]] != splits[pairs[:, 1]]]]
    found = {(paths[a], paths[b]): None for a, b in torn}
    # Equal contents that are flat, and the groups of a card, do not show as near-duplicate pairs.
    for key in ("sha256", "group"):
        for rows in frame.with_row_index("row").group_by(key, maintain_order=True).agg("row", "split")["row"].to_list():
            first = {str(splits[row]): row for row in reversed(rows)}
            ends = sorted(first.values())
            found.update({(paths[ends[0]], paths[other]): None for other in ends[1:]})
    return Cases(len(found), tuple(list(found)[:_EXAMPLES]))


def _spread(measured: pl.DataFrame, label: str, measure: str) -> Spread:
    values = measured.filter(label=label)[measure].drop_nulls().to_numpy().astype(float)
    if not len(values):
        return Spread(label, measure, None, None, None)
    lower, median, upper = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    return Spread(label, measure, lower, median, upper)


def null_verdict(null_model: NullModel | None, limits: Limits) -> str:
    """Say in one sentence what the metadata-only null model means for every score on the same pictures."""
    if null_model is None:
        return "The null model was not fitted: a class has fewer than 5 groups."
    auc = f"at AUC {null_model.auc:.2f} [{null_model.low:.2f}, {null_model.high:.2f}]"
    if null_model.low > limits.null_auc:
        return (
            f"File metadata alone separates the classes {auc}: any score on this manifest is suspect; "
            "equalise size, format and quality, or train with JPEG and resize augmentation and judge matched sources."
        )
    if null_model.low > 0.55:
        return f"File metadata alone says something about the class ({auc}): compare every score with that."
    return f"File metadata alone does not separate the classes ({auc})."
