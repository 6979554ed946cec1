"""The packed store: every picture of a manifest through one view, ready to be mapped into memory."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from train.common.atomic import check_folder_writable, made_folders, naming, public_mode, set_mode
from train.common.documents import read_json
from train.common.errors import DataError
from train.common.locks import let_go, take
from train.common.places import cache_folder
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import select_rows, view_row
from train.image.view import Unclear, View

_PIXELS, _FACTS = "pixels.npy", "store.json"
# The name of an unfinished store starts with a dot and ends so; its packer holds a lock on the file _OWNER in it.
_UNFINISHED, _OWNER = ".part", "owner.lock"
_FOLDER_LOCK = ".lock"


@dataclass(frozen=True)
class Store:
    """`pixels` is a read-only memory map, uint8 [N, S, S, 3]; row i is row i of `manifest` through `view`.

    `manifest` holds the rows that were packed, which are fewer than were asked for where the view has `face(k)` and
    pictures of unclear faces are dropped: `dropped` says how many were. Pair pixels with this manifest and no other.
    """

    pixels: np.ndarray
    manifest: Manifest
    view: View
    dropped: int = 0


def store_key(manifest: Manifest, view: View, unclear: Unclear = "drop") -> str:
    """Return the name of the store's folder: 16 hex digits of view, manifest and, for `face(k)`, `unclear`."""
    policy = f" {unclear}" if view.needs_eyes else ""
    return hashlib.sha256(f"{view.sha256} {manifest.sha256}{policy}".encode()).hexdigest()[:16]


def pack(
    manifest: Manifest,
    view: View,
    folder: Path,
    *,
    unclear: Unclear = "drop",
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Store:
    """Decode every picture once and keep it under `folder`/KEY; a store that is there already is opened.

    `unclear` says what becomes of pictures with no or several faces where the view has `face(k)` (train.image.view);
    without `face(k)` it means nothing. Several processes may pack the same store at once: the first to finish wins and
    the others use its store. On any error, a full disk included, nothing is left and the error goes on. What a killed
    packer left is removed by the next one in the same `folder`. Raises DataError if a picture is missing, damaged or no
    longer the one that was scanned, if nobody has looked for faces where the view needs eyes, or if no row is left.
    """
    target = folder / store_key(manifest, view, unclear)
    if target.exists():
        return open_store(target, manifest, view, unclear)
    shown = select_rows(manifest, view, unclear)
    facts = _facts(manifest, shown, view, unclear)
    with _unfinished(folder, target) as temporary:
        _write_pixels(temporary / _PIXELS, shown, view, unclear, workers, on_progress)
        (temporary / _FACTS).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return open_store(target, manifest, view, unclear)


def pack_beside(
    manifest: Manifest,
    manifest_path: Path,
    view: View,
    *,
    unclear: Unclear = "drop",
    on_progress: ProgressCallback | None = None,
) -> Store:
    """Pack into `.packed` beside a manifest; else as `pack`.

    Where that cannot be written, as on a read-only disk of datasets, it is done in the user's cache folder, in a folder
    of the manifest's own.
    """
    folder = manifest_path.parent / ".packed"
    if not (folder / store_key(manifest, view, unclear)).exists():
        try:
            check_folder_writable(folder)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            place = hashlib.sha256(os.fsencode(manifest_path.resolve())).hexdigest()[:16]
            folder = cache_folder() / "packed" / place
    return pack(manifest, view, folder, unclear=unclear, on_progress=on_progress)


def open_store(path: Path, manifest: Manifest, view: View, unclear: Unclear = "drop") -> Store:
    """Open the store in folder `path`.

    Raises DataError if it is not whole, or was packed from another view, policy or manifest, and as `select_rows`.
    """
    remedy = f"remove {path} and pack again"
    try:
        facts = read_json(path / _FACTS, error=DataError, remedy=remedy)
        pixels = _map(path / _PIXELS)
    except (OSError, ValueError, EOFError, SyntaxError, RecursionError, MemoryError, TypeError):
        # What NumPy raises on a damaged header, which it reads as a Python expression.
        raise DataError(f"{path} is not a whole packed store: {remedy}.") from None
    if not isinstance(facts, dict) or facts.get("view") != view.text:
        found = facts.get("view") if isinstance(facts, dict) else facts
        raise DataError(f"{path} was packed with view {found!r} but {view.text!r} is asked for: {remedy}.")
    shown = select_rows(manifest, view, unclear)
    wanted = _facts(manifest, shown, view, unclear)
    if (found := facts.get("unclear_faces")) != wanted.get("unclear_faces"):
        raise DataError(f"{path} was packed with unclear_faces {found!r} but {unclear!r} is asked for: {remedy}.")
    if facts != wanted:
        raise DataError(f"{path} was packed from another manifest: {remedy}.")
    if pixels.dtype != np.uint8 or pixels.shape != (shown.frame.height, *view.input_size):
        raise DataError(f"{path} holds {pixels.dtype} {pixels.shape}, not what its manifest asks for: {remedy}.")
    return Store(pixels, shown, view, manifest.frame.height - shown.frame.height)


def _map(path: Path) -> np.ndarray:
    if not path.is_file():
        raise OSError(f"{path} is no file")
    pixels: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return pixels


def _facts(manifest: Manifest, shown: Manifest, view: View, unclear: Unclear) -> dict[str, Any]:
    policy = {"unclear_faces": unclear} if view.needs_eyes else {}
    return {"view": view.text, **policy, "manifest_sha256": manifest.sha256, "count": shown.frame.height}


@contextmanager
def _unfinished(folder: Path, target: Path) -> Iterator[Path]:
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
                if [path.name for path in folder.iterdir()] == [_FOLDER_LOCK]:
                    (folder / _FOLDER_LOCK).unlink(missing_ok=True)
            raise
        finally:
            let_go(owner)
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder of stores; False where its disk knows no locks."""
    lock = FileLock(folder / _FOLDER_LOCK)
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


def _write_pixels(
    path: Path,
    shown: Manifest,
    view: View,
    unclear: Unclear,
    workers: int,
    on_progress: ProgressCallback | None,
) -> None:
    count = shown.frame.height
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *view.input_size)}
    # Written row by row, not through a map: on a full disk a write raises OSError where a map would kill
    # the process.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for done, pixels in enumerate(_views(shown, view, unclear, workers), 1):
            file.write(pixels.tobytes())
            if on_progress is not None:
                on_progress(done, count)


def _views(shown: Manifest, view: View, unclear: Unclear, workers: int) -> Iterator[np.ndarray]:
    show = partial(view_row, shown, view=view, unclear=unclear)
    executor = ThreadPoolExecutor(max(1, workers))
    try:
        # In batches, so that finished pictures do not pile up in memory before they are written.
        for batch in shown.frame.iter_slices(256):
            yield from executor.map(show, batch.iter_rows(named=True))
    finally:
        executor.shutdown(cancel_futures=True)
