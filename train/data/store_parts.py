"""Parts of a packed store: pixels in shards, each with a Parquet slice of the manifest, until they become one store."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from train.common.atomic import write_atomically
from train.common.errors import DataError
from train.common.locks import alone_with_part
from train.common.parts import WorkPart, part_path
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, read_manifest
from train.data.part_files import PLACE, PartFile, read_part, remove_parts, rows_in_place, rows_of_part, write_part
from train.data.rows import select_rows
from train.data.store import map_pixels, store_facts, store_key, views_of, write_pixels, write_store
from train.image.view import Unclear, View

_PIXELS = ".npy"


def pack_part(
    manifest: Manifest,
    view: View,
    part: WorkPart,
    folder: Path,
    *,
    unclear: Unclear = "drop",
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Pack the pictures of a manifest whose content is in a part, else as `pack`; return the part file.

    Of the store KEY they are `folder`/KEY.part-I-of-N.npy, and the rows beside it are .parquet. A part that is there
    already is not made again. Raises DataError as `pack`, and where another process is at this part.
    """
    shown = select_rows(manifest, view, unclear)
    key = store_key(manifest, view, unclear)
    facts = {
        "key": key,
        "rows": shown.frame.height,
        "size": list(view.input_size),
        "store": store_facts(manifest, shown, view, unclear),
    }
    mine = rows_of_part(Manifest(shown.frame.with_row_index(PLACE), shown.folder), part)
    path = part_path(folder / f"{key}.csv", part)
    with alone_with_part(folder, path.stem, DataError(f"Another process packs {path}: wait until it is done.")):
        if not (path.exists() and path.with_suffix(_PIXELS).exists() and read_part(path).facts == facts):
            shape = (mine.frame.height, *view.input_size)

            def write(temporary: Path) -> None:
                write_pixels(temporary, views_of(mine, view, unclear, workers), shape, on_progress)

            write_atomically(path.with_suffix(_PIXELS), write)
            # Last, for it says that the part is whole.
            write_part(path, "pack", part, facts, mine.frame)
    return path


def pack_part_on_worker(manifest_path: Path, view: View, unclear: Unclear, folder: Path, part: WorkPart) -> Path:
    """Pack a part of the manifest in a file, on one core, else as `pack_part`."""
    return pack_part(read_manifest(manifest_path), view, part, folder, unclear=unclear, workers=1)


def remove_pack_parts(parts: Sequence[PartFile]) -> None:
    """Remove the files of parts that have become a store, pixels and rows."""
    for one in parts:
        one.path.with_suffix(_PIXELS).unlink()
    remove_parts(parts)


def merge_pack_parts(parts: Sequence[PartFile], folder: Path, on_progress: ProgressCallback | None = None) -> Path:
    """Write the store of all parts into `folder`, as packing the whole would, and return its own folder there.

    The parts stay. Raises DataError where the pixels of a part are missing or not those of its rows.
    """
    facts = parts[0].facts
    size = tuple(facts["size"])
    target = folder / facts["key"]
    if not target.exists():
        rows_in_place(pl.concat([one.frame for one in parts], how="diagonal"), parts)
        pixels = _in_place(parts, [_pixels(one, size) for one in parts])
        write_store(target, facts["store"], pixels, (facts["rows"], *size), on_progress)
    return target


def _pixels(one: PartFile, size: tuple[int, ...]) -> np.ndarray:
    path = one.path.with_suffix(_PIXELS)
    shape = (one.frame.height, *size)
    if not one.frame.height:
        # There is nothing to be mapped.
        return np.empty(shape, np.uint8)
    try:
        pixels = map_pixels(path)
    except (OSError, ValueError, EOFError, SyntaxError):
        raise DataError(f"{path} is missing or damaged: copy it next to {one.path}, or make the part again.") from None
    if pixels.dtype != np.uint8 or pixels.shape != shape:
        raise DataError(f"{path} holds {pixels.dtype} {pixels.shape}, not the rows of {one.path}: make the part again.")
    return pixels


def _in_place(parts: Sequence[PartFile], pixels: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """The pictures of all parts in the order of the whole."""
    places = np.concatenate([one.frame[PLACE].to_numpy() for one in parts])
    owners = np.repeat(np.arange(len(parts)), [one.frame.height for one in parts])
    rows = np.concatenate([np.arange(one.frame.height) for one in parts])
    for index in np.argsort(places):
        yield pixels[owners[index]][rows[index]]
