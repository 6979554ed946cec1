"""The Keras states of a run, each with what turns it into a detector."""

from dataclasses import dataclass
from typing import Any

from ela.front_ends import parse_front_end
from export.quantize.fake_quant import load_quantised, quantised_backbone
from export.tflite.convert import GraphParts
from train.evaluate.calibration import OperatingPoints
from train.evaluate.selection import Pair
from train.fit.loop import load_model
from train.fit.run_folder import STATES, Run, has_state, read_state
from train.model import backbone_of, features_layer, head_of, hidden_of


@dataclass(frozen=True)
class KerasState:
    """One trained state: its classifier, the parts of its detector, its thresholds, and the layer Grad-CAM looks at."""

    name: str
    model: Any
    parts: GraphParts
    points: OperatingPoints
    seen: tuple[Pair, ...]
    cam_layer: str


def load_states(run: Run) -> dict[str, KerasState]:
    """Load every finished state of a run, `float` first; raises TrainError when not even that is finished."""
    read_state(run, "float")
    return {name: load_keras_state(run, name) for name in STATES if has_state(run, name)}


def load_keras_state(run: Run, name: str) -> KerasState:
    """Load one state of a run by its name (`float`, `ptq` or `qat`); raises TrainError when it is not finished."""
    state = read_state(run, name)
    model = load_model(run) if name == "float" else load_quantised(run, name)
    weights, bias = head_of(model)
    parts = GraphParts(
        front_end=parse_front_end(run.recipe.model.front_end),
        backbone=backbone_of(model) if name == "float" else quantised_backbone(model),
        head_weights=weights,
        head_bias=bias,
        calibration=state.calibration,
        size=run.view.size,
        hidden=hidden_of(model),
    )
    return KerasState(name, model, parts, state.points, state.seen, features_layer(model).name)
