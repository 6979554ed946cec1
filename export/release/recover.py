"""From a detector file to a weights file that a new training can begin with."""

from pathlib import Path

import polars as pl

from export.artifacts.metadata import read_description
from export.inference.detector import read_detector
from export.tflite.recover import recover_classifier
from train.common.errors import ExportError
from train.data.manifest import read_manifest
from train.data.rows import select_rows, view_row
from train.image.view import parse_view
from train.weights import save_weights


def recover(model: Path, manifest_path: Path, out: Path, *, pictures: int, seed: int) -> int:
    """Write the weights of a detector file as Keras's HDF5 to `out`; return how many pictures were measured.

    `pictures` rows of the manifest's training split, drawn by `seed`, tell the mean and variance of every layer
    (export/tflite/recover.py). Raises ExportError for a file that is no detector of MobileNet V1 and where the manifest
    has no training picture, DataError as `read_manifest` and `view_row`.
    """
    tflite = read_detector(model)
    description = read_description(tflite, str(model))
    manifest, view = read_manifest(manifest_path), parse_view(description.view)
    rows = select_rows(manifest, view, "drop").frame.filter(pl.col("split") == "train")
    if rows.is_empty():
        raise ExportError(
            f"{manifest_path} has no picture in its training split on which to measure the layers of {model}."
        )
    chosen = rows.sample(min(pictures, rows.height), seed=seed)
    views = (view_row(manifest, row, view, "drop") for row in chosen.iter_rows(named=True))
    classifier, settings = recover_classifier(tflite, description, views, str(model))
    save_weights(classifier, out, settings)
    return chosen.height
