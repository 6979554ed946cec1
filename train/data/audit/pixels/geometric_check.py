"""Is one picture a copy of the other? Lay the first on the second and compare them block by block."""

from dataclasses import dataclass

import cv2
import numpy as np

from train.data.audit.pixels.keypoint_index import Keypoints

_MAX_BITS = 72
_MIN_MATCHES = 6
# Inliers lie within this many pixels of where the transform puts them; RANSAC's rounds.
_TOLERANCE, _ROUNDS = 3.0, 1000
_MAX_SCALE = 8.0
# Blocks of 8 x 8 pixels of the halved picture, smoothed by a Gaussian of this sigma so that noise, blur and JPEG
# artefacts do not count; a block whose grey levels vary by less (standard deviation) says nothing.
_BLOCK, _SIGMA, _MIN_DEVIATION = 8, 1.25, 4.0
_MIN_BLOCKS = 24
_QUANTILE = 0.25


@dataclass(frozen=True)
class GeometricFit:
    """How the first picture lies on the second.

    `matrix` float64 [2, 3] maps places of the first, in pixels of the pictures as looked at, to the second;
    `inliers` is how many keypoints agree; `agreement` (-1..1) is the lower quartile of the blocks' correlation;
    `overlap` (0..1) is the share of the coarser picture that both show.
    """

    matrix: np.ndarray
    inliers: int
    agreement: float
    overlap: float


def fit_pair(
    first: np.ndarray, first_points: Keypoints, second: np.ndarray, second_points: Keypoints
) -> GeometricFit | None:
    """Fit a similarity transform to two pictures by their keypoints and measure how well the pixels agree.

    `first` and `second` are uint8 [h, w], half the size in which the keypoints were found. None if too few
    keypoints or textured blocks are shared. Keypoints alone cannot tell: two aligned faces of different
    persons share up to 80 of 200 within 4 pixels. The lower quartile of the correlations can: shared
    backgrounds and aligned features leave a quarter of the blocks in disagreement, a copy does not.
    """
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(
        first_points.descriptors, second_points.descriptors
    )
    near = [match for match in matches if match.distance <= _MAX_BITS]
    if len(near) < _MIN_MATCHES:
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        first_points.places[[match.queryIdx for match in near]],
        second_points.places[[match.trainIdx for match in near]],
        ransacReprojThreshold=_TOLERANCE,
        maxIters=_ROUNDS,
    )
    if matrix is None or int(inliers.sum()) < _MIN_MATCHES:
        return None
    if not 1 / _MAX_SCALE < np.hypot(matrix[0, 0], matrix[1, 0]) < _MAX_SCALE:
        return None
    correlations, overlap = _compare(first, second, _halved(matrix))
    if len(correlations) < _MIN_BLOCKS:
        return None
    return GeometricFit(matrix, int(inliers.sum()), float(np.quantile(correlations, _QUANTILE)), overlap)


def _halved(matrix: np.ndarray) -> np.ndarray:
    """Return the same transform for pictures of half the size; pixel centres lie at whole numbers."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    half = np.full(2, 0.5)
    return np.column_stack([linear, (linear @ half + shift - half) / 2])


def _compare(first: np.ndarray, second: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the correlations of textured blocks [B] and the share of the coarser picture that both show."""
    if np.hypot(matrix[0, 0], matrix[1, 0]) > 1:
        # Always shrink: what enlarging would add is not there.
        first, second, matrix = second, first, cv2.invertAffineTransform(matrix)
    size = (second.shape[1], second.shape[0])
    sigma = _SIGMA / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    laid = cv2.warpAffine(cv2.GaussianBlur(first, (0, 0), sigma), matrix, size, flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.full_like(first, 255), matrix, size, flags=cv2.INTER_NEAREST)
    own = cv2.GaussianBlur(second, (0, 0), _SIGMA)
    a, b, whole = _blocks(laid), _blocks(own), _blocks(inside).min(axis=1, initial=255) == 255
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    a_square, b_square = (a * a).mean(axis=1), (b * b).mean(axis=1)
    used = whole & (np.maximum(a_square, b_square) > _MIN_DEVIATION**2)
    # 1e-3 keeps a flat block, whose square is 0, from dividing by it.
    correlations = (a * b).mean(axis=1) / np.sqrt(a_square * b_square + 1e-3)
    return correlations[used], float((inside > 0).mean())


def _blocks(grey: np.ndarray) -> np.ndarray:
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    cut = grey[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    return cut.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)
