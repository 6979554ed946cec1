"""Fauxlens from Python: `import fauxlens` offers what is here. docs/python-api.md shows it by example.

Nothing here imports TensorFlow by itself; `evaluate` does for a run folder, which holds a Keras model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from export.artifacts.bundle import read_bundle
from export.artifacts.description import BALANCED, Description
from export.inference import detector as inference
from export.inference.detect_files import detector_path
from export.inference.picture_result import LARGER, FaceResult, evaluate_picture
from export.parity.verify import Parity, verify_bundle
from export.runtimes.registry import RUNTIMES
from train.common.errors import DataError, ExportError
from train.image.decode import Picture, decode_bytes, read_picture_file
from train.image.marks.read import read_marks
from train.image.view import apply_view

if TYPE_CHECKING:
    from train.evaluate.metrics import Metrics
    from train.evaluate.report.build import Reported

PictureLike = str | Path | bytes | np.ndarray
"""A picture: its path, the bytes of its file, or RGB pixels uint8 [H, W, 3] that stand upright."""


@dataclass(frozen=True)
class Detection:
    """What a detector says about one picture.

    `label` is "real", "unsure" or "fake" and `probability` that of "fake", 0..1, both of the most suspicious face; None
    where every face is too small. `threshold` is the probability from which the operating point says "fake".
    `heatmap` is float32 [h, w], 0..1: where the evidence for "fake" lies. `faces` has every square that was looked at;
    `notes` are sentences for a person; `evidence` is what the file says about itself, empty for bare pixels.
    """

    label: str | None
    probability: float | None
    threshold: float | None
    heatmap: np.ndarray | None
    faces: tuple[FaceResult, ...]
    notes: tuple[str, ...]
    evidence: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Detector:
    """An opened detector, for one thread at a time. Make one with `open_detector`."""

    opened: inference.LoadedDetector

    @property
    def description(self) -> Description:
        """What the detector file says about itself: view, operating points, what was in training, licences."""
        return self.opened.description

    @property
    def size(self) -> int:
        """The side S of the views that the model takes, in pixels."""
        return self.opened.view.size

    def detect(self, picture: PictureLike, *, at: str = BALANCED) -> Detection:
        """Classify one picture at an operating point of the detector.

        Raises DataError where the picture cannot be read, ExportError for an unknown operating point.
        """
        name, data, decoded = _read(picture)
        found = evaluate_picture(self.opened, decoded, name, operating_point=at)
        verdict = found.worst.verdict if found.worst else None
        rows = read_marks(data, hidden=True).rows if data is not None else ()
        notes = (*found.notes, *(face.note for face in found.faces if face.note), *(verdict.notes if verdict else ()))
        return Detection(
            label=verdict.label if verdict else None,
            probability=verdict.probability if verdict else None,
            threshold=verdict.threshold if verdict else None,
            heatmap=verdict.heatmap if verdict else None,
            faces=found.faces,
            notes=notes,
            evidence=tuple(asdict(row) for row in rows),
        )

    def view(self, picture: PictureLike) -> np.ndarray:
        """The pixels that the model gets for a picture, uint8 [S, S, 3]; of several faces those of the most suspicious.

        Raises DataError where the picture cannot be read or every face is too small.
        """
        name, _, decoded = _read(picture)
        face = evaluate_picture(self.opened, decoded, name).worst
        if face is None:
            raise DataError(f"{name}: every face is too small to classify: {LARGER}.")
        return apply_view(face.view, decoded, face.eyes)

    def scores(self, views: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of "fake", float32 [N], 0..1, of views uint8 [N, S, S, 3] as `view` makes them.

        Raises DataError for another shape or type.
        """
        views = np.asarray(views)
        if views.dtype != np.uint8 or views.ndim != 4 or views.shape[1:] != (self.size, self.size, 3):
            raise DataError(
                f"scores() takes uint8 [N, {self.size}, {self.size}, 3] and got {views.dtype} {list(views.shape)}: "
                "make views with view()."
            )
        if not len(views):
            return np.zeros(0, np.float32)
        return np.concatenate([self.opened.run(one[np.newaxis]).scores[:, 1] for one in views])


def open_detector(path: str | Path | None = None) -> Detector:
    """Open a `.tflite` of Fauxlens or a bundle; without a path the detector that comes with Fauxlens.

    Raises ExportError where the file is missing, damaged, or no detector.
    """
    return Detector(inference.load_detector(detector_path(None if path is None else _named(path))))


def verify(bundle: str | Path, *, variant: str | None = None, runtime: str = "litert") -> Parity:
    """Check stage by stage whether a bundle's detector gives on a runtime of this machine the scores it was trained to.

    `variant` is the bundle's default where it is None. Raises ExportError for an unknown variant or runtime and for a
    damaged bundle.
    """
    if runtime not in RUNTIMES:
        raise ExportError(f"Unknown runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}.")
    opened = read_bundle(_named(bundle))
    return verify_bundle(opened, variant=variant or opened.default, runtime=RUNTIMES[runtime])


def metrics(is_fake: npt.ArrayLike, probability: npt.ArrayLike, *, threshold: float = 0.5) -> "Metrics":
    """AUC and the other figures of the report, with 95 % intervals, from labels [N] and probabilities [N] in 0..1.

    Needs the extra `train`. Raises TrainError when a class is missing or a value is not in 0..1.
    """
    from train.evaluate.metrics import compute_metrics

    return compute_metrics(is_fake, probability, threshold)


def evaluate(
    models: Sequence[str | Path] | str | Path,
    manifest: str | Path,
    out: str | Path,
    *,
    split: Literal["test", "all"] = "test",
) -> "Reported":
    """Evaluate detectors, bundles or run folders on a manifest and write a report into `out`, as `fauxlens evaluate`.

    A folder instead of a manifest is scanned first, into `out`. `split` "all" also takes what was trained on.

    Needs the extra `train`. Raises TrainError, DataError and ExportError, each with a sentence that says what is wrong.
    """
    from export.release.evaluate import evaluate_models
    from export.release.scanned_folder import manifest_of

    chosen = [_named(one) for one in ([models] if isinstance(models, str | Path) else models)]
    scanned = manifest_of(_named(manifest), chosen, _named(out))
    return evaluate_models(chosen, scanned, _named(out), which=split)


def _named(path: str | Path) -> Path:
    """A path; Python would make the current folder of an empty one."""
    if path == "":
        raise DataError("A path is empty: name a file or a folder.")
    return Path(path)


def _read(picture: PictureLike) -> tuple[str, bytes | None, Picture]:
    """What errors call a picture, the bytes of its file if it is one, and the picture decoded."""
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
            raise DataError(f"Pixels must be uint8 [H, W, 3], RGB, and are {picture.dtype} {list(picture.shape)}.")
        return "the picture", None, Picture(picture, 1, "PNG", None, ())
    name = "the picture" if isinstance(picture, bytes) else str(picture)
    data = picture if isinstance(picture, bytes) else read_picture_file(_named(picture))
    return name, data, decode_bytes(data, name)


__all__ = ["Detection", "Detector", "evaluate", "metrics", "open_detector", "verify"]
