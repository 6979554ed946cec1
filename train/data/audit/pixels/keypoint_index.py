"""Which pictures may be copies of each other: keypoints, an index of all their descriptors, and votes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import faiss
import numpy as np

# Pictures are looked at with this longer side, in pixels, and compared pixel by pixel at half of it.
SIDE = 256
_KEYPOINTS = 200
# FAST's threshold in grey levels and the rim without keypoints in pixels; OpenCV's defaults, 20 and 31, find
# little in soft portraits of this size.
_FAST_THRESHOLD, _RIM = 5, 15
_BITS = 256
_NEIGHBOURS = 16
# A neighbour counts as a vote if it is at most this many of 256 bits away, and at most this share of the distance
# to the last neighbour (Lowe 2004, section 7.1, uses 0.8): corners of eyes look alike in all faces and have many
# neighbours at much the same distance, a copied keypoint has one that is much nearer. Of 5,733 faces the share
# leaves 15,000 pairs to check, without it there were 185,000.
_MAX_BITS, _SHARE = 64, 0.8
_TURNS, _OCTAVES = 24, 8
_MIN_VOTES = 4
_PROBES = 4
_CHUNK = 20_000


@dataclass(frozen=True)
class Keypoints:
    """Keypoints of one picture: places float32 [K, 2] in pixels, x first; turns float32 [K] in degrees; levels
    int16 [K], steps of the scale pyramid; descriptors uint8 [K, 32]."""

    places: np.ndarray
    turns: np.ndarray
    levels: np.ndarray
    descriptors: np.ndarray


def find_keypoints(grey: np.ndarray) -> Keypoints:
    """Return at most 200 ORB keypoints (Rublee et al. 2011) of grey pixels uint8 [H, W]."""
    detector = cv2.ORB.create(nfeatures=_KEYPOINTS, fastThreshold=_FAST_THRESHOLD, edgeThreshold=_RIM)
    points, descriptors = detector.detectAndCompute(np.ascontiguousarray(grey), None)
    levels = np.array([point.octave for point in points], np.int16)
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    # OpenCV multiplies the place in a level by its scale, but pixel centres lie half a pixel in.
    places += (0.5 * (detector.getScaleFactor() ** levels[:, None] - 1)).astype(np.float32)
    return Keypoints(
        places,
        np.array([point.angle for point in points], np.float32),
        levels,
        np.empty((0, _BITS // 8), np.uint8) if descriptors is None else descriptors,
    )


def candidate_pairs(
    indexed: Sequence[Keypoints], asking: Sequence[Keypoints], *, seed: int, workers: int
) -> list[tuple[int, int]]:
    """Return the pairs (number in `asking`, number in `indexed`), sorted, that share enough keypoints.

    A pair needs 4 votes that agree on rotation (within 45 degrees) and scale (within two steps of the pyramid):
    weak geometric consistency (Jégou et al. 2008). Equal numbers are no pair. No two pictures are compared: each
    descriptor asks an inverted file (faiss IndexBinaryIVF) for its 16 nearest. The result does not depend on
    `workers`, the number of threads.
    """
    owner = np.repeat(np.arange(len(indexed)), [len(one.turns) for one in indexed])
    if not len(owner):
        return []
    turns, levels = _joined(indexed, "turns"), _joined(indexed, "levels")
    asker = np.repeat(np.arange(len(asking)), [len(one.turns) for one in asking])
    descriptors = _joined(asking, "descriptors")
    own_turns, own_levels = _joined(asking, "turns"), _joined(asking, "levels")
    votes = [np.empty((0, 3), np.int64)]
    starts = range(0, len(asker), _CHUNK)
    # One OpenMP thread in each of ours: threads of OpenMP that wait for each other stand still on a busy machine.
    with ThreadPoolExecutor(max(1, workers), initializer=faiss.omp_set_num_threads, initargs=(1,)) as executor:
        index = executor.submit(_index, _joined(indexed, "descriptors"), seed).result()
        chunks = executor.map(lambda start: _votes(index, descriptors[start : start + _CHUNK]), starts)
        for start, (rows, found) in zip(starts, chunks, strict=True):
            rows = rows + start
            other = asker[rows] != owner[found]
            rows, found = rows[other], found[other]
            turn = ((turns[found] - own_turns[rows]) % 360 * (_TURNS / 360)).astype(np.int64) % _TURNS
            level = np.clip(levels[found].astype(np.int64) - own_levels[rows] + _OCTAVES, 0, 2 * _OCTAVES)
            votes.append(
                np.stack([asker[rows] * len(indexed) + owner[found], turn * (2 * _OCTAVES + 1) + level, rows], axis=1)
            )
    chosen = _agreeing(np.concatenate(votes))
    return [(int(pair // len(indexed)), int(pair % len(indexed))) for pair in chosen]


def _joined(pictures: Sequence[Keypoints], name: str) -> np.ndarray:
    return np.concatenate([getattr(one, name) for one in pictures])


def _index(descriptors: np.ndarray, seed: int) -> faiss.IndexBinaryIVF:
    # Descriptors drawn at random serve as the lists' centres: no training, and it loses nothing measurable.
    lists = max(1, min(round(2 * len(descriptors) ** 0.5), len(descriptors) // 8))
    drawn = np.random.default_rng(seed).choice(len(descriptors), lists, replace=False)
    centres = faiss.IndexBinaryFlat(_BITS)
    centres.add(np.unique(descriptors[drawn], axis=0))
    index = faiss.IndexBinaryIVF(centres, _BITS, centres.ntotal)
    index.is_trained = True
    index.nprobe = min(_PROBES, centres.ntotal)
    index.add(descriptors)
    return index


def _votes(index: faiss.IndexBinaryIVF, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bits, found = index.search(descriptors, _NEIGHBOURS)
    # Missing neighbours (-1) have the largest distance there is, which would let anything pass as near.
    last = np.where(found >= 0, bits, 0).max(axis=1, keepdims=True)
    near = (found >= 0) & (bits <= _MAX_BITS) & (bits <= _SHARE * last)
    rows, columns = np.nonzero(near)
    return rows, found[rows, columns]


def _agreeing(votes: np.ndarray) -> np.ndarray:
    """Return the pairs, sorted, of votes int64 [V, 3] (pair, cell of turn and level, asking keypoint)."""
    # One keypoint has one vote for a pair and cell.
    votes = np.unique(votes, axis=0)
    pairs, which, counts = np.unique(votes[:, 0], return_inverse=True, return_counts=True)
    enough = counts >= _MIN_VOTES
    number = np.cumsum(enough) - 1
    kept = enough[which]
    cells = np.zeros((int(enough.sum()), _TURNS * (2 * _OCTAVES + 1)), np.uint16)
    np.add.at(cells, (number[which[kept]], votes[kept, 1]), 1)
    grid = cells.reshape(-1, _TURNS, 2 * _OCTAVES + 1)
    # Windows of 3 x 3 cells, so that no border between cells parts votes that belong together.
    grid = grid + np.roll(grid, 1, axis=1) + np.roll(grid, -1, axis=1)
    best = (grid[:, :, :-2] + grid[:, :, 1:-1] + grid[:, :, 2:]).max(axis=(1, 2), initial=0)
    return pairs[enough][best >= _MIN_VOTES]
