"""Which real pictures are reconstructed: so many, spread evenly over the sources, and by which autoencoder."""

from collections.abc import Sequence

import polars as pl

from train.common.errors import DataError
from train.data.manifest import Manifest
from train.data.splits import position_of


def select_reals(
    manifest: Manifest, *, count: int | None = None, share: float = 1.0, sources: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the rows of the real pictures to reconstruct, sorted by path; equal contents once.

    All sources, or those named, give equally many; one that has fewer gives all it has. `count` is how many in all,
    else `share` (0..1) of every source is taken. Which pictures of a source are taken is decided by a hash of their
    content, and more of them include the fewer. DataError if the manifest has no real picture, or not the source.
    """
    reals = manifest.frame.filter(label="real").unique("sha256", keep="first", maintain_order=True)
    if reals.is_empty():
        raise DataError(
            f"The manifest in {manifest.folder} has no real picture: reconstructions are made from real pictures."
        )
    for source in sources:
        if source not in (there := reals["source"].unique().sort().to_list()):
            raise DataError(f"No real picture has the source {source!r}: name one of {', '.join(there)}.")
    if sources:
        reals = reals.filter(pl.col("source").is_in(sources))
    order = pl.Series("order", [position_of(sha256, "reconstruct") for sha256 in reals["sha256"]], pl.Float64)
    reals = reals.with_columns(order)
    place = pl.col("order").rank("ordinal").over("source")
    sizes = dict(reals.group_by("source").len().iter_rows())
    if count is None:
        quotas = {source: round(size * share) for source, size in sizes.items()}
    else:
        quotas = even_quotas(sizes, count)
    limit = pl.col("source").replace_strict(quotas, return_dtype=pl.Int64)
    return reals.filter(place <= limit).drop("order").sort("path")


def even_quotas(sizes: dict[str, int], count: int) -> dict[str, int]:
    """Share out `count` over sources of these sizes as evenly as their sizes allow; a larger count takes from none."""
    quotas = {}
    left = count
    waiting = sorted(sizes, key=lambda source: (sizes[source], source))
    for place, source in enumerate(waiting):
        # The smallest sources first: what they cannot give falls to the others.
        quotas[source] = min(sizes[source], -(-left // (len(waiting) - place)) if left > 0 else 0)
        left -= quotas[source]
    return quotas


def assigned(sha256: str, names: Sequence[str]) -> str:
    """Return which of the autoencoders works on a picture: by its content, so that each gets about equally many."""
    return names[int(position_of(sha256, "autoencoder") * len(names))]
