"""Work that several machines divide: the i-th of n parts, which each of them knows without asking the others."""

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from train.common.errors import DataError

SUFFIX = ".parquet"
_PATTERN = re.compile(r"(\d{1,4})/(\d{1,4})", re.ASCII)
_NAME = re.compile(r"(.+)\.part-(\d{1,4})-of-(\d{1,4})", re.ASCII)


@dataclass(frozen=True)
class WorkPart:
    """The `number`-th of `count` parts, 1 <= number <= count."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, key: str) -> bool:
        """Whether a thing of this key is in the part: by the sha256 of the key alone, so in exactly one of `count`.

        Keys in which bytes of a file's name stand as surrogates are hashed as these bytes.
        """
        if self.count == 1:
            return True
        digest = hashlib.sha256(b"part:" + key.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


ALL = WorkPart()
"""Everything, as one part."""


def parse_part(text: str) -> WorkPart:
    """Read `2/3`, the second of three parts; DataError for anything else."""
    match = _PATTERN.fullmatch(text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return WorkPart(int(match[1]), int(match[2]))
    raise DataError(f"--part {text} is not i/n with i from 1 to n: write 2/3 for the second of three parts.")


def part_path(whole: Path, part: WorkPart) -> Path:
    """Return where a part of a file goes: `faces.part-2-of-4.parquet` beside `faces.csv`."""
    return whole.with_name(f"{whole.stem}.part-{part.number}-of-{part.count}{SUFFIX}")


def whole_stem(path: Path) -> str:
    """Return what the whole is called, without a suffix, of which a file is a part; the file's own stem for no part."""
    match = _NAME.fullmatch(path.stem)
    return match[1] if match else path.stem


def all_parts(path: Path, part: WorkPart) -> str:
    """The pattern by which a shell finds a part and all others of the same whole."""
    start = path.with_name(f"{whole_stem(path)}.part-")
    return f"{shlex.quote(str(start))}*-of-{part.count}{SUFFIX}"
