"""The folder of a packed store, which is there whole or not at all, whoever else packs or was killed while packing."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from train.common.atomic import made_folders, naming, public_mode, set_mode
from train.common.locks import FOLDER_LOCK, let_go, take

# The name of an unfinished store starts with a dot and ends so; its packer holds a lock on the file _OWNER in it.
_UNFINISHED, _OWNER = ".part", "owner.lock"


@contextmanager
def unfinished_store(folder: Path, target: Path) -> Iterator[Path]:
    """Give a folder of one's own to fill; it becomes `target` at the end, or is removed on an error.

    Its lock is held all the while, and dies with the process. Making, renaming and sweeping such folders happens under
    the lock of `folder`, so that nobody sees one whose lock is not held yet, or no more.
    """
    with made_folders(folder) as made:
        with _locked(folder) as locked:
            if locked:
                _sweep(folder)
            temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_UNFINISHED, dir=folder))
            owner = FileLock(temporary / _OWNER)
            take(owner)
        try:
            with naming(target, temporary):
                yield temporary
            with _locked(folder):
                let_go(owner)
                (temporary / _OWNER).unlink(missing_ok=True)
                # Another process was first if the folder is there; its content is the same.
                if not target.exists():
                    set_mode(temporary, public_mode(folder=True))
                    temporary.rename(target)
        except BaseException:
            if made:
                # Nobody else can have packed into a folder that this call has made and that holds nothing else.
                shutil.rmtree(temporary, ignore_errors=True)
                if [path.name for path in folder.iterdir()] == [FOLDER_LOCK]:
                    (folder / FOLDER_LOCK).unlink(missing_ok=True)
            raise
        finally:
            let_go(owner)
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder of stores; False where its disk knows no locks."""
    lock = FileLock(folder / FOLDER_LOCK)
    taken = take(lock)
    try:
        yield taken
    finally:
        let_go(lock)


def _sweep(folder: Path) -> None:
    """Remove unfinished stores whose packer is dead: the lock that it held can be taken."""
    for left in folder.glob(f".*{_UNFINISHED}"):
        owner = FileLock(left / _OWNER)
        try:
            if not take(owner, timeout=0):
                continue
        except Timeout:
            continue
        let_go(owner)
        shutil.rmtree(left, ignore_errors=True)
