"""Copies that a perceptual hash misses: mirrored, turned, cropped, scaled, noisy, blurred or recoloured pictures."""

import csv
import io
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from train.common.atomic import write_text
from train.common.documents import MAX_TABLE_BYTES, quote_formula, read_text, unquote_formula
from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.audit.findings import Finding, Severity
from train.data.audit.pixels.geometric_check import GeometricFit, fit_pair
from train.data.audit.pixels.keypoint_index import SIDE, Keypoints, candidate_pairs, find_keypoints
from train.data.groups import near_pairs
from train.data.manifest import Manifest
from train.image.decode import decode
from train.image.view import turn_upright

# Of the 5,733 shared faces, every pair from 0.72 looked at: copies reach 0.94 and more, two shots of one scene and
# edited versions of one generated face at most 0.90, different persons at most 0.82.
MIN_AGREEMENT = 0.9
# Different persons before one background shared 0.18 of the picture; a crop to 60 % of both sides shows 0.36.
MIN_OVERLAP = 0.3
_EXAMPLES = 5
_TRUTH = {"yes": True, "no": False}


@dataclass(frozen=True)
class Copy:
    """Two pictures that show one frame; paths as in the manifest, `first` before `second` in its order.

    `kind` says in words how the second differs from the first. `angle` (-180..180 degrees, anticlockwise as one
    looks at it) and `scale` (size of a thing in the second divided by that in the first, in their own pixels)
    are the transform from the first, mirrored left to right beforehand if `mirrored`, to the second. `inliers`
    is how many keypoints agree on it, `agreement` (0..1) the lower quartile of the blocks' correlation,
    `overlap` (0..1) the share of the coarser picture that both show. `known` says whether the perceptual
    hashes are near as well (`groups.near_pairs`).
    """

    first: str
    second: str
    kind: str
    mirrored: bool
    angle: float
    scale: float
    inliers: int
    agreement: float
    overlap: float
    known: bool


@dataclass(frozen=True)
class _Seen:
    """One picture as it is looked at: `small` uint8 [h, w] is half the size in which the keypoints were found."""

    small: np.ndarray
    points: Keypoints
    mirrored_points: Keypoints
    size: tuple[int, int]
    reduction: tuple[float, float]


def find_transformed_copies(
    manifest: Manifest,
    *,
    workers: int = 2,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
) -> tuple[Copy, ...]:
    """Find pairs of pictures of which one is a transformed copy of the other, in the manifest's order.

    Keypoints vote for pairs, then the pixels of each pair are compared. Equal contents are looked at once, by
    their first row. Copies that cover or repaint more than a quarter, show less than 0.3 of the other or are
    stretched unevenly are not found. `workers` threads change nothing in the outcome; `seed` is for the index.
    `on_progress` gets the number of pictures read and their total. Raises DataError if a picture cannot be read.
    """
    frame = manifest.frame.unique("sha256", keep="first", maintain_order=True)
    paths = frame["path"].to_list()
    phashes = frame["phash"].to_list()
    files = [manifest.picture_path(path) for path in paths]
    seen: list[_Seen] = []
    # OpenCV's own threads would fight with these.
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    executor = ThreadPoolExecutor(max(1, workers))
    try:
        for done, one in enumerate(executor.map(_read, files), 1):
            seen.append(one)
            if on_progress is not None:
                on_progress(done, len(files))
        copies: dict[tuple[int, int], Copy] = {}
        for mirrored in (False, True):
            pairs = _candidates(seen, mirrored, seed, workers)
            for pair, fit in zip(pairs, executor.map(partial(_fit, seen, mirrored), pairs), strict=True):
                if fit is None or fit.agreement < MIN_AGREEMENT or fit.overlap < MIN_OVERLAP:
                    continue
                # A symmetric picture agrees with its mirror too; the better fit says what was done.
                if pair not in copies or fit.agreement > copies[pair].agreement:
                    copies[pair] = _copy(seen, paths, pair, fit, mirrored, _known(phashes, pair))
    finally:
        executor.shutdown(cancel_futures=True)
        cv2.setNumThreads(before)
    return tuple(copies[pair] for pair in sorted(copies))


def transformed_copies_findings(copies: Sequence[Copy], manifest: Manifest) -> tuple[Finding, ...]:
    """Return what an audit has to say about copies: pairs across splits, with both labels, and the rest.

    One pair may stand under the first two. A reconstruction is meant to be a copy of its original with another
    label. Raises DataError if a path of a copy is not in the manifest.
    """
    facts = {row[0]: row[1:] for row in manifest.frame.select("path", "split", "label", "group", "family").iter_rows()}
    for path in (path for copy in copies for path in (copy.first, copy.second)):
        if path not in facts:
            raise DataError(f"{path} is in the list of copies but not in the manifest: find the copies again.")
    torn, mixed, rest = [], [], []
    for copy in copies:
        split, label, group, family = facts[copy.first]
        other_split, other_label, other_group, other_family = facts[copy.second]
        if split != other_split:
            torn.append(copy)
        is_pair = group == other_group and "reconstruction" in (family, other_family)
        if label != other_label and not is_pair:
            mixed.append(copy)
        if split == other_split and label == other_label and group != other_group:
            rest.append(copy)
    found = [
        _finding(
            torn,
            "failure",
            "with their originals in another split",
            "a score on the test split counts pictures that were trained on",
            "Join the groups of these pairs (`fauxlens data split --join`), which puts each into one split.",
        ),
        _finding(
            mixed,
            "warning",
            "with another label than their originals",
            "one of the two labels is wrong, or a fake was made by editing the real picture",
            "Look at each pair; correct the card, or keep both in one group if the fake is an edit.",
        ),
        _finding(
            rest,
            "note",
            "in one split but in different groups",
            "another split may tear them apart, and they count more than once",
            "Join the groups of these pairs (`fauxlens data split --join`).",
        ),
    ]
    return tuple(one for one in found if one is not None)


_AGAIN = "make it with `fauxlens data audit --pixels`"
_COLUMNS = tuple(field.name for field in fields(Copy))


def write_transformed_copies(copies: Sequence[Copy], path: Path) -> None:
    """Write copies as CSV, one row a pair, columns named as the fields of `Copy`."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for copy in copies:
        table.writerow([quote_formula(_text(getattr(copy, name))) for name in _COLUMNS])
    write_text(path, text.getvalue())


def read_transformed_copies(path: Path) -> tuple[Copy, ...]:
    """Read what `write_transformed_copies` wrote; DataError names the file and the row that is wrong."""
    try:
        text = read_text(path, error=DataError, remedy=_AGAIN, limit=MAX_TABLE_BYTES)
        rows = [[unquote_formula(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}): {_AGAIN}.") from None
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise DataError(f"{path} is not a table of copies: make it with `fauxlens data audit --pixels`.")
    return tuple(_parse(row, f"{path}, row {number}") for number, row in enumerate(rows[1:], 1))


def _read(file: Path) -> _Seen:
    picture = decode(file)
    grey = turn_upright(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), picture.orientation)
    height, width = grey.shape
    factor = SIDE / max(height, width)
    # Even, so that half of it is exact.
    reduced = (max(2, 2 * round(width * factor / 2)), max(2, 2 * round(height * factor / 2)))
    looked = _resize(np.ascontiguousarray(grey), reduced)
    return _Seen(
        small=_resize(looked, (reduced[0] // 2, reduced[1] // 2)),
        points=find_keypoints(looked),
        mirrored_points=find_keypoints(looked[:, ::-1]),
        size=reduced,
        reduction=(reduced[0] / width, reduced[1] / height),
    )


def _resize(grey: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shrinks = size[0] < grey.shape[1] or size[1] < grey.shape[0]
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _candidates(seen: list[_Seen], mirrored: bool, seed: int, workers: int) -> list[tuple[int, int]]:
    points = [one.points for one in seen]
    asking = [one.mirrored_points for one in seen] if mirrored else points
    pairs = candidate_pairs(points, asking, seed=seed, workers=workers)
    return sorted({(min(pair), max(pair)) for pair in pairs})


def _fit(seen: list[_Seen], mirrored: bool, pair: tuple[int, int]) -> GeometricFit | None:
    first, second = seen[pair[0]], seen[pair[1]]
    if mirrored:
        small = np.ascontiguousarray(first.small[:, ::-1])
        return fit_pair(small, first.mirrored_points, second.small, second.points)
    return fit_pair(first.small, first.points, second.small, second.points)


def _known(phashes: list[str], pair: tuple[int, int]) -> bool:
    return len(near_pairs([phashes[row] for row in pair])) > 0


def _copy(
    seen: list[_Seen], paths: list[str], pair: tuple[int, int], fit: GeometricFit, mirrored: bool, known: bool
) -> Copy:
    first, second = seen[pair[0]], seen[pair[1]]
    # The y axis points down, so an anticlockwise turn has a negative angle in the matrix.
    angle = -math.degrees(math.atan2(fit.matrix[1, 0], fit.matrix[0, 0]))
    scale = float(np.hypot(fit.matrix[0, 0], fit.matrix[1, 0])) * first.reduction[0] / second.reduction[0]
    kind = _words(mirrored, angle, scale, *_shares(fit.matrix, first.size, second.size))
    return Copy(
        first=paths[pair[0]],
        second=paths[pair[1]],
        kind=kind,
        mirrored=mirrored,
        angle=round(angle, 1),
        scale=round(scale, 3),
        inliers=fit.inliers,
        agreement=round(fit.agreement, 3),
        overlap=round(fit.overlap, 3),
        known=known,
    )


def _shares(matrix: np.ndarray, first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return the share (0..1) of the first and of the second picture's area that both show."""
    width, height = first
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    laid = (corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    frame = np.array([[0, 0], [second[0], 0], second, [0, second[1]]], np.float32)
    common, _ = cv2.intersectConvexConvex(laid, frame)
    grown = float(matrix[0, 0] ** 2 + matrix[1, 0] ** 2)
    return min(1.0, common / (grown * width * height)), min(1.0, common / (second[0] * second[1]))


def _words(mirrored: bool, angle: float, scale: float, of_first: float, of_second: float) -> str:
    said = ["mirrored"] if mirrored else []
    if abs(angle) >= 2:
        said.append(f"rotated by {abs(angle):.0f} degrees")
    # A turn within the same frame cuts corners off both; a crop leaves one of the two whole.
    if of_first < 0.9 and of_second > 0.95:
        said.append(f"cropped to {100 * math.sqrt(of_first):.0f} %")
    elif of_second < 0.9 and of_first > 0.95:
        said.append(f"the first cropped to {100 * math.sqrt(of_second):.0f} %")
    elif min(of_first, of_second) < (0.95 if abs(angle) < 2 else 0.75):
        said.append("another crop")
    if abs(scale - 1) > 0.05:
        said.append(f"scaled to {100 * scale:.0f} %")
    return ", ".join(said) or "same frame"


def _finding(copies: list[Copy], severity: Severity, where: str, why: str, remedy: str) -> Finding | None:
    if not copies:
        return None
    count = f"{len(copies)} copies are" if len(copies) > 1 else "1 copy is"
    sentence = f"{count} {where} (the first is {copies[0].kind}): {why}."
    examples = tuple((copy.first, copy.second) for copy in copies[:_EXAMPLES])
    return Finding(severity, "copies", sentence, remedy, examples)


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _parse(row: list[str], where: str) -> Copy:
    try:
        first, second, kind, mirrored, angle, scale, inliers, agreement, overlap, known = row
        return Copy(
            first=first,
            second=second,
            kind=kind,
            mirrored=_TRUTH[mirrored],
            angle=float(angle),
            scale=float(scale),
            inliers=int(inliers),
            agreement=float(agreement),
            overlap=float(overlap),
            known=_TRUTH[known],
        )
    except (KeyError, ValueError):
        raise DataError(f"{where} is wrong ({', '.join(row)}): make the table again.") from None
