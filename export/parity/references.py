"""What every runtime is compared with: some pictures, and what each stage of the run made of them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from export.artifacts.bundle_references import References
from export.parity.gradcam import grad_cam
from export.quantize.states import KerasState
from export.runtimes.registry import RUNTIMES
from export.tflite.convert import compose
from train.common.errors import ExportError
from train.common.tf import load_tensorflow
from train.data.manifest import Manifest
from train.data.rows import decode_row, eyes_of
from train.data.store import Store
from train.evaluate.selection import rows_to_report
from train.image.face_finder.finder import find_in_pixels
from train.image.view import turn_upright

COUNT = 32


def choose_references(
    marked: pl.DataFrame, count: int = COUNT, *, suits: Callable[[dict[str, Any]], bool] = lambda row: True
) -> list[int]:
    """Choose rows for the references: pictures that may be evaluated, taken from every source in turn.

    marked: manifest rows with `seen` and `row`; of those where faces were looked for, only rows with one face, so that
    the view needs no policy for others, and of all only those that `suits`. The order within a source is that of the
    pictures' hashes, so the choice depends on nothing but the data. Returns at most `count` row numbers; raises
    ExportError when there is none.
    """
    one_face = pl.col("faces").is_null() | (pl.col("faces") == 1)
    allowed = rows_to_report(marked).filter(one_face).sort("sha256")
    if allowed.is_empty():
        raise ExportError(
            "The manifest has no picture outside training to compare runtimes on: scan more pictures, or name "
            "another manifest with --references."
        )
    turn = pl.int_range(pl.len()).over("label", "source", "generator")
    by_source = allowed.with_columns(turn=turn).sort("turn", "label", "generator", "source")
    chosen: list[int] = []
    # Reals and fakes in equal number, so that heatmaps, which speak of fakes, have enough of them.
    for label in ("real", "fake"):
        rows = (row for row in by_source.filter(pl.col("label") == label).iter_rows(named=True) if suits(row))
        chosen += [row["row"] for row, _ in zip(rows, range(count // 2), strict=False)]
    if not chosen:
        raise ExportError(
            "In no picture outside training does the face finder find the eyes of the manifest: run "
            "`fauxlens data faces` on another manifest and name that with --references."
        )
    return chosen


def eyes_are_found(manifest: Manifest, row: dict[str, Any]) -> bool:
    """Whether the face finder sees the eyes of a row's picture exactly where the manifest has them.

    Those of reconstructions and of reduced originals were scaled from other pixels, those of MTCNN are another
    finder's: on such a picture no runtime that looks for faces gives the stored view. Raises DataError as `decode_row`.
    """
    picture = decode_row(manifest, row)
    faces = find_in_pixels(turn_upright(picture.pixels, picture.orientation))
    return bool(faces) and faces[0].eyes == eyes_of(row)


def make_references(
    store: Store, rows: list[int], states: Mapping[str, KerasState], detectors: Mapping[str, bytes]
) -> References:
    """Run the chosen rows through every Keras state, tf-keras-vis and every detector on x86 LiteRT.

    Pictures go one by one, as on a phone: a batch may take other kernels and round otherwise.
    """
    tf = load_tensorflow()
    chosen = store.manifest.frame[rows].to_dicts()
    names = [row["path"] for row in chosen]
    views = np.ascontiguousarray(store.pixels[rows])
    front_end = next(iter(states.values())).parts.front_end
    planes = front_end.planes(views)
    stages: dict[str, np.ndarray] = {}
    heatmaps: dict[str, np.ndarray] = {}
    maps: dict[str, np.ndarray] = {}
    for name, state in states.items():
        detector = tf.function(compose(state.parts))
        outputs = [detector(view[None]) for view in views]
        stages[f"keras-{name}"] = np.concatenate([one["scores"].numpy()[:, 1] for one in outputs])
        heatmaps[f"keras-{name}"] = np.concatenate([one["heatmap"].numpy() for one in outputs])
        maps[f"keras-{name}"] = grad_cam(state.model, planes, state.cam_layer)
    for variant, tflite in detectors.items():
        output = RUNTIMES["litert"].call(tflite, views)
        stages[f"tflite/{variant}"] = output.scores[:, 1]
        heatmaps[f"tflite/{variant}"] = output.heatmaps
    return References(
        names=tuple(names),
        pictures=tuple(store.manifest.picture_path(name).read_bytes() for name in names),
        views=views,
        planes=planes,
        stages=stages,
        heatmaps=heatmaps,
        gradcam=maps,
        eyes=tuple(eyes_of(row) for row in chosen),
    )
