"""What a Keras state of a run says of itself, once it is a detector."""

import platform

import polars as pl

from export.artifacts.description import CalibrationNote, Description
from export.quantize.states import KerasState
from train.fit.run_folder import Run, installed_versions


def describe(run: Run, seen: pl.DataFrame, variant: str, state: KerasState) -> Description:
    """The description of a detector made of a state; `seen` are rows (generator, source) of what was in training."""
    _, height, width, _ = state.parts.backbone.output_shape
    points = state.points
    return Description(
        name=run.recipe.title,
        variant=variant,
        view=run.view.text,
        unclear_faces=run.recipe.data.unclear_faces,
        front_end=state.parts.front_end.text,
        size=run.view.size,
        heatmap=(height, width),
        operating_points={"balanced": points.balanced, "fpr-1%": points.fpr_1, "fpr-0.5%": points.fpr_05},
        unsure=points.unsure,
        calibration=CalibrationNote(state.parts.calibration.scale, state.parts.calibration.bias),
        generators_seen=tuple(sorted(set(seen["generator"]))),
        sources_seen=tuple(sorted(set(seen["source"]))),
        training_sha256=run.manifest_sha256,
        created_by={"python": platform.python_version(), **installed_versions()},
        licences=run.recipe.data.licences,
    )
