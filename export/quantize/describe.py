"""What a Keras state of a run says of itself, once it is a detector."""

import platform

from export.artifacts.description import CalibrationNote, Description
from export.artifacts.finder_files import finder_record
from export.quantize.states import KerasState
from train.evaluate.decision import POINTS
from train.evaluate.selection import Pair
from train.fit.run_folder import Run, installed_versions


def describe(run: Run, seen: tuple[Pair, ...], variant: str, state: KerasState) -> Description:
    """The description of a detector made of a state; `seen` are the pairs that were in training."""
    _, height, width, _ = state.parts.backbone.output_shape
    return Description(
        name=run.recipe.title,
        variant=variant,
        view=run.view.text,
        unclear_faces=run.recipe.data.unclear_faces,
        front_end=state.parts.front_end.text,
        size=run.view.size,
        heatmap=(height, width),
        operating_points={name: state.points.decision(name) for name in POINTS},
        calibration=CalibrationNote(state.parts.calibration.scale, state.parts.calibration.bias),
        seen=seen,
        training_sha256=run.manifest_sha256,
        created_by={"python": platform.python_version(), **installed_versions()},
        licences=run.recipe.data.licences,
        face_finder=finder_record(run.view.text),
    )
