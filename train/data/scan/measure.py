"""Measure a picture: what a scan reads from a file."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.common.errors import DataError
from train.common.process_pool import parallel_map
from train.data.scan.phash import SIDE, perceptual_hash
from train.image.decode import read_picture_file, sketch_bytes
from train.image.marks.read import read_marks
from train.image.marks.rows import strongest

# Of so many files even large pictures are measured by the time another process is awake.
_FEW = 64


@dataclass(frozen=True)
class Measured:
    """What a file is: hex digests, width and height in stored pixels, format, JPEG quality 1..100 or None, size.

    `mark_says` is "ai", "edited" or "camera" where the file says so of itself, and `mark` how it does, both of the
    strongest mark (train.image.marks, without checking signatures); None where it says nothing.
    """

    sha256: str
    phash: str
    width: int
    height: int
    format: str
    jpeg_quality: int | None
    bytes: int
    mark_says: str | None
    mark: str | None


@dataclass(frozen=True)
class Refused:
    """Why a file cannot be used: a sentence whose subject, the file's path, is left out.

    `lasting` says that the same bytes would be refused again; a file that could not be read may be readable later.
    """

    reason: str
    lasting: bool


def measure_file(path: Path) -> Measured | Refused:
    """Read a file once and measure it; it is refused exactly if `decode` refuses it."""
    lasting = False
    try:
        data = read_picture_file(path)
        lasting = True
        sketch = sketch_bytes(data, str(path), SIDE)
    except DataError as error:
        # Damage, but for a machine that was short of memory.
        lasting = lasting and not isinstance(error.__context__, MemoryError)
        return Refused(str(error).removeprefix(str(path)), lasting)
    mark = strongest(read_marks(data, check=False).rows)
    return Measured(
        hashlib.sha256(data).hexdigest(),
        perceptual_hash(sketch.luma, sketch.box, sketch.orientation),
        sketch.width,
        sketch.height,
        sketch.format,
        sketch.jpeg_quality,
        len(data),
        mark.says if mark else None,
        mark.text if mark else None,
    )


def measure_all(paths: Sequence[str], workers: int) -> Generator[Measured | Refused, None, None]:
    """Measure files with so many processes, this one among them, in their order; once it is closed, nothing runs on."""
    return parallel_map(_measure_path, paths, workers, few=_FEW)


def _measure_path(path: str) -> Measured | Refused:
    # Text is handed to another process in less time than a Path.
    return measure_file(Path(path))
