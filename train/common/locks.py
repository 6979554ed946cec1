"""Locks on files, where the disk has any."""

import errno
import warnings
from contextlib import suppress

from filelock import FileLock

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
