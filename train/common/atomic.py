"""Files that are either written whole or not at all, and never in place of what is no file."""

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What `_replace` calls a file that it has not finished: mkstemp puts eight letters, digits or underscores between.
_UNFINISHED = re.compile(r"\..{1,40}\.[a-z0-9_]{8}\.part(\.[^.]+)?")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path` in one step.

    The folders above `path` are made. A symbolic link is followed: the file that it leads to is replaced, the link
    stays. A character device or a pipe with a reader is written into; a folder, a block device or a socket is refused.
    A file that is replaced keeps its permissions, a new one has those of any other new file. The temporary file lies
    beside the target and keeps its suffix, because writers such as `numpy.save` and Keras choose their format by it.

    On any error, a full disk included, the temporary file and the folders that were made are removed, `path` stays as
    it was and the error goes on; an OSError names `path`, not the temporary file.
    """
    with _named(path):
        kind = _kind(path)
        if kind is not None and not stat.S_ISREG(kind):
            _write_into(path, kind, write)
            return
        # `..` in what a link holds starts from the link's folder, so the system has to work it out.
        _replace(Path(os.path.realpath(path)), kind, write)


def check_writable(path: Path) -> None:
    """Raise the OSError that writing a file to `path` would meet, before the work whose result goes there.

    Leaves nothing behind. A full disk, or what changes in the meantime, is met only later.
    """
    with _named(path):
        kind = _kind(path)
        if kind is not None and not stat.S_ISREG(kind):
            _refuse_kind(path, kind)
            return
        target = Path(os.path.realpath(path))
        with made_folders(target.parent) as made:
            handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=".part", dir=target.parent)
            os.close(handle)
            Path(name).unlink()
            # What is only asked for is not made.
            remove_folders(made)


def check_folder_writable(folder: Path) -> None:
    """Raise the OSError that writing files into `folder` would meet, as `check_writable` does."""
    with _named(folder):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is a file where a folder is needed", str(folder))
        # A name that no result has: a folder "report" may well be there from before.
        check_writable(folder / ".writable")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, newlines as they are, through `write_atomically`."""
    # What is not text in UTF-8 is a file name of other bytes; it is shown escaped and must not lose the rest.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes through `write_atomically`."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_atomically(path, write)


@contextmanager
def made_folders(folder: Path) -> Iterator[tuple[Path, ...]]:
    """Make a folder and those above it; on an error in the block those that were made are removed where empty.

    Gives the folders that were made, the uppermost first.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()][::-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield tuple(missing)
    except BaseException:
        remove_folders(missing)
        raise


def remove_folders(folders: "list[Path] | tuple[Path, ...]") -> None:
    """Remove the folders, given uppermost first, that are empty."""
    for one in reversed(folders):
        with suppress(OSError):
            one.rmdir()


def remove_unfinished(folder: Path) -> None:
    """Remove from a folder and those below what writers that were killed left; call it where nobody else writes."""
    for path in list(folder.rglob(".*.part*")):
        if is_unfinished(path) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Whether a file is called as one that `write_atomically` has not finished."""
    return _UNFINISHED.fullmatch(path.name) is not None


def public_mode(folder: bool = False) -> int:
    """The permissions that a new file or folder has in this process."""
    # There is no call that only reads it.
    mask = os.umask(0o022)
    os.umask(mask)
    return (0o777 if folder else 0o666) & ~mask


def set_mode(path: Path, mode: int) -> None:
    """Set permissions, where the disk has any: shares of other systems (CIFS, NTFS, S3) refuse it, which does no harm.

    mkstemp and mkdtemp make what they make private.
    """
    with suppress(PermissionError, NotImplementedError):
        path.chmod(mode)


def _replace(path: Path, kind: int | None, write: Callable[[Path], None]) -> None:
    with made_folders(path.parent):
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=f".part{path.suffix}", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            write(temporary)
            set_mode(temporary, public_mode() if kind is None else stat.S_IMODE(kind))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _write_into(path: Path, kind: int, write: Callable[[Path], None]) -> None:
    _refuse_kind(path, kind)
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder, f"whole{path.suffix}")
        write(temporary)
        # Without waiting: a pipe that nobody reads is an error (ENXIO), not a reason to hang.
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(handle, True)
        with temporary.open("rb") as source, os.fdopen(handle, "wb") as target:
            shutil.copyfileobj(source, target)


def _refuse_kind(path: Path, kind: int) -> None:
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "is a folder where a file is to be written", str(path))
    if not (stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)):
        raise OSError(errno.EINVAL, "is a device or a socket, not a file", str(path))


def _kind(path: Path) -> int | None:
    """The mode of what stands at a path, links followed; None where nothing does."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


@contextmanager
def naming(path: Path, inside: Path | None = None) -> Iterator[None]:
    """Let an OSError that names no file, or one in the temporary folder `inside`, name what was to be written."""
    try:
        yield
    except OSError as error:
        hidden = error.filename is None or (
            inside is not None and Path(os.fsdecode(error.filename)).is_relative_to(inside)
        )
        if error.errno is not None and hidden:
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an OSError of a temporary file, or of none that it names, name the file that was to be written."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename, error.filename2 = str(path), None
        raise
