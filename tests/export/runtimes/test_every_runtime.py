"""Every runtime that guarantees more than decisions, on the same bundles: a small one made here and the shipped one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.bundle import Bundle, read_bundle
from export.inference.detect_files import SHIPPED
from export.parity.verify import verify_bundle
from export.runtimes.interface import LAST_BIT, Runtime
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

# A phone is at hand nowhere; what speaks to it is tested in test_device.py.
TESTED = [name for name, runtime in RUNTIMES.items() if runtime.guarantee != "decisions" and name != "device"]


@pytest.fixture(params=TESTED)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    found = RUNTIMES[request.param]
    if (reason := found.missing()) is not None:
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return read_bundle(SHIPPED)


@pytest.mark.parametrize("variant", ["float32", "ptq-int8"])
def test_it_gives_litert_s_bits(tiny: Tiny, runtime: Runtime, variant: str) -> None:
    views = tiny.bundle.references.views
    output, expected = (one.call(tiny.sealed[variant], views) for one in (runtime, RUNTIMES["litert"]))
    last_bit = LAST_BIT if runtime.guarantee == "last-bit" else 0.0
    rounding = last_bit if variant == "ptq-int8" else tiny.bundle.tolerances.float_rounding
    assert output.scores.dtype == output.heatmaps.dtype == np.float32
    np.testing.assert_allclose(output.scores, expected.scores, rtol=0, atol=rounding)
    np.testing.assert_allclose(output.heatmaps, expected.heatmaps, rtol=0, atol=rounding)


def test_what_was_trained_is_what_runs(tiny: Tiny, runtime: Runtime) -> None:
    parity = verify_bundle(tiny.bundle, variant="ptq-int8", runtime=runtime)
    assert parity.flips == 0
    assert parity.passed, parity.sentence


def test_the_shipped_detector_gives_the_bits_that_it_ships_with(shipped: Bundle, runtime: Runtime) -> None:
    parity = verify_bundle(shipped, variant=shipped.default, runtime=runtime)
    assert parity.passed, parity.sentence
    output = runtime.call(shipped.variants[shipped.default], shipped.references.views)
    last_bit = LAST_BIT if runtime.guarantee == "last-bit" else 0.0
    expected = shipped.references.stages[f"tflite/{shipped.default}"]
    np.testing.assert_allclose(output.scores[:, 1], expected, rtol=0, atol=last_bit)
    maps = shipped.references.heatmaps[f"tflite/{shipped.default}"]
    np.testing.assert_allclose(output.heatmaps, maps, rtol=0, atol=last_bit)


def test_the_references_can_tell_one_arithmetic_from_another(shipped: Bundle) -> None:
    tflite, references = shipped.variants[shipped.default], shipped.references
    builtin = RUNTIMES["litert-builtin"].call(tflite, references.views)
    assert (builtin.scores[:, 1] != references.stages[f"tflite/{shipped.default}"]).any()
    assert np.ptp(references.stages["keras-float"]) > 0.75


@pytest.mark.parametrize("name", ["apk", "arm64", "jvm", "mediapipe", "browser"])
def test_a_damaged_file_is_refused_before_anything_is_started(
    tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"export.runtimes.{name}.missing", lambda: "must not be asked")
    with pytest.raises(ExportError, match="damaged"):
        RUNTIMES[name].call(tiny.sealed["ptq-int8"][:-1] + b"x", tiny.bundle.references.views)
