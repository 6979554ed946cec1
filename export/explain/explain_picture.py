"""What can be shown of how a detector came to a score, picture by picture.

A detector file offers what its graph computes: the heatmap, and the planes of its front end. A run folder offers more,
by the Keras model: other maps as second opinions, integrated gradients and activations. All of it tells where the
score came from; none of it tells where a picture was changed (SENTENCE, which goes with every explanation).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from export.inference.detect_files import detector_path
from export.inference.detector import LoadedDetector, Verdict, detect, load_detector
from export.inference.overlay import source_square
from export.inference.planes import PreprocessingSpec, draw_planes, preprocessing_of
from train.common.errors import ExportError
from train.image.decode import Picture
from train.image.view import Eyes, View

if TYPE_CHECKING:
    from export.explain.attributions import Activation, IntegratedGradients
    from export.explain.run_detector import Classifier

SENTENCE = "A heatmap shows where the score came from, not where a picture was changed."

OFFERED_BY_ALL = ("heatmap", "overlay", "planes")
MAPS = ("gradcam", "gradcam++", "scorecam")
OFFERED_BY_RUNS = (*MAPS, "integrated-gradients", "activations")
OFFERED = OFFERED_BY_ALL + OFFERED_BY_RUNS


@dataclass(frozen=True)
class ExplainedModel:
    """What is explained: a detector, how it looks at a picture, and its Keras classifier if it came from a run."""

    path: Path
    detector: LoadedDetector
    preprocessing: PreprocessingSpec
    classifier: "Classifier | None"

    def through(self, view: View) -> "ExplainedModel":
        """The same subject looking through another view of the same size."""
        return replace(
            self, detector=replace(self.detector, view=view), preprocessing=replace(self.preprocessing, view=view)
        )


@dataclass(frozen=True)
class HeatmapSpread:
    """How a heatmap's cells are spread: their mean, 0..1, the share of them above a half, and where the strongest is
    (row, column from the top left, counted from 0); the last is None for an empty heatmap, the others 0."""

    mean: float
    above_half: float
    strongest: tuple[int, int] | None


@dataclass(frozen=True)
class CellEvidence:
    """What each place adds to the logit, float32 [h, w], negative for "real"; the logit is its mean plus `bias`."""

    cells: np.ndarray
    bias: float

    @property
    def logit(self) -> float:
        """The logit of "fake", before calibration."""
        return float(self.cells.mean()) + self.bias


@dataclass(frozen=True)
class Explanation:
    """What was asked for of one picture; what was not asked for is None or empty.

    `square` uint8 [side, side, 3] is what the view takes of the picture, in the picture's own resolution; `planes` has
    the text of each part of the front end and what the backbone sees of it, uint8 [S, S, 3]; `maps` has the maps of
    MAPS, float32 [h, w], not normalised.
    """

    verdict: Verdict
    spread: HeatmapSpread
    square: np.ndarray
    planes: tuple[tuple[str, np.ndarray], ...]
    evidence: CellEvidence | None
    maps: dict[str, np.ndarray]
    gradients: "IntegratedGradients | None"
    activations: "tuple[Activation, ...]"


def open_subject(model: Path | None) -> ExplainedModel:
    """Open a detector file, a bundle or a run folder, the shipped detector where none is named.

    Only a run folder brings TensorFlow. Raises ExportError or TrainError for what cannot be opened.
    """
    path = detector_path(model)
    if path.is_dir():
        from export.explain.run_detector import open_run_detector

        detector, classifier, _ = open_run_detector(path)
        return ExplainedModel(path, detector, preprocessing_of(detector.description, str(path)), classifier)
    detector = load_detector(path)
    return ExplainedModel(path, detector, preprocessing_of(detector.description, str(path)), None)


def parts_to_show(subject: ExplainedModel, asked: str | None) -> tuple[str, ...]:
    """What to show, in the order of OFFERED: all that the model offers, or the names in `asked`, parted by commas.

    Of `rgb` the planes are the view itself, so they are shown only when asked for. Raises ExportError for a name that
    does not exist, none at all, or what only a run folder offers.
    """
    if asked is None:
        own = OFFERED_BY_ALL if subject.preprocessing.front_end.text != "rgb" else ("heatmap", "overlay")
        return own if subject.classifier is None else own + OFFERED_BY_RUNS
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if unknown := [name for name in names if name not in OFFERED] or ([] if names else [asked]):
        raise ExportError(f"There is no {unknown[0]!r} to show: give --what some of {','.join(OFFERED)}.")
    for name in names:
        if name in OFFERED_BY_RUNS and subject.classifier is None:
            raise ExportError(
                f"{subject.path} cannot show {name}, which needs the Keras model: name a run folder with --model."
            )
    return tuple(name for name in OFFERED if name in names)


def explain_picture(
    subject: ExplainedModel,
    picture: Picture,
    what: tuple[str, ...],
    *,
    operating_point: str,
    eyes: Eyes | None = None,
    side: int = 384,
) -> Explanation:
    """Evaluate one picture and gather what was asked for; `side` is that of `square` in pixels.

    Raises DataError where the view cannot be taken, ExportError as `detect` does.
    """
    verdict = detect(subject.detector, picture, operating_point=operating_point, eyes=eyes)
    parts = subject.preprocessing.parts
    drawn = np.split(draw_planes(subject.preprocessing, picture, eyes), len(parts), axis=1)
    evidence, gradients = None, None
    maps: dict[str, np.ndarray] = {}
    active: tuple[Activation, ...] = ()
    if subject.classifier is not None:
        from export.explain.attributions import activations, blank_planes, integrated_gradients
        from export.parity.gradcam import grad_cam, grad_cam_plus_plus, score_cam

        model, seen = subject.classifier.model, np.concatenate(drawn, axis=2)
        blank = blank_planes(subject.preprocessing.front_end, len(seen))
        if (cells := subject.classifier.evidence(seen)) is not None:
            evidence = CellEvidence(cells, subject.classifier.bias)
        last = subject.classifier.last_layer
        if "gradcam" in what:
            maps["gradcam"] = grad_cam(model, seen[np.newaxis], last)[0]
        if "gradcam++" in what:
            maps["gradcam++"] = grad_cam_plus_plus(model, seen[np.newaxis], last)[0]
        if "scorecam" in what:
            maps["scorecam"] = score_cam(model, seen[np.newaxis], last, blank)[0]
        if "integrated-gradients" in what:
            gradients = integrated_gradients(subject.classifier.gradient, seen, blank)
        if "activations" in what:
            active = activations(model, seen, subject.classifier.shown)
    return Explanation(
        verdict=verdict,
        spread=spread_of(verdict.heatmap),
        square=source_square(subject.detector.view, picture, eyes, side),
        planes=tuple(zip(parts, drawn, strict=True)) if "planes" in what else (),
        evidence=evidence,
        maps=maps,
        gradients=gradients,
        activations=active,
    )


def spread_of(heatmap: np.ndarray) -> HeatmapSpread:
    """Sum up a heatmap, float32 [h, w], 0..1."""
    if not heatmap.any():
        return HeatmapSpread(0.0, 0.0, None)
    row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    return HeatmapSpread(float(heatmap.mean()), float((heatmap > 0.5).mean()), (int(row), int(column)))


def cosine_if_any(one: np.ndarray, other: np.ndarray) -> float | None:
    """Cosine of two maps of zero or more, 0..1; None where one of them is empty and there is nothing to compare."""
    first, second = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    return None if lengths == 0 else min(1.0, float(first @ second) / lengths)
