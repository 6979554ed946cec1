"""Where a converted model leaves its Keras state: signal-to-noise ratio and cosine of every layer's output."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from export.artifacts.bundle import LINEAGE, Bundle
from export.artifacts.description import CalibrationNote
from export.artifacts.trial import admit
from export.parity.heatmap_similarity import cosine
from export.quantize.states import KerasState, load_keras_state
from export.tflite.head_graph import dense_head
from export.tflite.intermediates import read_intermediates, tensor_names
from train.common.errors import ExportError
from train.common.tf import load_tensorflow
from train.fit.run_folder import Run
from train.model import scale_pixels

PICTURES = 4
"""References looked at; a layer has thousands of values in each."""

DROP, AUDIBLE, FLOOR = 10.0, 30.0, 5.0
"""dB. A layer falls off when it loses more than DROP against the worst before it and ends below AUDIBLE, or is below
FLOOR.

Rounding adds up: int8 conversions that are right were measured to lose 12 dB in one of the first layers, which stay
above 45 dB, then one or two dB a layer and at most 7, down to 26 dB (a trained MobileNet V1) or 13 dB (one of a
quarter's width from a short training). A wrong kernel or scale costs all at once.
"""


@dataclass(frozen=True)
class LayerError:
    """One layer of the TFLite model against the same layer in Keras, over some pictures.

    snr: 10 log10 (sum of squares of Keras's values / sum of squares of the differences), in dB; infinite where all
    are equal. cosine: of all values of all pictures. `worst` is the picture of the lowest ratio, `worst_snr`.
    """

    name: str
    snr: float
    cosine: float
    worst: str
    worst_snr: float


def compare_layers(state: KerasState, tflite: bytes, views: np.ndarray, pictures: Sequence[str]) -> list[LayerError]:
    """Hold every named layer of a detector file against the Keras state it was converted from, in execution order.

    views: uint8 [N, S, S, 3], called `pictures` in the result. TFLite runs with its own kernels, which keep every
    tensor. Raises ExportError where the two have no layers in common.
    """
    admit(tflite, "the detector file")
    keras = keras_layers(state, views)
    named = tensor_names(tflite)
    both = [name for name in keras if name in named]
    if not any(name.startswith("backbone/") for name in both):
        raise ExportError("The detector has none of the layers of its Keras model; export it again.")
    lite = read_intermediates(tflite, views, both)
    return [layer_error(name, keras[name], lite[name].reshape(keras[name].shape), pictures) for name in both]


def first_fallen(errors: Sequence[LayerError]) -> LayerError | None:
    """The first layer that falls off (see DROP); None where none does.

    It is compared with the worst before it: where ways part, as around a gate, the one before is not what it takes, and
    the gate's small values are the better ones.
    """
    before = math.inf
    for error in errors:
        if error.snr < FLOOR or (error.snr < AUDIBLE and error.snr < before - DROP):
            return error
        before = min(before, error.snr)
    return None


def verdict(errors: Sequence[LayerError]) -> str:
    """One sentence on where the two depart."""
    fallen = first_fallen(errors)
    if fallen is None:
        lowest = min(errors, key=lambda error: error.snr)
        return f"No layer falls off: the lowest ratio is {decibels(lowest.snr)}, in {lowest.name}."
    index = errors.index(fallen)
    before = f" after {decibels(errors[index - 1].snr)}" if index else ""
    return (
        f"{fallen.name} is the first layer that falls off: {decibels(fallen.snr)}{before}, cosine {fallen.cosine:.4f}, "
        f"worst in {fallen.worst}."
    )


def bundle_layers(bundle: Bundle, variant: str, run: Run) -> list[LayerError]:
    """The layers of a bundle's variant on its first references, against the run that it was exported from.

    Raises ExportError for an unknown variant and where it was exported from another run, TrainError where the run lacks
    the variant's state.
    """
    if variant not in bundle.variants:
        raise ExportError(f"The bundle has no variant '{variant}'; choose one of {', '.join(sorted(bundle.variants))}.")
    description, references = bundle.descriptions[variant], bundle.references
    state = load_keras_state(run, LINEAGE[variant].removeprefix("keras-"))
    calibration = state.parts.calibration
    theirs, ours = description.calibration, CalibrationNote(calibration.scale, calibration.bias)
    if (theirs, description.view, description.front_end) != (ours, run.view.text, state.parts.front_end.text):
        raise ExportError(
            f"{run.folder} is not the run that {variant} was exported from (its calibration or view differs): name "
            "that run, or export it again."
        )
    return compare_layers(state, bundle.variants[variant], references.views[:PICTURES], references.names[:PICTURES])


def keras_layers(state: KerasState, views: np.ndarray) -> dict[str, np.ndarray]:
    """What a Keras state makes of views uint8 [N, S, S, 3], layer by layer: float32 [N, ...] by the TFLite name.

    Names are those of `export.tflite.naming`; pictures go one by one, as on a phone.
    """
    tf = load_tensorflow()
    parts = state.parts
    layers = {}
    for layer in parts.backbone.layers[1:]:  # the first is Keras's input
        if type(layer).__name__ == "QuantizeLayer":
            layers["backbone/input"] = layer.output
        else:
            layers[f"backbone/{layer.name.removeprefix('quant_')}"] = layer.output
    model = tf.keras.Model(parts.backbone.input, layers)
    call = tf.function(lambda planes: model(planes, training=False))
    planes = parts.front_end.planes(views).astype(np.float32)
    scaled = scale_pixels(planes)
    each = [call(tf.constant(one[np.newaxis])) for one in scaled]
    found: dict[str, np.ndarray] = {"planes": planes, "scaled": scaled}
    found |= {name: np.concatenate([one[name].numpy() for one in each]) for name in layers}
    features = list(found.values())[-1]
    if parts.hidden:
        # The same operations as in the file, one by one.
        logit, evidence = (
            one.numpy() for one in dense_head(features, parts.hidden, parts.head_weights, parts.head_bias)
        )
    else:
        evidence = (features @ parts.head_weights)[..., np.newaxis]
        logit = evidence.mean(axis=(1, 2)) + np.float32(parts.head_bias)
    return found | {"features": features, "evidence": evidence, "logit": logit}


def layer_errors_document(errors: Sequence[LayerError]) -> dict[str, Any]:
    """The verdict and the table for JSON, where an infinite ratio is null."""
    rows = [asdict(error) for error in errors]
    plain = [{key: None if value in (math.inf, -math.inf) else value for key, value in row.items()} for row in rows]
    return {"verdict": verdict(errors), "layers": plain}


COLUMNS = ("layer", "signal to noise", "cosine", "worst picture", "its ratio")


def layer_cells(error: LayerError) -> tuple[str, ...]:
    """A row of the table for people."""
    name, picture = error.name.removeprefix("backbone/"), error.worst.rpartition("/")[2]
    return (name, decibels(error.snr), f"{error.cosine:.6f}", picture, decibels(error.worst_snr))


def decibels(value: float) -> str:
    """A ratio for people."""
    return "equal" if math.isinf(value) else f"{value:.1f} dB"


def layer_error(name: str, keras: np.ndarray, lite: np.ndarray, pictures: Sequence[str]) -> LayerError:
    """What a tensor [N, ...] of the second runtime is away from that of the first, over N pictures."""
    each = [_ratio(one, other) for one, other in zip(keras, lite, strict=True)]
    worst = int(np.argmin(each))
    return LayerError(name, _ratio(keras, lite), cosine(keras, lite), pictures[worst], each[worst])


def _ratio(keras: np.ndarray, lite: np.ndarray) -> float:
    signal = float(np.sum(np.square(keras, dtype=np.float64)))
    noise = float(np.sum(np.square(keras.astype(np.float64) - lite)))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf
