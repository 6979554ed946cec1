"""A manifest's rows as pictures: the file that was scanned, decoded, and taken through a view."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from train.common.errors import DataError
from train.data.manifest import Manifest
from train.image.decode import Picture, decode_bytes, read_picture_file
from train.image.view import UNCLEAR, Eyes, Unclear, View, apply_view, view_for

Row = Mapping[str, Any]
"""A row of a manifest's frame, as `iter_rows(named=True)` gives it."""


def decode_row(manifest: Manifest, row: Row) -> Picture:
    """Decode the picture of a row; DataError if it is missing, damaged or no longer the one that was scanned."""
    path = manifest.picture_path(row["path"])
    try:
        return decode_unchanged(path, row["sha256"])
    except DataError:
        if path.exists():
            raise
        raise DataError(
            f"{path} does not exist: the paths of a manifest start at its folder, so move both together or scan again."
        ) from None


def decode_unchanged(path: Path, sha256: str) -> Picture:
    """Decode the picture of this content; DataError if it is missing, damaged or another one by now."""
    data = read_picture_file(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DataError(f"{path} has changed since the scan: scan again.")
    return decode_bytes(data, str(path))


def why_changed(manifest: Manifest, row: Row) -> str | None:
    """Return why the picture of a row is no longer the one that was scanned, None where it is: nothing is decoded.

    What a scan took can be decoded, so the same bytes can.
    """
    path = manifest.picture_path(row["path"])
    try:
        data = read_picture_file(path)
    except DataError as error:
        return str(error)
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        return f"{path} has changed since the scan: scan again."
    return None


def eyes_of(row: Row) -> Eyes | None:
    """Return the eyes that a row has, None where no face was found or nobody looked."""
    return None if row["eye_x"] is None else Eyes(row["eye_x"], row["eye_y"], row["eye_distance"])


def view_row(manifest: Manifest, row: Row, view: View, unclear: Unclear) -> np.ndarray:
    """Decode the picture of a row and take it through a view: uint8 [S, S, 3].

    Raises DataError as `decode_row` and `apply_view`, and for a row that `select_rows` leaves out.
    """
    path = manifest.picture_path(row["path"])
    own: View | None = view
    if view.needs_eyes:
        if row["faces"] is None:
            raise DataError(f"Faces have not been detected yet in {path}: run `fauxlens data faces MANIFEST` first.")
        own = view_for(view, row["faces"], unclear)
    if own is None:
        raise DataError(f"{path} has {row['faces']} faces and {unclear!r} skips such pictures: choose keep or centre.")
    picture = decode_row(manifest, row)
    try:
        return apply_view(own, picture, eyes_of(row))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def select_rows(manifest: Manifest, view: View, unclear: Unclear) -> Manifest:
    """Return the manifest of the rows that a view shows under a policy for unclear faces, in their old order.

    That is all of them but for `drop` with `face(k)`. Raises DataError where the view has `face(k)` and nobody has
    looked for faces, for a policy that does not exist, and where no row is left.
    """
    if unclear not in UNCLEAR:
        raise DataError(f"Unknown treatment {unclear!r} of unclear faces: choose one of {', '.join(UNCLEAR)}.")
    if not view.needs_eyes:
        return manifest
    frame = manifest.frame
    if unknown := frame["faces"].null_count():
        raise DataError(
            f"The view {view.text} needs eyes, and faces have not been detected yet in {unknown} of {frame.height} "
            f"pictures of the manifest in {manifest.folder}: run `fauxlens data faces MANIFEST` first."
        )
    if unclear != "drop":
        return manifest
    clear = frame.filter(pl.col("faces") == 1)
    if clear.is_empty():
        raise DataError(
            f"No picture of the manifest in {manifest.folder} has exactly one face, and `drop` skips all others: "
            "choose centre or keep."
        )
    return Manifest(clear, manifest.folder)
