"""Groups: pictures that must not be torn apart by a split."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from train.common.errors import DataError

# Hashes at most this many of 64 bits apart are near-duplicates.
MAX_DISTANCE = 4
# More pairs than this `near_pairs` does not list: they are 0.3 GB, and three times that while they are sorted.
MAX_PAIRS = 1 << 24
# A pHash compares 64 coefficients with their median, so of a picture with any content 31 or 32 bits are
# set. Far fewer mean that most coefficients are equal: a flat picture, whose hash says nothing.
_MIN_BITS, _MAX_BITS = 24, 40
# A group that no card has named is called by the first 16 digits of a sha256.
_OWN_NAME = "^[0-9a-f]{16}$"
# So many comparisons at a time stay in a core's cache.
_COMPARISONS = 1 << 17
# So many pairs are gathered before they are thinned out to a forest: 64 MB.
_GATHERED = 1 << 22

Texts = Sequence[str] | pl.Series


def near_pairs(phashes: Texts, distance: int = MAX_DISTANCE) -> np.ndarray:
    """Return every pair of near-duplicates, int64 [P, 2], first < second, sorted.

    Pairs are rows whose 64-bit hashes (16 hex digits each) differ in at most `distance` bits (0..15);
    hashes of flat pictures pair with nothing. A cluster of n look-alikes has up to n (n - 1) / 2 pairs:
    DataError if there are more than MAX_PAIRS. What only has to know who belongs together asks `near_links`.
    """
    hashes, rows = _hashes(phashes)
    found, count = [np.empty((0, 2), np.int64)], 0
    for pairs in _close(hashes, distance):
        found.append(np.sort(rows[pairs], axis=1))
        count += len(pairs)
        if count > MAX_PAIRS:
            raise DataError(
                f"{len(phashes)} pictures make more than {MAX_PAIRS} near-duplicate pairs: remove copies first."
            )
    return _in_order(np.concatenate(found))


def near_links(phashes: Texts, distance: int = MAX_DISTANCE) -> np.ndarray:
    """Return just enough pairs of near-duplicates to connect all that are connected, int64 [L, 2], sorted.

    Each is one of `near_pairs`, and together they are a spanning forest of them: L is less than the number
    of rows, however dense the clusters are. If any two connected rows differ in something, such as their
    split, so do the two rows of some link.
    """
    hashes, rows = _hashes(phashes)
    distinct, first, number = np.unique(hashes, return_index=True, return_inverse=True)
    links, waiting = np.empty((0, 2), np.int64), list[np.ndarray]()
    for pairs in _close(distinct, distance):
        waiting.append(pairs)
        if sum(map(len, waiting)) > _GATHERED:
            links, waiting = _forest(len(distinct), np.concatenate([links, *waiting])), []
    links = _forest(len(distinct), np.concatenate([links, *waiting]))
    equal = np.stack([first[number], np.arange(len(hashes))], axis=1)
    equal = equal[equal[:, 0] != equal[:, 1]]
    return _in_order(np.sort(rows[np.concatenate([first[links], equal])], axis=1))


def components(count: int, pairs: np.ndarray, keys: Sequence[Sequence[str | None] | pl.Series]) -> np.ndarray:
    """Return a component number for each of `count` rows, int [count].

    Rows are connected by `pairs` [P, 2] and by an equal entry in any of `keys`, each a column of `count`
    entries in which None connects nothing.
    """
    edges = [np.asarray(pairs, np.int64).reshape(-1, 2)]
    for column in keys:
        same = pl.DataFrame({"key": pl.Series(column, dtype=pl.String)}).with_row_index("row")
        same = same.drop_nulls().with_columns(first=pl.col("row").first().over("key"))
        edges.append(same.filter(pl.col("first") != pl.col("row")).select("first", "row").to_numpy().astype(np.int64))
    return np.asarray(connected_components(_graph(count, np.concatenate(edges)), directed=False)[1])


def assign_groups(
    sha256: Texts,
    phashes: Texts,
    card_groups: Sequence[str | None] | pl.Series,
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the group of each row.

    Equal contents, near-duplicates and an equal group on the card share a group. Contents in `known`
    (sha256 -> group, from an earlier manifest) keep theirs, and what is new joins the group of a known
    near-duplicate. A new group is named by its card group, else by the first 16 digits of its smallest
    sha256.
    """
    known = known or {}
    frame = pl.DataFrame(
        {
            "component": components(len(sha256), near_links(phashes), (sha256, card_groups)),
            "sha256": pl.Series(sha256, dtype=pl.String),
            "card": pl.Series(card_groups, dtype=pl.String),
            "known": pl.Series([known.get(content) for content in sha256], dtype=pl.String),
        }
    )
    # A card's group is the steadier name, so it goes before a content's.
    of_component = frame.group_by("component").agg(
        name=pl.coalesce(pl.col("known").min(), pl.col("card").min(), pl.col("sha256").min().str.slice(0, 16))
    )
    named = frame.join(of_component, on="component", how="left", maintain_order="left")
    return named.select(pl.coalesce("known", "name")).to_series().to_list()


def merge_groups(groups: Texts, links: np.ndarray, keys: Sequence[Texts] = ()) -> pl.Series:
    """Return the groups after joining those that `links` [L, 2] (row, row) or equal entries in `keys` connect.

    A joined group has the smallest name of those that a card has given, else the smallest of all. A group that
    nothing connects with another keeps its name.
    """
    frame = pl.DataFrame(
        {"component": components(len(groups), links, (groups, *keys)), "group": pl.Series(groups, dtype=pl.String)}
    )
    given = pl.col("group").filter(~pl.col("group").str.contains(_OWN_NAME))
    of_component = frame.group_by("component").agg(name=pl.coalesce(given.min(), pl.col("group").min()))
    return frame.join(of_component, on="component", how="left", maintain_order="left")["name"].alias("group")


def _hashes(phashes: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes that say something, uint64 [N], and their rows, int64 [N]."""
    hashes = pl.Series(phashes, dtype=pl.String).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
    bits = np.bitwise_count(hashes)
    rows = np.flatnonzero((bits >= _MIN_BITS) & (bits <= _MAX_BITS))
    return hashes[rows], rows


def _close(hashes: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """Yield every pair of positions whose hashes differ in at most `distance` bits once, int64 [p, 2] at a time.

    Exact without comparing all pairs: of distance + 2 bands of the hash at least two must be equal
    (pigeonhole principle), so only hashes that share two bands are compared. (Of distance + 1 bands one must
    be equal, but that leaves twenty to a hundred times as many to compare.) In a million hashes of faces these
    are 20 to 60 million pairs, not 5 x 10^11.
    """
    edges = np.linspace(0, 64, distance + 3).astype(int)
    bands = [np.uint64((1 << int(high)) - (1 << int(low))) for low, high in pairwise(edges)]
    for one, two in combinations(range(len(bands)), 2):
        # A pair is told with the first two bands that it shares, so it must differ in all others before the second.
        others = [bands[band] for band in range(two) if band != one]
        keys = hashes & (bands[one] | bands[two])
        order = np.argsort(keys)
        keys, ordered = keys[order], hashes[order]
        for left, right in _within_runs(keys):
            differing = ordered[left] ^ ordered[right]
            close = np.bitwise_count(differing) <= distance
            left, right, differing = left[close], right[close], differing[close]
            for band in others:
                fresh = (differing & band) != 0
                left, right, differing = left[fresh], right[fresh], differing[fresh]
            yield np.stack([order[left], order[right]], axis=1)


def _within_runs(keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield all pairs of positions, left < right, with equal entries of the sorted `keys`, some at a time."""
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    sizes = np.diff(np.append(starts, len(keys)))
    after = np.repeat(starts + sizes, sizes) - np.arange(len(keys)) - 1
    lefts = np.flatnonzero(after)
    after = after[lefts]
    done = np.cumsum(after)
    start = 0
    while start < len(lefts):
        before = done[start] - after[start]
        stop = max(start + 1, int(np.searchsorted(done, before + _COMPARISONS, "right")))
        counts = after[start:stop]
        left = np.repeat(lefts[start:stop], counts)
        # Each left is followed by its `counts` rights, which begin one after it.
        nth = np.arange(len(left)) - np.repeat(done[start:stop] - counts - before, counts)
        yield left, left + 1 + nth
        start = stop


def _forest(count: int, pairs: np.ndarray) -> np.ndarray:
    tree = minimum_spanning_tree(_graph(count, pairs)).tocoo()
    return np.stack([tree.row, tree.col], axis=1).astype(np.int64)


def _graph(count: int, pairs: np.ndarray) -> coo_array:
    return coo_array((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=(count, count))


def _in_order(pairs: np.ndarray) -> np.ndarray:
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
