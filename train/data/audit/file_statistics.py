"""Facts of the files, by class and by part: how many, how large, of what format and quality, with how many faces.

A *part* is the pictures of one source by one generator with one label: what a score should be told for. It is called
by its source, and by source / generator where a source holds several.
"""

from dataclasses import dataclass

import polars as pl

MEASURES = ("width", "height", "aspect", "jpeg_quality", "bytes_per_pixel", "bytes")
WORDS = {
    "width": "width",
    "height": "height",
    "aspect": "aspect ratio",
    "format": "file format",
    "jpeg_quality": "JPEG quality",
    "bytes_per_pixel": "bytes per pixel",
    "bytes": "file size",
}
"""How people call a column."""

_QUANTILES = {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}


@dataclass(frozen=True)
class Count:
    """Number of pictures with one combination of label, generator, source and split."""

    label: str
    generator: str
    source: str
    split: str
    pictures: int


@dataclass(frozen=True)
class MeasureSpread:
    """Quantiles (5, 25, 50, 75, 95 %) of one measure; None where no picture has it (JPEG quality of PNG files).

    `of` is "class" or "part", `name` a label or a part. `bytes` is the file size in bytes.
    """

    of: str
    name: str
    measure: str
    low: float | None
    lower: float | None
    median: float | None
    upper: float | None
    high: float | None


@dataclass(frozen=True)
class Part:
    """One part of the data.

    `size` is its most frequent width and height and `size_share` the fraction that has it, likewise `quality` (None
    where most pictures are not JPEG); `formats` counts files by format. `no_face`, `one_face` and `several_faces` count
    the pictures that were looked at.
    """

    name: str
    label: str
    generator: str
    family: str
    source: str
    pictures: int
    size: tuple[int, int]
    size_share: float
    quality: int | None
    quality_share: float
    formats: dict[str, int]
    no_face: int
    one_face: int
    several_faces: int

    @property
    def looked_at(self) -> int:
        """Pictures in which somebody has looked for faces."""
        return self.no_face + self.one_face + self.several_faces


def with_measures(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `part`, `aspect` (width / height) and `bytes_per_pixel` to a manifest's rows."""
    keys = ["source", "generator", "label"]
    known = frame.select(keys).unique().sort(keys)
    name = (
        pl.when(pl.len().over("source") == 1)
        .then("source")
        .when(pl.len().over("source", "generator") == 1)
        .then(pl.concat_str("source", "generator", separator=" / "))
        .otherwise(pl.concat_str(keys, separator=" / "))
    )
    return frame.join(known.with_columns(part=name), on=keys, how="left", maintain_order="left").with_columns(
        aspect=pl.col("width") / pl.col("height"),
        bytes_per_pixel=pl.col("bytes") / (pl.col("width") * pl.col("height")),
    )


def count_pictures(frame: pl.DataFrame) -> tuple[Count, ...]:
    """Count a manifest's rows by label, generator, source and split, sorted by these."""
    keys = ["label", "generator", "source", "split"]
    return tuple(Count(*row) for row in frame.group_by(keys).len().sort(keys).iter_rows())


def spreads(measured: pl.DataFrame) -> tuple[MeasureSpread, ...]:
    """Return the spread of every measure in every class and part of a table by `with_measures`."""
    found = []
    for of, key in (("class", "label"), ("part", "part")):
        quantiles = [
            pl.col(measure).cast(pl.Float64).quantile(share, "linear").alias(f"{measure} {name}")
            for measure in MEASURES
            for name, share in _QUANTILES.items()
        ]
        for row in measured.group_by(key).agg(quantiles).sort(key, descending=of == "class").iter_rows(named=True):
            found += [
                MeasureSpread(of, row[key], measure, **{name: row[f"{measure} {name}"] for name in _QUANTILES})
                for measure in MEASURES
            ]
    return tuple(found)


def parts(measured: pl.DataFrame) -> tuple[Part, ...]:
    """Return the parts of a table by `with_measures`, reals first, then by name."""
    keys = ["part", "label", "generator", "source"]
    sizes = _most_frequent(measured, ["width", "height"])
    qualities = _most_frequent(measured, ["jpeg_quality"])
    formats: dict[str, dict[str, int]] = {}
    for name, kind, count in measured.group_by("part", "format").len().sort("part", "format").iter_rows():
        formats.setdefault(name, {})[kind] = count
    table = measured.group_by(keys).agg(
        # A card may give one generator two families; then the first by name stands for both.
        family=pl.col("family").min(),
        pictures=pl.len(),
        no_face=(pl.col("faces") == 0).sum(),
        one_face=(pl.col("faces") == 1).sum(),
        several_faces=(pl.col("faces") > 1).sum(),
    )
    found = []
    for row in table.sort("label", "part", descending=[True, False]).iter_rows(named=True):
        name = row.pop("part")
        (width, height), size_share = sizes[name]
        (quality,), quality_share = qualities[name]
        found.append(
            Part(
                name=name,
                size=(width, height),
                size_share=size_share,
                quality=quality,
                quality_share=quality_share,
                formats=formats[name],
                **row,
            )
        )
    return tuple(found)


def _most_frequent(measured: pl.DataFrame, columns: list[str]) -> dict[str, tuple[tuple, float]]:
    """Return for each part the most frequent combination of columns and the fraction of its pictures that has it."""
    counts = measured.group_by("part", *columns).len().with_columns(all=pl.col("len").sum().over("part"))
    first = counts.sort("len", *columns, descending=[True] + [False] * len(columns)).unique(
        "part", keep="first", maintain_order=True
    )
    return {
        row["part"]: (tuple(row[column] for column in columns), row["len"] / row["all"])
        for row in first.iter_rows(named=True)
    }
