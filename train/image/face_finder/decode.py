"""Output tensors to faces: anchors, threshold, and overlapping boxes averaged by weight, in whole numbers.

1. A row of the outputs belongs to an anchor: for each grid of n x n cells, row by row from the top, each row from the
   left, `anchors a cell` rows in turn. The anchor's centre is ((column + 0.5) * side / n, (row + 0.5) * side / n), a
   whole number of pixels.
2. fixed(x) = floor(4096 * x + 0.5) in double precision, of a float32. Logits are limited to at most 16, regressors to
   -1024..1024, before. A row with a number that is not finite is no candidate.
3. A candidate is a row whose fixed(logit) is at least the network's least logit, with width and height above 0. Its
   regressors are: centre x, y, width, height of the box, then x, y of six points (right eye, left eye, nose, mouth,
   right ear, left ear: the person's own right and left); fixed() of each, plus 4096 * the anchor's centre for all but
   width and height.
4. Candidates are ordered by fixed(logit), the largest first, then by row. The first one left and all others left that
   overlap it make one face: intersection / union > 0.3, as 10 * intersection > 3 * union with the doubled corners
   2 * centre - width and 2 * centre + width. They are then out, and so on until none is left. So far this is
   MediaPipe's weighted non-maximum suppression.
5. Every number of the face is the mean over its candidates, weighted by fixed(logit) - least logit + 1, rounded to 1/32
   pixel: (2 * S + 128 * T) // (256 * T) with S the weighted sum, T the sum of weights, // rounding down. (MediaPipe's
   weight is the sigmoid. It needs an exponential, whose last bit differs between platforms, and it lets a candidate at
   the threshold in with half of the full weight, so that a logit's last bit may move a face. Networks do differ between
   platforms in a float's last bits; after this rounding they almost never do.)
6. The face's logit is that of its first candidate in 1/32: (2 * fixed(logit) + 128) // 256.

No number passes 2^53, so doubles do where a language has no 64-bit integers.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from train.image.face_finder.networks import Network

FIXED = 4096
UNITS = 32
LARGEST_LOGIT = 16.0
LARGEST_REGRESSOR = 1024.0
# MediaPipe's min_suppression_threshold for both networks, as tenths.
OVERLAP_TENTHS = 3
_BOX = 4


@dataclass(frozen=True)
class DecodedFace:
    """One face in 1/32 pixel of the input square.

    `numbers` has centre x, y, width, height of the box and x, y of the six points; `logit` is in 1/32.
    """

    numbers: tuple[int, ...]
    logit: int


def decode_faces(network: Network, regressors: np.ndarray, logits: np.ndarray) -> tuple[DecodedFace, ...]:
    """Return the faces in a network's outputs, float32 [anchors, 16] and [anchors], the largest logit first."""
    rows = np.flatnonzero(logits >= np.float32((network.least_logit - 1) / FIXED))
    # One table, column 0 the logits: a picture has a dozen candidates, and NumPy's calls cost more than its sums.
    table = np.column_stack((logits[rows], regressors[rows])).astype(np.float64)
    finite = np.isfinite(table).all(1)
    if not finite.all():
        rows, table = rows[finite], table[finite]
    np.minimum(table[:, 0], LARGEST_LOGIT, out=table[:, 0])
    fixed = np.floor(np.clip(table, -LARGEST_REGRESSOR, LARGEST_REGRESSOR) * FIXED + 0.5).astype(np.int64)
    good = (fixed[:, 0] >= network.least_logit) & (fixed[:, 3] > 0) & (fixed[:, 4] > 0)
    rows, fixed = rows[good], fixed[good]
    # Stable, so that rows with one score stay in their order.
    order = np.argsort(-fixed[:, 0], kind="stable")
    scores, numbers = fixed[order, 0], fixed[order, 1:]
    numbers += _anchors_added(network)[rows[order]]
    faces = []
    low, high = 2 * numbers[:, :2] - numbers[:, 2:_BOX], 2 * numbers[:, :2] + numbers[:, 2:_BOX]
    areas = (high[:, 0] - low[:, 0]) * (high[:, 1] - low[:, 1])
    while len(scores):
        together = _overlap_first(low, high, areas)
        faces.append(_mean(scores[together], numbers[together], network.least_logit))
        left = ~together
        scores, numbers, low, high, areas = scores[left], numbers[left], low[left], high[left], areas[left]
    return tuple(faces)


@cache
def anchor_centres(network: Network) -> np.ndarray:
    """Return the anchors' centres x, y in pixels of the input square, int64 [anchors, 2]."""
    parts = []
    for cells, each in network.grids:
        middles = (2 * np.arange(cells) + 1) * network.side // (2 * cells)
        y, x = np.meshgrid(middles, middles, indexing="ij")
        parts.append(np.stack((x.ravel(), y.ravel()), axis=1).repeat(each, axis=0))
    return np.concatenate(parts).astype(np.int64)


@cache
def _anchors_added(network: Network) -> np.ndarray:
    """What each row's 16 regressors get added: its anchor's centre, in 1/4096, but for width and height."""
    added = np.tile(FIXED * anchor_centres(network), 8)
    added[:, 2:_BOX] = 0
    return added


def _overlap_first(low: np.ndarray, high: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Which boxes overlap the first one: bool, one an entry; the first one always does itself."""
    shared = np.maximum(0, np.minimum(high, high[0]) - np.maximum(low, low[0]))
    common = shared[:, 0] * shared[:, 1]
    return 10 * common > OVERLAP_TENTHS * (areas + areas[0] - common)


def _mean(scores: np.ndarray, numbers: np.ndarray, least: int) -> DecodedFace:
    weights = scores - least + 1
    total, step = int(weights.sum()), FIXED // UNITS
    sums = (weights @ numbers).tolist()
    means = tuple((2 * one + step * total) // (2 * step * total) for one in sums)
    return DecodedFace(means, (2 * int(scores[0]) + step) // (2 * step))
