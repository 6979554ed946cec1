"""Locks on files, where the disk has any."""

import errno
import glob
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from train.common.atomic import is_unfinished, made_folders, naming, remove_unfinished

FOLDER_LOCK = ".lock"
"""The file in a folder whose lock is held by the process that works there."""
_FILLING = ".filling"
_PART_LOCK = re.compile(r"\..+\.part-\d+-of-\d+\.lock")
# Seconds in which a part has taken its lock.
_BEGINNING = 10.0
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


def take(lock: FileLock, timeout: float = -1) -> bool:
    """Take a lock, or return False where the disk has none (some NFS and FUSE mounts): then nobody is kept out.

    Raises filelock.Timeout where another process holds it for longer than `timeout` seconds (-1: waits for ever).
    """
    try:
        with warnings.catch_warnings():
            # "falling back to a soft lock": it serves as well.
            warnings.simplefilter("ignore")
            lock.acquire(timeout)
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def let_go(lock: FileLock) -> None:
    """Release a lock that was taken, or was not to be had."""
    with suppress(OSError):
        lock.release()


@contextmanager
def hold(path: Path, *, wait: float = -1) -> Iterator[bool]:
    """Hold the lock on a file, whose folder is made; False where another process has it for longer than `wait` seconds.

    -1 waits for ever. After an error the folder is removed if it was made for this and nothing else is in it.
    """
    with made_folders(path.parent) as made:
        lock = FileLock(path)
        try:
            take(lock, timeout=wait)
        except Timeout:
            yield False
            return
        try:
            yield True
        except BaseException:
            # A folder that was made for nothing goes again, and with it the lock.
            if made and [*path.parent.iterdir()] == [path]:
                path.unlink()
            raise
        finally:
            let_go(lock)


@contextmanager
def alone_in(folder: Path, busy: Exception, *, wait: float = 0) -> Iterator[bool]:
    """Let no other process work in a folder, which is made, while the block runs; False where the disk has no locks.

    What a process that was killed there had not written to the end is removed first. Raises `busy` where another
    process is at work for longer than `wait` seconds (-1: for ever), or one of `alone_with_part`. A folder in which
    nothing but the lock is left at the end is empty again.
    """
    with made_folders(folder):
        lock = FileLock(folder / FOLDER_LOCK)
        held = _take_or_raise(lock, wait, busy)
        try:
            if _parts_at_work(folder):
                raise busy
            if held:
                remove_unfinished(folder)
            yield held
        finally:
            _clear(folder, lock)
            let_go(lock)


@contextmanager
def alone_with_part(folder: Path, part: str, busy: Exception) -> Iterator[bool]:
    """Let no other process work on this part of a folder, as `alone_in`; others may work on other parts.

    `part` is the name of the part as a file's. What killed processes had not written to the end is removed by the first
    part that begins while no other is at work.
    """
    with made_folders(folder):
        gate, lock = FileLock(folder / FOLDER_LOCK), FileLock(folder / f".{part}.lock")
        # Held by others that begin for a moment, and by `alone_in` for long.
        held = _take_or_raise(gate, _BEGINNING, busy)
        try:
            others = _parts_at_work(folder)
            _take_or_raise(lock, 0, busy)
            if held and not others:
                remove_unfinished(folder)
        finally:
            let_go(gate)
        try:
            yield held
        finally:
            _clear(folder, lock)
            let_go(lock)


@contextmanager
def filled_folder(target: Path) -> Iterator[Path]:
    """Give a new folder to fill, which stands at `target` when the block ends well; on an error nothing is left.

    What stood at `target` before is replaced: the caller sees to it that it may be. What was left beside it by a
    process that was killed while it filled such a folder is removed first. An OSError names `target`.
    """
    with made_folders(target.parent):
        for left in target.parent.glob(f".{_escaped(target)}.*{_FILLING}"):
            _remove_if_dead(left)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=_FILLING, dir=target.parent))
        owner = FileLock(temporary / FOLDER_LOCK)
        try:
            take(owner)
            inside = temporary / "files"
            inside.mkdir()
            with naming(target, temporary):
                yield inside
            if target.exists():
                shutil.rmtree(target)
            inside.rename(target)
        finally:
            let_go(owner)
            shutil.rmtree(temporary, ignore_errors=True)


def _escaped(target: Path) -> str:
    return glob.escape(target.name[:40])


def _remove_if_dead(left: Path) -> None:
    """Remove a folder that a process was filling, if that process has ended: the lock that it held can be taken."""
    # Without one the process has only just begun, or was killed that moment.
    if not (left / FOLDER_LOCK).is_file():
        return
    owner = FileLock(left / FOLDER_LOCK)
    try:
        held = take(owner, timeout=0)
    except Timeout:
        return
    let_go(owner)
    if held:
        shutil.rmtree(left, ignore_errors=True)


def holds_anything(folder: Path) -> bool:
    """Whether a folder is there and holds more than locks and what a killed process had not written to the end."""
    return folder.is_dir() and any(not _is_lock(one) and not is_unfinished(one) for one in folder.iterdir())


def _is_lock(path: Path) -> bool:
    return path.name == FOLDER_LOCK or _PART_LOCK.fullmatch(path.name) is not None


def _parts_at_work(folder: Path) -> bool:
    """Whether another process holds the lock of a part. Who asks holds that of the folder, so that none begins."""
    for path in folder.iterdir():
        if _PART_LOCK.fullmatch(path.name):
            lock = FileLock(path)
            try:
                take(lock, timeout=0)
            except Timeout:
                return True
            let_go(lock)
    return False


def _take_or_raise(lock: FileLock, wait: float, busy: Exception) -> bool:
    try:
        return take(lock, timeout=wait)
    except Timeout:
        raise busy from None


def _clear(folder: Path, lock: FileLock) -> None:
    """Leave a folder in which nothing was made as it was; locks of other parts, and with them the folder's, stay."""
    # The block may have taken the folder back.
    if not folder.is_dir() or holds_anything(folder):
        return
    own = Path(lock.lock_file)
    if own.name != FOLDER_LOCK:
        own.unlink(missing_ok=True)
    if not any(_PART_LOCK.fullmatch(one.name) for one in folder.iterdir()):
        (folder / FOLDER_LOCK).unlink(missing_ok=True)
