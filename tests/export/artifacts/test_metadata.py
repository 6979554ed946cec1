from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.artifacts.metadata import attach, read_description
from export.artifacts.seal import write_sealed
from export.runtimes.litert import RESOLVERS, open_converted, open_detector_file
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny


def test_the_description_comes_back(tiny: Tiny, describe: Describe) -> None:
    for variant, sealed in tiny.sealed.items():
        assert read_description(sealed) == describe(variant)


def test_the_same_input_gives_the_same_bytes(tiny: Tiny, describe: Describe) -> None:
    for variant, raw in tiny.raw.items():
        assert attach(raw, describe(variant), author="tests") == tiny.sealed[variant]


def test_outputs_are_the_same_before_and_after(tiny: Tiny) -> None:
    views = tiny.bundle.references.views
    for variant, raw in tiny.raw.items():
        for runtime in RESOLVERS:
            before = open_converted(raw, runtime)(views)
            after = open_detector_file(tiny.sealed[variant], runtime)(views)
            np.testing.assert_array_equal(before.scores, after.scores)
            np.testing.assert_array_equal(before.heatmaps, after.heatmaps)


def weights(tflite: bytes) -> list[tuple[int, bytes]]:
    """Each buffer's position modulo 16 and content, by the generated reader."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(tflite, 0)
    found = []
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if not buffer.DataIsNone():
            data = buffer.DataAsNumpy()
            start = data.__array_interface__["data"][0] - np.frombuffer(tflite, np.uint8).__array_interface__["data"][0]
            found.append((start % 16, data.tobytes()))
    return found


def test_weights_keep_their_content_and_alignment(tiny: Tiny) -> None:
    for variant, raw in tiny.raw.items():
        before, after = weights(raw), weights(tiny.sealed[variant])
        assert after[:-1] == before
        assert after[-1][0] == 0


def test_associated_files_are_a_stored_zip(tiny: Tiny) -> None:
    with zipfile.ZipFile(io.BytesIO(tiny.sealed["ptq-int8"])) as archive:
        assert archive.namelist() == ["labels.txt", "fauxlens.json"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read("labels.txt") == b"real\nfake\n"


def test_sealing_twice_is_refused(tiny: Tiny, describe: Describe) -> None:
    with pytest.raises(ExportError, match="already has TFLite metadata"):
        attach(tiny.sealed["float32"], describe())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_changed_byte_anywhere_is_refused(tiny: Tiny, data: st.DataObject) -> None:
    sealed = bytearray(tiny.sealed["ptq-int8"])
    index = data.draw(st.integers(0, len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ExportError):
        open_detector_file(bytes(sealed))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_cut_or_lengthened_file_is_refused(tiny: Tiny, data: st.DataObject) -> None:
    sealed = tiny.sealed["ptq-int8"]
    cut = data.draw(st.integers(0, len(sealed) - 1))
    for wrong in (sealed[:cut], sealed[cut:][: len(sealed) - 1], sealed + sealed[:cut] + b"x"):
        with pytest.raises(ExportError):
            read_description(wrong)


@pytest.mark.parametrize("length", [0, 3, 64, 5000])
def test_garbage_is_refused(length: int) -> None:
    noise = random.Random(length).randbytes(length)
    for data in (noise, b"\x1c\0\0\0TFL3" + noise):
        with pytest.raises(ExportError):
            RUNTIMES["litert"].call(data, np.zeros((1, 32, 32, 3), np.uint8))


def test_a_sealed_file_without_our_description_is_refused(tiny: Tiny) -> None:
    model = write_sealed({"labels.txt": b"real\nfake\n"}, prefix=tiny.raw["float32"])
    with pytest.raises(ExportError, match=r"fauxlens\.json"):
        read_description(model)


def test_an_unsealed_model_is_refused_by_the_runtimes(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match="checksum"):
        open_detector_file(tiny.raw["float32"])


def test_views_of_another_size_or_type_are_refused(tiny: Tiny) -> None:
    run = open_detector_file(tiny.sealed["float32"])
    for views in (
        np.zeros((1, 31, 32, 3), np.uint8),
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), "u1"),
    ):
        with pytest.raises(ExportError, match="takes views"):
            run(views)


def test_no_views_give_empty_outputs(tiny: Tiny) -> None:
    output = open_detector_file(tiny.sealed["float32"])(np.zeros((0, 32, 32, 3), np.uint8))
    assert output.scores.shape == (0, 2)
    assert output.heatmaps.shape == (0, 8, 8)


def test_mediapipe_reads_the_metadata_and_gives_the_same_scores(tiny: Tiny) -> None:
    if (reason := RUNTIMES["mediapipe"].missing()) is not None:
        pytest.skip(reason)
    views = tiny.bundle.references.views
    for sealed in tiny.sealed.values():
        scores = RUNTIMES["mediapipe"].call(sealed, views).scores
        expected = RUNTIMES["litert"].call(sealed, views).scores
        np.testing.assert_allclose(scores, expected, rtol=0, atol=tiny.bundle.tolerances.float_rounding)
