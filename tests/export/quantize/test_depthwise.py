from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from export.quantize.fake_quant import fake_quantise
from train.common.errors import TrainError
from train.recipe import Scales, parse_recipe

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

RECIPE: dict[str, Any] = {
    "title": "x",
    "data": {"view": "upright|square|resize(32)", "generators": ["camera"]},
    "model": {},
    "stages": [{"name": "learn", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
}


@pytest.mark.parametrize(("scales", "wanted"), [("per-channel", [8, 16]), ("per-tensor", [1, 1])])
def test_depthwise_weights_have_as_many_ranges_as_asked_for(tiny: Tiny, scales: Scales, wanted: list[int]) -> None:
    model = fake_quantise(tiny.states["float"].model, scales)
    layers = [layer for layer in model.layers if "depthwise" in layer.name]
    # tfmot keeps the kernel, its quantiser and the quantiser's variables here.
    ranges = [int(np.prod(ends["max_var"].shape)) for layer in layers for _, _, ends in layer._weight_vars]
    assert ranges == wanted


def test_the_recipe_says_which() -> None:
    assert parse_recipe(RECIPE, "r").quantize.depthwise == "per-channel"
    assert parse_recipe(RECIPE | {"quantize": {"depthwise": "per-tensor"}}, "r").quantize.depthwise == "per-tensor"
    with pytest.raises(TrainError, match=r"quantize\.depthwise = 'per-layer'"):
        parse_recipe(RECIPE | {"quantize": {"depthwise": "per-layer"}}, "r")
