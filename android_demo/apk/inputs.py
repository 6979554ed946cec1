"""Whether Maven has to be asked again: what it compiled, as one digest, written down when the compiling was done."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from . import layout

_STARTED = layout.TARGET / "inputs.sha256"
# app/pom.xml makes it from the other one, as its last step.
_PACKAGED = layout.TARGET / "packaged.sha256"


def note_inputs() -> None:
    """Write down what a build of Maven's begins with; until it has ended nothing counts as packaged."""
    _PACKAGED.unlink(missing_ok=True)
    _STARTED.write_text(_digest(), encoding="utf-8")


def is_packaged() -> bool:
    """Whether Maven has packaged exactly what is there now."""
    return _PACKAGED.is_file() and _PACKAGED.read_text(encoding="utf-8") == _digest()


def _digest() -> str:
    digest = hashlib.sha256()
    for path in _files():
        data = path.read_bytes()
        digest.update(f"{path.relative_to(layout.REPOSITORY)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    """Of all modules what is compiled or packed; not the tests, and not the detector, which is copied later."""
    yield layout.DEMO / "pom.xml"
    yield layout.MARKS
    for module in ("jvm", "core", "tflite", "app"):
        yield layout.DEMO / module / "pom.xml"
        yield from sorted(path for path in (layout.DEMO / module / "src" / "main").rglob("*") if path.is_file())
    yield from sorted(Path(__file__).parent.glob("*.py"))
