"""The packed store: every picture of a manifest through one view, ready to be mapped into memory."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.data.errors import DataError
from train.data.manifest import Manifest
from train.data.picture import decode_bytes, read_picture_file
from train.data.view import Eyes, View, apply_view

_PIXELS, _FACTS = "pixels.npy", "store.json"


@dataclass(frozen=True)
class Store:
    """`pixels` is a read-only memory map, uint8 [N, S, S, 3]; row i is row i of `manifest` through `view`."""

    pixels: np.ndarray
    manifest: Manifest
    view: View


def store_key(manifest: Manifest, view: View) -> str:
    """Return the name of the store's folder: 16 hex digits of view and manifest."""
    return hashlib.sha256(f"{view.sha256} {manifest.sha256}".encode()).hexdigest()[:16]


def pack(
    manifest: Manifest,
    view: View,
    folder: Path,
    *,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Decode every picture once and keep it under `folder`/KEY; a store that is there already is opened.

    Several processes may pack the same store at once: the first to finish wins and the others use it. On
    any error, a full disk included, nothing is left and the error goes on. Raises DataError if a picture is
    missing, damaged or no longer the one that was scanned, or has no eyes where the view needs them.
    """
    target = folder / store_key(manifest, view)
    if target.exists():
        return open_store(target, manifest, view)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=folder))
    try:
        _write_pixels(temporary / _PIXELS, manifest, view, workers, on_progress)
        (temporary / _FACTS).write_text(json.dumps(_facts(manifest, view), indent=1) + "\n", "utf-8")
        temporary.chmod(0o755)
        try:
            temporary.rename(target)
        except OSError:
            # Another process was first if the folder is there now; its content is the same.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return open_store(target, manifest, view)


def open_store(path: Path, manifest: Manifest, view: View) -> Store:
    """Open the store in folder `path`; DataError if it is not whole or was packed from another view or manifest."""
    remedy = f"remove {path} and pack again"
    try:
        facts = json.loads((path / _FACTS).read_text("utf-8"))
        pixels = np.load(path / _PIXELS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise DataError(f"{path} is not a whole packed store: {remedy}.") from None
    if not isinstance(facts, dict) or facts.get("view") != view.text:
        found = facts.get("view") if isinstance(facts, dict) else facts
        raise DataError(f"{path} was packed with view {found!r} but {view.text!r} is asked for: {remedy}.")
    if facts != _facts(manifest, view):
        raise DataError(f"{path} was packed from another manifest: {remedy}.")
    if pixels.dtype != np.uint8 or pixels.shape != (manifest.frame.height, *view.input_size):
        raise DataError(f"{path} holds {pixels.dtype} {pixels.shape}, not what its manifest asks for: {remedy}.")
    return Store(pixels, manifest, view)


def _facts(manifest: Manifest, view: View) -> dict[str, Any]:
    return {"view": view.text, "manifest_sha256": manifest.sha256, "count": manifest.frame.height}


def _write_pixels(
    path: Path,
    manifest: Manifest,
    view: View,
    workers: int,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    count = manifest.frame.height
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *view.input_size)}
    # Written row by row, not through a map: on a full disk a write raises OSError where a map would kill
    # the process.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for done, pixels in enumerate(_views(manifest, view, workers), 1):
            file.write(pixels.tobytes())
            if on_progress is not None:
                on_progress(done, count)


def _views(manifest: Manifest, view: View, workers: int) -> Iterator[np.ndarray]:
    def look(row: dict[str, Any]) -> np.ndarray:
        path = manifest.picture_path(row["path"])
        data = read_picture_file(path)
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise DataError(f"{path} has changed since the scan: scan again.")
        eyes = None if row["eye_x"] is None else Eyes(row["eye_x"], row["eye_y"], row["eye_distance"])
        try:
            return apply_view(view, decode_bytes(data, str(path)), eyes)
        except DataError as error:
            raise DataError(str(error) if str(path) in str(error) else f"{path}: {error}") from None

    executor = ThreadPoolExecutor(max(1, workers))
    try:
        # In batches, so that finished pictures do not pile up in memory before they are written.
        for batch in manifest.frame.iter_slices(256):
            yield from executor.map(look, batch.iter_rows(named=True))
    finally:
        executor.shutdown(cancel_futures=True)
