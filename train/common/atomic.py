"""Files that are either written whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    The folders above `path` are made. The temporary name keeps the suffix of `path`, because writers such
    as `numpy.save` and Keras choose their format by it. On any error, a full disk included, the temporary
    file is removed, `path` stays as it was and the error goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=f".part{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        # mkstemp makes the file private; a result has the permissions of any other new file.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, newlines as they are, through `write_atomically`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes through `write_atomically`."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_atomically(path, write)


def _umask() -> int:
    # There is no call that only reads it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
