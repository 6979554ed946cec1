"""What `fauxlens detect` runs: open a detector file, give it a picture, get a verdict. No TensorFlow here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.artifacts.bundle import parse_bundle
from export.artifacts.description import BALANCED, OPERATING_POINTS, Description
from export.artifacts.finder_files import finder_record
from export.artifacts.metadata import read_description
from export.artifacts.seal import digest_of, read_file
from export.artifacts.vouched import is_shipped, vouch
from export.runtimes.litert import Run, open_detector_file
from train.common.errors import DataError, ExportError
from train.evaluate.decision import Label
from train.image.decode import Picture
from train.image.view import Eyes, View, apply_view, parse_view, square_in


@dataclass(frozen=True)
class LoadedDetector:
    """An opened detector file; `run` is the loaded model, for one thread at a time."""

    description: Description
    view: View
    run: Run


@dataclass(frozen=True)
class Verdict:
    """What a detector says about one picture.

    `label` is "real", "fake" or "unsure"; `probability` is P(fake), 0..1, `threshold` the one of `operating_point`.
    `heatmap` float32 [h, w], 0..1: what spoke for fake, all zero where nothing did. `view` uint8 [S, S, 3] is what the
    model saw. `notes` has a sentence for each thing a person should know about how the picture was read.
    """

    label: str
    probability: float
    operating_point: str
    threshold: float
    heatmap: np.ndarray
    view: np.ndarray
    notes: tuple[str, ...]


def load_detector(path: Path) -> LoadedDetector:
    """Open a `.tflite` made by Fauxlens, or a bundle's default variant. Raises ExportError as `read_detector`."""
    return detector_from(read_detector(path), str(path))


def read_detector(path: Path) -> bytes:
    """The bytes of a detector file, or of a bundle's default variant; which of the two it is, its content says.

    Raises ExportError where the path is missing or a folder, or a bundle is damaged.
    """
    data = read_file(path)
    if data[:4] != b"PK\x03\x04":
        return data
    bundle = parse_bundle(data, str(path))
    chosen = bundle.variants[bundle.default]
    if is_shipped(path):
        vouch(digest_of(chosen))
    return chosen


def detector_from(tflite: bytes, name: str) -> LoadedDetector:
    """Open the bytes of a sealed detector file; `name` is what errors call it. Raises ExportError as open_detector."""
    description = read_description(tflite, name)
    try:
        view = parse_view(description.view)
    except DataError as error:
        raise ExportError(f"{name} has a view that this version of Fauxlens does not know: {error}") from error
    if view.size != description.size:
        raise ExportError(
            f"{name} declares size {description.size} but its view is {view.text}; export the detector again."
        )
    if description.face_finder is not None and dict(description.face_finder) != finder_record(view.text):
        raise ExportError(
            f"{name} was trained with a different face finder than this version of Fauxlens has (the SHA-256 of its "
            "files differ); "
            "update Fauxlens, or export the detector again."
        )
    run = open_detector_file(tflite, name=name)
    probe = run(np.zeros((1, view.size, view.size, 3), np.uint8))
    if probe.heatmaps.shape[1:] != description.heatmap:
        raise ExportError(
            f"{name} declares a heatmap of {list(description.heatmap)} but the model gives "
            f"{list(probe.heatmaps.shape[1:])}; export the detector again."
        )
    return LoadedDetector(description, view, run)


def detect(
    detector: LoadedDetector, picture: Picture, *, operating_point: str = BALANCED, eyes: Eyes | None = None
) -> Verdict:
    """Evaluate one picture; `eyes` are needed where the view has face(k).

    Raises ExportError for an unknown operating point and for a model that gives no number, DataError where the view
    cannot be taken.
    """
    description = detector.description
    threshold = threshold_of(description, operating_point)
    view = apply_view(detector.view, picture, eyes)
    output = detector.run(view[np.newaxis])
    probability = float(output.scores[0, 1])
    if not np.isfinite(output.scores).all() or not np.isfinite(output.heatmaps).all():
        raise ExportError(f"The detector {description.name} gave no finite score; train and export it again.")
    return Verdict(
        label=decision_at(description, probability, operating_point),
        probability=probability,
        operating_point=operating_point,
        threshold=threshold,
        heatmap=output.heatmaps[0],
        view=view,
        notes=(*picture.notes, *_notes(detector, picture, eyes)),
    )


def threshold_of(description: Description, operating_point: str) -> float:
    """The threshold on P(fake) of an operating point; ExportError for one that does not exist."""
    if operating_point not in OPERATING_POINTS:
        raise ExportError(f"Unknown operating point '{operating_point}'; choose one of {', '.join(OPERATING_POINTS)}.")
    return description.operating_points[operating_point].fake_from


def decision_at(description: Description, probability: float, operating_point: str = BALANCED) -> Label:
    """The decision for P(fake) at an operating point; ExportError for one that does not exist."""
    threshold_of(description, operating_point)
    return description.operating_points[operating_point].label(probability)


def _notes(detector: LoadedDetector, picture: Picture, eyes: Eyes | None) -> tuple[str, ...]:
    size = detector.view.size
    if detector.view.needs_eyes:
        shorter, where = square_in(detector.view, 0, 0, eyes)[2], "wide around this face"
    else:
        shorter, where = min(picture.pixels.shape[:2]), "on its shorter side"
    if shorter >= size:
        return ()
    return (f"The picture is {shorter} pixels {where} and was enlarged to {size}: the result is less reliable.",)
