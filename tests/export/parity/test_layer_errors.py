from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.metadata import attach
from export.parity.layer_errors import (
    COLUMNS,
    LayerError,
    compare_layers,
    first_fallen,
    layer_cells,
    layer_errors_document,
    verdict,
)
from export.quantize.states import KerasState
from export.tflite.convert import GraphParts, convert
from tests.export.conftest import make_description
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

LAYERS = ["backbone/re_lu", "backbone/re_lu_1", "backbone/re_lu_2", "backbone/re_lu_3"]


def compare(tiny: Tiny, variant: str, state: KerasState) -> list[LayerError]:
    references = tiny.bundle.references
    return compare_layers(state, tiny.sealed[variant], references.views[:4], references.names[:4])


def test_a_faithful_conversion_has_no_layer_that_falls_off(tiny: Tiny) -> None:
    for variant, state in (("float32", "float"), ("ptq-int8", "ptq")):
        errors = compare(tiny, variant, tiny.states[state])
        assert first_fallen(errors) is None
        assert verdict(errors).startswith("No layer falls off")
        assert min(error.snr for error in errors) > (80 if variant == "float32" else 25)
        assert min(error.cosine for error in errors) > 0.999


def test_layers_stand_in_the_order_they_run(tiny: Tiny) -> None:
    names = [error.name for error in compare(tiny, "ptq-int8", tiny.states["ptq"])]
    wanted = [
        "planes",
        "scaled",
        "backbone/input",
        *LAYERS,
        "backbone/conv_pw_13_relu",
        "features",
        "evidence",
        "logit",
    ]
    assert names == wanted
    errors = compare(tiny, "ptq-int8", tiny.states["ptq"])
    # uint8 planes and one int8 step a grey level: up to the first convolution nothing is rounded.
    assert math.isinf(errors[0].snr)
    assert errors[2].snr > 60


@pytest.mark.parametrize(
    ("ratios", "fallen"),
    [
        ([math.inf, 59.0, 47.0, 40.0, 35.0, 30.5, 26.0, 20.0, 13.0, 22.0], None),  # rounding, as it adds up
        ([math.inf, 133.0, 41.0, 36.0], None),  # dynamic range, from its first quantised layer on
        ([math.inf, 40.0, 31.0, 45.0, 24.0], None),  # a gate of the same loss between
        ([math.inf, 59.0, 47.0, 29.0, 28.0], 3),
        ([math.inf, 59.0, 12.0, 11.0], 2),
        ([math.inf, 20.0, 19.0], 1),
        ([math.inf, 59.0, 21.0, 15.0, 9.0, 4.0, 3.0], 2),
        ([math.inf, 35.0, 26.0, 18.0, 11.0, 4.0, 3.0], 5),
        ([-math.inf, 59.0], 0),
    ],
)
def test_a_sudden_loss_is_told_from_rounding(ratios: list[float], fallen: int | None) -> None:
    errors = [LayerError(f"l{i}", ratio, 1.0, "a.jpg", ratio) for i, ratio in enumerate(ratios)]
    found = first_fallen(errors)
    assert (found and errors.index(found)) == fallen
    assert ("No layer" in verdict(errors)) == (fallen is None)


@pytest.mark.parametrize("spoiled", [1, 3])
def test_the_first_layer_that_falls_off_is_named(tiny: Tiny, spoiled: int) -> None:
    # The Keras state gets another kernel than the one that was converted.
    state = tiny.states["ptq"]
    layer = [one for one in state.parts.backbone.layers if "conv2d" in one.name][spoiled]
    before = layer.get_weights()
    try:
        layer.set_weights([value * np.where(value.ndim >= 4, -1.0, 1.0) for value in before])
        errors = compare(tiny, "ptq-int8", state)
    finally:
        layer.set_weights(before)
    fallen = first_fallen(errors)
    assert fallen is not None
    assert fallen.name == LAYERS[spoiled]
    assert verdict(errors).startswith(f"{LAYERS[spoiled]} is the first layer that falls off: ")
    assert fallen.worst in tiny.bundle.references.names


def test_a_model_of_other_layers_is_refused(tiny: Tiny) -> None:
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    image = tf.keras.layers.Input((32, 32, 3))
    other = tf.keras.Model(image, tf.keras.layers.Conv2D(24, 1, 4, name="alone")(image))
    state = tiny.states["float"]
    foreign = replace(state, parts=replace(state.parts, backbone=other))
    with pytest.raises(ExportError, match="none of the layers"):
        compare(tiny, "float32", foreign)


def test_the_table_is_plain(tiny: Tiny) -> None:
    errors = compare(tiny, "ptq-int8", tiny.states["ptq"])
    plain = json.loads(json.dumps(layer_errors_document(errors), allow_nan=False))
    assert plain["verdict"] == verdict(errors)
    assert plain["layers"][0]["snr"] is None
    assert {len(layer_cells(error)) for error in errors} == {len(COLUMNS)}
    assert layer_cells(errors[0])[1] == "equal"


def test_a_dead_bias_leaves_the_logit_its_name(tiny: Tiny) -> None:
    parts: GraphParts = replace(tiny.states["float"].parts, head_bias=0.0)
    state = replace(tiny.states["float"], parts=parts)
    references = tiny.bundle.references
    errors = compare_layers(
        state, attach(convert(parts, "float32"), make_description()), references.views[:2], references.names[:2]
    )
    assert errors[-1].name == "logit"
    assert errors[-1].snr > 60
