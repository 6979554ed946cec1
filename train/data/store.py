"""The packed store: every picture of a manifest through one view, ready to be mapped into memory."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from train.common.atomic import check_folder_writable
from train.common.documents import read_json
from train.common.errors import DataError
from train.common.places import cache_folder
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest
from train.data.rows import select_rows, view_row
from train.data.store_folder import unfinished_store
from train.image.view import Unclear, View

_PIXELS, _FACTS = "pixels.npy", "store.json"


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
    write_store(
        target,
        store_facts(manifest, shown, view, unclear),
        views_of(shown, view, unclear, workers),
        (shown.frame.height, *view.input_size),
        on_progress,
    )
    return open_store(target, manifest, view, unclear)


def write_store(
    target: Path,
    facts: dict[str, Any],
    pixels: Iterable[np.ndarray],
    shape: tuple[int, ...],
    on_progress: ProgressCallback | None,
) -> None:
    """Write a store's folder, whole or not at all; one that another process has finished first stays."""
    with unfinished_store(target.parent, target) as temporary:
        write_pixels(temporary / _PIXELS, pixels, shape, on_progress)
        (temporary / _FACTS).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


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
        pixels = map_pixels(path / _PIXELS)
    except (OSError, ValueError, EOFError, SyntaxError, RecursionError, MemoryError, TypeError):
        # What NumPy raises on a damaged header, which it reads as a Python expression.
        raise DataError(f"{path} is not a complete packed store: {remedy}.") from None
    if not isinstance(facts, dict) or facts.get("view") != view.text:
        found = facts.get("view") if isinstance(facts, dict) else facts
        raise DataError(f"{path} was packed with view {found!r} but {view.text!r} is asked for: {remedy}.")
    shown = select_rows(manifest, view, unclear)
    wanted = store_facts(manifest, shown, view, unclear)
    if (found := facts.get("unclear_faces")) != wanted.get("unclear_faces"):
        raise DataError(f"{path} was packed with unclear_faces {found!r} but {unclear!r} is asked for: {remedy}.")
    if facts != wanted:
        raise DataError(f"{path} was packed from another manifest: {remedy}.")
    if pixels.dtype != np.uint8 or pixels.shape != (shown.frame.height, *view.input_size):
        raise DataError(f"{path} holds {pixels.dtype} {pixels.shape}, not what its manifest needs: {remedy}.")
    return Store(pixels, shown, view, manifest.frame.height - shown.frame.height)


def map_pixels(path: Path) -> np.ndarray:
    """Map pixels read-only; what NumPy raises for a damaged file goes on, OSError for none."""
    if not path.is_file():
        raise OSError(f"{path} is no file")
    pixels: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return pixels


def store_facts(manifest: Manifest, shown: Manifest, view: View, unclear: Unclear) -> dict[str, Any]:
    """What a store says of itself."""
    policy = {"unclear_faces": unclear} if view.needs_eyes else {}
    return {"view": view.text, **policy, "manifest_sha256": manifest.sha256, "count": shown.frame.height}


def write_pixels(
    path: Path, pixels: Iterable[np.ndarray], shape: tuple[int, ...], on_progress: ProgressCallback | None
) -> None:
    """Write pictures, uint8 [S, S, 3] each, as one .npy of `shape` [N, S, S, 3]."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    # Written row by row, not through a map: on a full disk a write raises OSError where a map would kill
    # the process.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for done, one in enumerate(pixels, 1):
            file.write(one.tobytes())
            if on_progress is not None:
                on_progress(done, shape[0])


def views_of(shown: Manifest, view: View, unclear: Unclear, workers: int) -> Iterator[np.ndarray]:
    """Yield every picture of a manifest through a view, in order, uint8 [S, S, 3] each."""
    show = partial(view_row, shown, view=view, unclear=unclear)
    executor = ThreadPoolExecutor(max(1, workers))
    try:
        # In batches, so that finished pictures do not pile up in memory before they are written.
        for batch in shown.frame.iter_slices(256):
            yield from executor.map(show, batch.iter_rows(named=True))
    finally:
        executor.shutdown(cancel_futures=True)
