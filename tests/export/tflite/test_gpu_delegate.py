from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from export.tflite.gpu_delegate import gpu_note

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def test_of_a_detector_only_the_cast_of_its_bytes_is_left(tiny: Tiny) -> None:
    for raw in tiny.raw.values():
        assert gpu_note(raw).endswith("the delegate leaves to the CPU: 1 CAST from UINT8 to FLOAT32")


def converted(build: Any, shape: list[int]) -> bytes:
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    signature = [tf.TensorSpec(shape, tf.float32)]
    function = tf.function(lambda x: build(tf, x), input_signature=signature).get_concrete_function()
    data: bytes = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module()).convert()
    return data


@pytest.mark.parametrize(
    ("build", "note"),
    [
        (lambda tf, x: tf.tanh(x * 2.0), "all 2 operators are of kinds that the delegate takes"),
        (lambda tf, x: tf.math.top_k(x, 2).values, "of 1 operators the delegate leaves to the CPU: 1 TOPK_V2"),
        (lambda tf, x: tf.cast(tf.cast(x, tf.int64), tf.float32), "1 CAST from FLOAT32 to INT64, 1 CAST from INT64"),
        (lambda tf, x: tf.cast(tf.cast(x, tf.int32), tf.float32), "all 2 operators"),
    ],
)
def test_operators_that_gpus_lack_are_told(build: Any, note: str) -> None:
    assert note in gpu_note(converted(build, [1, 8]))
