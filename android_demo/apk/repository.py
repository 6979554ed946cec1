"""What Maven fetches to build and test: plugins, the compiler, the platform and test libraries, each by its SHA-256.

Maven 3.8 compares a file with a checksum from the place that sent it, which says nothing of the sender. So every build
compares the local repository with maven.lock before anything is packed, and the tests compare it once more.
"""

import hashlib
import json
from pathlib import Path

from . import layout
from .errors import ApkError

LOCK = Path(__file__).with_name("maven.lock")
# Files that were compared already, by time and size: 1.2 GB are not read at every build.
_CHECKED = layout.TARGET / "checked.json"
_HEAD = "# What Maven fetches, by path in its repository. `python3 -m android_demo.apk lock` writes it.\n"


def repository_of(android_jar: Path) -> Path:
    """Maven's local repository, by where one artifact stands in it: org/robolectric/android-all/VERSION/FILE."""
    parents = android_jar.resolve().parents
    return parents[min(4, len(parents) - 1)]


def read_maven_lock() -> dict[str, str]:
    """SHA-256 by path in the repository."""
    lines = (line.split("#")[0].split() for line in LOCK.read_text(encoding="utf-8").splitlines())
    return {path: digest for digest, path in (line for line in lines if line)}


def check_repository(repository: Path) -> None:
    """Raise ApkError for a file in the repository that is another than maven.lock names; absent ones are not missed."""
    known = _read_checked()
    checked: dict[str, list[int]] = {}
    for name, digest in read_maven_lock().items():
        path = repository / name
        if not path.is_file():
            continue
        stamp = [path.stat().st_mtime_ns, path.stat().st_size]
        if known.get(f"{path} {digest}") != stamp and _sha256(path) != digest:
            raise ApkError(f"{path} is not the file that {LOCK.name} names; look at Maven's mirrors, then remove it.")
        checked[f"{path} {digest}"] = stamp
    _CHECKED.parent.mkdir(parents=True, exist_ok=True)
    _CHECKED.write_text(json.dumps(checked), encoding="utf-8")


def write_maven_lock(repository: Path) -> int:
    """Write down all jars and archives of the repository, which should hold what this build fetched; how many."""
    files = sorted(path for path in repository.rglob("*") if path.suffix in (".jar", ".aar"))
    lines = [f"{_sha256(path)}  {path.relative_to(repository).as_posix()}\n" for path in files]
    LOCK.write_text(_HEAD + "".join(lines), encoding="utf-8")
    return len(lines)


def _read_checked() -> dict[str, list[int]]:
    try:
        found = json.loads(_CHECKED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
