"""What others made and goes into the APK, or makes it: each file by its SHA-256."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from .errors import ApkError

_LOCK = Path(__file__).with_name("apk.lock")


def check_lock(files: Iterable[Path]) -> None:
    """Raise ApkError for a file that is not in apk.lock or is another than the one there."""
    known = read_lock()
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if path.name not in known:
            raise ApkError(f"{path.name} is not in {_LOCK.name}; if it belongs there, add `{digest}  {path.name}`.")
        if known[path.name] != digest:
            raise ApkError(f"{path} is not the file that {_LOCK.name} names; look at Maven's mirrors, then remove it.")


def read_lock() -> dict[str, str]:
    """SHA-256 by file name; the format is that of sha256sum, `#` opens a comment."""
    lines = (line.split("#")[0].split() for line in _LOCK.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in (line for line in lines if line)}
