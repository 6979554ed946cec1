from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ela.front_ends import parse_front_end
from export.runtimes.litert import open_converted
from export.tflite import convert as converting
from export.tflite.convert import Arithmetic, convert
from export.tflite.flatbuffer import read_graph
from export.tflite.intermediates import read_intermediates, wrong_planes
from export.tflite.naming import STAGES
from export.tflite.xnnpack import count_partitions

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def names_of(tflite: bytes) -> list[str]:
    graph = read_graph(tflite)
    tensors = {t.index: t.name for o in graph.operators for t in (*o.inputs, *o.outputs)}
    return list(tensors.values())


def test_every_stage_and_layer_has_a_name_of_its_own(tiny: Tiny) -> None:
    for variant, raw in tiny.raw.items():
        names = names_of(raw)
        assert len(names) == len(set(names)), variant
        assert set(STAGES) < set(names)
        assert {"backbone/re_lu", "backbone/re_lu_3", "backbone/re_lu_3/kernel", "backbone/conv_pw_13/bias"} < set(
            names
        )
    assert {"scaled", "backbone/input", "backbone/conv_pw_13_relu"} < set(names_of(tiny.raw["ptq-int8"]))


@pytest.mark.parametrize("arithmetic", ["float32", "float16", "int8"])
def test_names_change_nothing_else(tiny: Tiny, arithmetic: Arithmetic, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = tiny.states["ptq" if arithmetic == "int8" else "float"].parts
    named = convert(parts, arithmetic)
    monkeypatch.setattr(converting, "name_tensors", lambda tflite: tflite)
    plain = convert(parts, arithmetic)
    assert set(STAGES) < set(names_of(named))
    assert not set(STAGES) & set(names_of(plain))
    assert count_partitions(named) == count_partitions(plain)
    views = tiny.bundle.references.views
    for runtime in ("litert", "litert-builtin"):
        one, other = (open_converted(model, runtime)(views) for model in (named, plain))
        np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(one.heatmaps, other.heatmaps)


def test_named_stages_hold_what_they_say(tiny: Tiny) -> None:
    views = tiny.bundle.references.views
    for variant, state in (("float32", "float"), ("ptq-int8", "ptq")):
        found = read_intermediates(tiny.raw[variant], views, STAGES)
        parts = tiny.states[state].parts
        np.testing.assert_array_equal(found["image"], views)
        np.testing.assert_array_equal(found["planes"], views)
        np.testing.assert_allclose(found["evidence"][..., 0], found["features"] @ parts.head_weights, atol=1e-4)
        np.testing.assert_allclose(found["logit"][:, 0], found["evidence"].mean((1, 2, 3)) + parts.head_bias, atol=1e-4)
        fake = 1 / (1 + np.exp(-(found["logit"][:, 0] * parts.calibration.scale + parts.calibration.bias)))
        np.testing.assert_allclose(found["scores"][:, 1], fake, atol=1e-5)
        assert found["heatmap"].max() > 0.9


def test_a_front_end_that_float16_spoils_is_found(tiny: Tiny) -> None:
    # Weights of rgb will do: what matters is what stands before them.
    views = tiny.bundle.references.views[:4]
    parts = replace(tiny.states["float"].parts, front_end=parse_front_end("ela(90)"))
    exact, half = convert(parts, "float32"), convert(parts, "float16")
    for model in (exact, half):
        assert set(STAGES) < set(names_of(model))
    assert wrong_planes(exact, "ela(90)", views) == 0
    assert wrong_planes(half, "ela(90)", views) > 0.01


def test_a_tensor_that_is_not_there_is_named(tiny: Tiny) -> None:
    from train.common.errors import ExportError

    with pytest.raises(ExportError, match="no tensor called elsewhere"):
        read_intermediates(tiny.raw["float32"], tiny.bundle.references.views[:1], ["elsewhere"])
