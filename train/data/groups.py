"""Groups: pictures that must not be torn apart by a split."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import imagehash
import numpy as np

# imagehash imports it inside phash, which several threads must not be the first to do at once.
import scipy.fftpack  # noqa: F401
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Hashes at most this many of 64 bits apart are near-duplicates.
MAX_DISTANCE = 4
# A pHash compares 64 coefficients with their median, so of a picture with any content 31 or 32 bits are
# set. Far fewer mean that most coefficients are equal: a flat picture, whose hash says nothing.
_MIN_BITS, _MAX_BITS = 24, 40
_CHUNK = 1 << 22


def perceptual_hash(upright: np.ndarray) -> str:
    """Return the 64-bit pHash of upright pixels uint8 [H, W, 3] as 16 hex digits (imagehash.phash, its defaults)."""
    return str(imagehash.phash(Image.fromarray(np.ascontiguousarray(upright))))


def near_pairs(phashes: Sequence[str], distance: int = MAX_DISTANCE) -> np.ndarray:
    """Return every pair of near-duplicates, int64 [P, 2], first < second, sorted.

    Pairs are rows whose 64-bit hashes (16 hex digits each) differ in at most `distance` bits (0..15);
    hashes of flat pictures pair with nothing. Exact without comparing all pairs: of distance + 1 bands of
    the hash at least one must be equal (pigeonhole principle), so only rows that share a band are compared.
    """
    hashes = np.array([int(text, 16) for text in phashes], dtype=np.uint64)
    bits = np.bitwise_count(hashes)
    rows = np.flatnonzero((bits >= _MIN_BITS) & (bits <= _MAX_BITS))
    edges = np.linspace(0, 64, distance + 2).astype(int)
    found = [np.empty((0, 2), np.int64)]
    for low, high in pairwise(edges):
        band = (hashes[rows] >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        for members in np.split(rows[order], np.flatnonzero(np.diff(band[order])) + 1):
            if len(members) > 1:
                found.append(_close_pairs(hashes, np.sort(members), distance))
    return np.unique(np.concatenate(found), axis=0)


def components(count: int, pairs: np.ndarray, keys: Sequence[Sequence[str | None]]) -> np.ndarray:
    """Return a component number for each of `count` rows, int [count].

    Rows are connected by `pairs` [P, 2] and by an equal entry in any of `keys`, each a column of `count`
    entries in which None connects nothing.
    """
    edges = [np.asarray(pairs, np.int64).reshape(-1, 2)]
    for column in keys:
        first: dict[str, int] = {}
        same = [(first.setdefault(key, row), row) for row, key in enumerate(column) if key is not None]
        edges.append(np.array(same, np.int64).reshape(-1, 2))
    ends = np.concatenate(edges)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def assign_groups(
    sha256: Sequence[str],
    phashes: Sequence[str],
    card_groups: Sequence[str | None],
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the group of each row.

    Equal contents, near-duplicates and an equal group on the card share a group. Contents in `known`
    (sha256 -> group, from an earlier manifest) keep theirs, and what is new joins the group of a known
    near-duplicate. A new group is named by its card group, else by the first 16 digits of its smallest
    sha256.
    """
    known = known or {}
    number = components(len(sha256), near_pairs(phashes), (sha256, card_groups))
    old: dict[int, str] = {}
    new: dict[int, tuple[bool, str]] = {}
    for component, content, card_group in zip(number.tolist(), sha256, card_groups, strict=True):
        if content in known:
            old[component] = min(old.get(component, known[content]), known[content])
        # A card's group is the steadier name, so it sorts first.
        name = (card_group is None, card_group or content[:16])
        new[component] = min(new.get(component, name), name)
    return [
        known.get(content) or old.get(component) or new[component][1]
        for component, content in zip(number.tolist(), sha256, strict=True)
    ]


def _close_pairs(hashes: np.ndarray, members: np.ndarray, distance: int) -> np.ndarray:
    found = []
    step = max(1, _CHUNK // len(members))
    for start in range(0, len(members), step):
        rows = members[start : start + step]
        apart = np.bitwise_count(hashes[rows, None] ^ hashes[None, members])
        first, second = np.nonzero(apart <= distance)
        pairs = np.stack([rows[first], members[second]], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)
