"""Pictures that stand more than once, and where that does harm."""

from dataclasses import dataclass

import polars as pl

from train.data.groups import components, near_links
from train.data.manifest import origin

_EXAMPLES = 5
# A group that a scan has named by itself is called by the first 16 digits of a sha256 (groups.assign_groups).
_OWN_NAME = "^[0-9a-f]{16}$"


@dataclass(frozen=True)
class Cases:
    """How many groups of pictures are of one kind.

    `pictures` are in them, `largest` in the largest; `examples` are paths of the first five groups, at most five each,
    the largest groups first. Where the groups are told for a difference (split, source, label) an example has one
    path for each side.
    """

    count: int
    pictures: int
    largest: int
    examples: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Duplicates:
    """Groups of equal and of look-alike pictures.

    Look-alikes are near-duplicates by perceptual hash and equal contents, joined over any number of steps.

    - `exact`: one content in several files. `near`: look-alikes that are not all one content.
    - `leaks`: look-alikes, or else a group of the manifest, in more than one split.
    - `source_overlaps`: look-alikes in more than one source; a reconstruction counts to its original's.
    - `conflicts`: one content with both labels.
    - `mixed_groups`: look-alikes of different contents with both labels. `declared_pairs`: the same, where a card's
      group says that they belong together (a face and its edited twin), or all fakes are reconstructions in the group.
    """

    exact: Cases
    near: Cases
    leaks: Cases
    source_overlaps: Cases
    conflicts: Cases
    mixed_groups: Cases
    declared_pairs: Cases


def find_duplicates(frame: pl.DataFrame) -> tuple[Duplicates, pl.DataFrame]:
    """Find the duplicates of a manifest's rows, and the list of all pictures that are in one.

    The list has columns cluster (a number from 1), path, sha256, label, generator, source, split, group, and of the
    cluster: pictures, contents, splits, sources and labels (how many of each) and why, which is `look-alikes` or,
    for a torn group of the manifest whose pictures do not look alike, `group`. Its length never exceeds twice the
    manifest's, however dense the clusters are.
    """
    columns = ("path", "sha256", "label", "generator", "source", "split", "group")
    also = (origin().alias("origin"), (pl.col("family") == "reconstruction").alias("is_reconstruction"))
    numbers = components(frame.height, near_links(frame["phash"]), (frame["sha256"],))
    rows = frame.select(*columns, *also)
    alike = _gathered(rows.with_columns(component=pl.Series(numbers)), "component")
    torn = alike.filter(pl.col("splits") > 1)
    # What its look-alikes tear is told once.
    rest = rows.join(torn.select("group").unique(), on="group", how="anti", maintain_order="left")
    torn_groups = _gathered(rest, "group").filter(pl.col("splits") > 1)
    mixed = alike.filter((pl.col("labels") > 1) & (pl.col("contents") > 1))
    is_pair = ((pl.col("label") == "real") | pl.col("is_reconstruction")).all()
    is_declared = (pl.col("group").n_unique() == 1) & (~pl.col("group").str.contains(_OWN_NAME).any() | is_pair)
    contents = _gathered(rows, "sha256")
    leaks, group_leaks = _cases(torn, "split"), _cases(torn_groups, "split")
    found = Duplicates(
        exact=_cases(contents),
        near=_cases(alike.filter(pl.col("contents") > 1)),
        leaks=Cases(
            leaks.count + group_leaks.count,
            leaks.pictures + group_leaks.pictures,
            max(leaks.largest, group_leaks.largest),
            (leaks.examples + group_leaks.examples)[:_EXAMPLES],
        ),
        source_overlaps=_cases(alike.filter(pl.col("sources") > 1), "origin"),
        conflicts=_cases(contents.filter(pl.col("labels") > 1), "label"),
        mixed_groups=_cases(mixed.filter(~is_declared.over("cluster")), "label"),
        declared_pairs=_cases(mixed.filter(is_declared.over("cluster")), "label"),
    )
    clusters = alike["cluster"].n_unique()
    listed = [
        alike.with_columns(pl.lit("look-alikes").alias("why")),
        torn_groups.with_columns(pl.lit("group").alias("why"), cluster=pl.col("cluster").rank("dense") + clusters),
    ]
    order = ("cluster", *columns, "pictures", "contents", "splits", "sources", "labels", "why")
    return found, pl.concat(table.select(order).cast({"cluster": pl.Int64}) for table in listed)


def _gathered(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the rows whose `key` others share, group by group, the largest first.

    Columns are added: cluster (the number of the group, from 1), and how many pictures, contents, splits, sources and
    labels it has.
    """
    together = (
        rows.with_row_index("row")
        .group_by(key)
        .agg(
            pl.col("row").min().alias("first"),
            pl.len().alias("pictures"),
            pl.col("sha256").n_unique().alias("contents"),
            pl.col("split").n_unique().alias("splits"),
            pl.col("origin").n_unique().alias("sources"),
            pl.col("label").n_unique().alias("labels"),
        )
        .filter(pl.col("pictures") > 1)
        .sort("pictures", "first", descending=[True, False])
        .with_row_index("cluster", offset=1)
        .drop("first")
    )
    return rows.join(together, on=key, how="inner", maintain_order="left").sort("cluster", maintain_order=True)


def _cases(rows: pl.DataFrame, differing: str | None = None) -> Cases:
    """Sum up the groups (column `cluster`) of a table by `_gathered`."""
    shown = rows.join(rows.select("cluster").unique(maintain_order=True).head(_EXAMPLES), on="cluster", how="semi")
    if differing is not None:
        shown = shown.unique(["cluster", differing], keep="first", maintain_order=True)
    examples = shown.group_by("cluster", maintain_order=True).agg(pl.col("path").head(_EXAMPLES))["path"]
    return Cases(
        count=rows["cluster"].n_unique(),
        pictures=rows.height,
        largest=int(rows["pictures"].max() or 0),  # type: ignore[arg-type]
        examples=tuple(tuple(paths) for paths in examples.to_list()),
    )
