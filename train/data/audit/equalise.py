"""Equalise: a copy of a dataset in which every file has gone through one size and one JPEG encoder.

It takes away what the *file* tells: width, height, aspect ratio, format, JPEG quality, metadata. It cannot take away
what the pixels keep of their history: blocks and ringing of an earlier compression, the blur or sharpness of an earlier
resize, a size that was reached by halving in one source and was there from the start in another. Some of that shows in
the bytes per pixel even afterwards. Nor does it frame faces alike; a view with face(K) does. So an equalised set is for
evaluating whether a score survives, not a proof that what is left is about faces.
"""

import hashlib
import io
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import polars as pl
from PIL import Image

from train.common.atomic import write_bytes, write_text
from train.common.documents import read_json
from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.audit.file_statistics import with_measures
from train.data.manifest import Manifest, attributes_of, rows_frame, write_manifest
from train.data.resplit import join_look_alikes
from train.data.scan.measure import Measured, Refused, measure_file
from train.data.scan.skipped import Skipped
from train.image.decode import decode_bytes, read_picture_file
from train.image.view import turn_upright

MANIFEST, SETTINGS = "manifest.csv", "equalised.json"
MIN_SIZE, MAX_SIZE = 8, 4096
FORMAT = 1
"""Version of SETTINGS; another one is refused."""

# Of each source at most this share may be smaller than the proposed size, so that no few tiny files decide.
_TOO_SMALL = 0.05
# Where no source has JPEG files: Pillow's and libjpeg's default is lower, but nothing calls for a loss.
_QUALITY = 90


@dataclass(frozen=True)
class Target:
    """What all pictures become: squares of `size` pixels, JPEG of `quality` 1..100."""

    size: int
    quality: int


def propose_target(frame: pl.DataFrame) -> Target:
    """Propose a size and a quality that every source can be brought down to.

    The size is the smallest that 95 % of the pictures of each source reach on their shorter side, so nothing is
    enlarged and few are dropped; the quality is the lowest median of a source's JPEG files.
    """
    measured = with_measures(frame).with_columns(side=pl.min_horizontal("width", "height"))
    by_part = measured.group_by("part").agg(
        pl.col("side").quantile(_TOO_SMALL, "lower"), pl.col("jpeg_quality").median()
    )
    size = int(by_part["side"].min())  # type: ignore[arg-type]
    quality = by_part["jpeg_quality"].min()
    return Target(min(MAX_SIZE, max(MIN_SIZE, size)), _QUALITY if quality is None else int(quality))  # type: ignore[arg-type]


def equalise(
    manifest: Manifest,
    folder: Path,
    *,
    size: int,
    quality: int,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> tuple[Manifest, tuple[Skipped, ...]]:
    """Write a copy of a manifest's pictures that has one size and one JPEG pipeline, and its manifest.

    Each picture is turned upright, cut to its centre square, reduced to `size` (8..4096) with Pillow's antialiased
    LANCZOS, and saved once as JPEG of `quality` (1..100), 4:2:0, without metadata. Nothing is enlarged: a picture whose
    shorter side is below `size` is left out and told, and so is one that cannot be read or has changed. A picture that
    has the size already is not resampled, which its pixels may tell.

    The manifest (`folder`/manifest.csv) keeps label, generator, family, source, group and split of each row, but for
    pictures that look alike now, which are joined (train.data.resplit); the rest is measured anew. Faces go along where
    the picture was square; in one that was cut nobody has looked. Pictures are called by their content, so two runs
    write the same bytes, and a run that was stopped goes on where it was.

    Raises DataError if the folder lies among the pictures, or holds other things or pictures of other settings; if
    size or quality is out of range; or if no picture of a class is left.
    """
    target = _checked(size, quality)
    _prepare(manifest, folder, target)
    rows = list(manifest.frame.iter_rows(named=True))
    made: list[dict[str, Any]] = []
    skipped: list[Skipped] = []
    executor = ThreadPoolExecutor(max(1, workers))
    try:
        tasks = zip(rows, _names(rows), strict=True)
        results = executor.map(lambda task: _make(manifest, task[0], folder, task[1], target), tasks)
        for done, result in enumerate(results, 1):
            if isinstance(result, Skipped):
                skipped.append(result)
            else:
                made.append(result)
            if on_progress is not None:
                on_progress(done, len(rows))
    finally:
        executor.shutdown(cancel_futures=True)
    for label in set(manifest.frame["label"]):
        if not any(row["label"] == label for row in made):
            raise DataError(
                f"No {label} picture is left at {size} x {size} pixels ({skipped[0].reason}): choose a smaller size."
            )
    # Cut and reduced pictures may look alike that did not before.
    equalised = join_look_alikes(Manifest(rows_frame(made, attributes_of(manifest.frame)), folder))
    write_manifest(equalised, folder / MANIFEST)
    return equalised, tuple(skipped)


def _checked(size: int, quality: int) -> Target:
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise DataError(f"Size {size} is out of range: choose {MIN_SIZE} to {MAX_SIZE} pixels.")
    if not 1 <= quality <= 100:
        raise DataError(f"JPEG quality {quality} does not exist: choose 1 to 100.")
    return Target(size, quality)


def _prepare(manifest: Manifest, folder: Path, target: Target) -> None:
    """Refuse a folder that is not for this, or make it and write down what its pictures are."""
    for root in _roots(manifest):
        if folder.resolve().is_relative_to(root):
            raise DataError(f"{folder} is inside {root}, the folder of the pictures: name a folder outside it.")
    settings = {"format": FORMAT, "size": target.size, "quality": target.quality, "pillow": PIL.__version__}
    path = folder / SETTINGS
    try:
        if path.exists():
            if read_json(path, error=DataError, remedy="name another folder") != settings:
                raise DataError(f"{folder} contains pictures equalised with other settings: name another folder.")
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(f"{folder} contains other files: name a folder that is empty or does not exist.")
        else:
            write_text(path, json.dumps(settings, indent=1) + "\n")
    except OSError as error:
        raise DataError(f"{folder} cannot be used ({error.strerror or error}): name another folder.") from None


def _roots(manifest: Manifest) -> set[Path]:
    """Return the folders that hold the pictures: one above them all, or one for each source if that were the root."""
    parents: dict[str, set[str]] = {}
    for row_path, source in manifest.frame.select("path", "source").iter_rows():
        parents.setdefault(source, set()).add(os.path.dirname(row_path))  # noqa: PTH120, a million of them
    resolved = {
        source: [str(manifest.picture_path(parent).resolve()) for parent in folders]
        for source, folders in parents.items()
    }
    above = Path(os.path.commonpath([path for paths in resolved.values() for path in paths]))
    if above != above.parent:
        return {above}
    return {Path(os.path.commonpath(paths)) for paths in resolved.values()}


def _names(rows: list[dict[str, Any]]) -> list[str]:
    """Return a path for each row in the usual layout (real/..., fake/GENERATOR/...), by the content it was made from.

    Equal contents are numbered.
    """
    seen: dict[str, int] = {}
    names = []
    for row in rows:
        content = row["sha256"][:24]
        number = seen[content] = seen.get(content, 0) + 1
        kind = row["source"] if row["label"] == "real" else row["generator"]
        # Names come from people's folders, and may be "..".
        kind = re.sub(r"[^A-Za-z0-9._-]+|^\.+", "_", kind)
        names.append(f"{row['label']}/{kind}/{content}{f'-{number}' if number > 1 else ''}.jpg")
    return names


def _make(manifest: Manifest, row: dict[str, Any], folder: Path, name: str, target: Target) -> dict[str, Any] | Skipped:
    source = manifest.picture_path(row["path"])
    side = min(row["width"], row["height"])
    if side < target.size:
        return Skipped(row["path"], f"{source} has a shorter side of {side} pixels, less than {target.size}.")
    made = measure_file(folder / name)
    # A file that is there whole was made by an earlier run.
    if not (isinstance(made, Measured) and (made.width, made.height) == (target.size, target.size)):
        try:
            data = read_picture_file(source)
            if hashlib.sha256(data).hexdigest() != row["sha256"]:
                return Skipped(row["path"], f"{source} has changed since the scan: scan again.")
            picture = decode_bytes(data, str(source))
        except DataError as error:
            return Skipped(row["path"], str(error))
        write_bytes(folder / name, _encode(turn_upright(picture.pixels, picture.orientation), target))
        made = measure_file(folder / name)
    if isinstance(made, Refused):
        raise DataError(f"{folder / name}{made.reason}")
    return {**row, "path": name, **asdict(made), **_face(row, side, target.size)}


def _encode(upright: np.ndarray, target: Target) -> bytes:
    height, width = upright.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(np.ascontiguousarray(upright[top : top + side, left : left + side]))
    if side != target.size:
        square = square.resize((target.size, target.size), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=target.quality, subsampling="4:2:0", optimize=False, progressive=False)
    return buffer.getvalue()


def _face(row: dict[str, Any], side: int, size: int) -> dict[str, Any]:
    """Return faces and eyes in the equalised picture."""
    if row["width"] != row["height"]:
        # Where the square was cut is not known to a run that goes on, and finding eyes again is quick.
        return dict.fromkeys(("faces", "eye_x", "eye_y", "eye_distance"))
    eyes = {key: row[key] for key in ("eye_x", "eye_y", "eye_distance")}
    return {key: None if value is None else value * size / side for key, value in eyes.items()}
