from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.benchmark.latency import allocate
from export.benchmark.parts import BACKBONE, FRONT, HEAD, cut_model, cut_parts
from export.tflite.flatbuffer import read_graph
from export.tflite.intermediates import read_intermediates
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def test_the_parts_of_a_detector_share_its_operators_out(tiny: Tiny) -> None:
    tflite = tiny.sealed["ptq-int8"]
    parts = cut_parts(tflite, tiny.bundle.references.views[0], "ptq-int8")
    assert [part.name for part in parts] == [FRONT, BACKBONE, HEAD]
    operators = [[one.name for one in read_graph(part.tflite).operators] for part in parts]
    assert [name for names in operators for name in names] == [one.name for one in read_graph(tflite).operators]
    assert all(one.is_int8_convolution for one in read_graph(parts[1].tflite).operators)
    assert [one for one in operators[2] if "CONV" in one] == ["CONV_2D"]


def test_parts_in_a_row_give_what_the_detector_gives_inside(tiny: Tiny) -> None:
    tflite, view = tiny.sealed["ptq-int8"], tiny.bundle.references.views[3]
    front, bare, head = cut_parts(tflite, view, "ptq-int8")
    assert np.array_equal(front.batch, view[np.newaxis])
    scale, zero = allocate(bare.tflite, 1).get_input_details()[0]["quantization"]
    inside = read_intermediates(tflite, view[np.newaxis], ["backbone/input"])["backbone/input"]
    assert np.array_equal(((bare.batch.astype(np.float32) - zero) * np.float32(scale)).astype(np.float32), inside)
    interpreter = allocate(head.tflite, 1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], head.batch)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(place["index"]) for place in interpreter.get_output_details()]
    references = tiny.bundle.references
    assert outputs[0][0, 1] == references.stages["tflite/ptq-int8"][3]
    assert np.array_equal(outputs[1][0], references.heatmaps["tflite/ptq-int8"][3])


def test_a_float_detector_has_no_int8_backbone(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match="float32 has no int8 backbone"):
        cut_parts(tiny.sealed["float32"], tiny.bundle.references.views[0], "float32")


def test_a_cut_from_end_to_end_is_the_whole_graph(tiny: Tiny) -> None:
    tflite = tiny.sealed["float32"]
    graph = read_graph(tflite)
    whole = read_graph(cut_model(tflite, [graph.inputs[0].index], [tensor.index for tensor in graph.outputs]))
    assert [one.name for one in whole.operators] == [one.name for one in graph.operators]
    assert whole.signatures == 0
