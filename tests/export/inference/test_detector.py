from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from export.artifacts.description import OPERATING_POINTS
from export.inference.detector import decision_at, detect, detector_from, load_detector
from export.inference.records import about
from train.common.errors import ExportError
from train.evaluate.decision import LABELS, Decision
from train.image.decode import Picture, decode_bytes

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny

shares = st.floats(0, 1, width=32)
decisions = st.tuples(shares, shares).map(lambda pair: Decision(max(pair), min(pair)))


@given(ps=st.tuples(shares, shares).map(sorted), decided=decisions, point=st.sampled_from(OPERATING_POINTS))
def test_only_the_chosen_point_decides(describe: Describe, ps: list[float], decided: Decision, point: str) -> None:
    others = dict.fromkeys(OPERATING_POINTS, Decision(0.5, 0.25))
    one = describe(operating_points=others | {point: decided})
    labels = [decision_at(one, p, point) for p in ps]
    for p, label in zip(ps, labels, strict=True):
        assert (label == "fake") == (p >= decided.fake_from)
        assert (label == "real") == (p < decided.unsure_from)
    assert LABELS.index(labels[0]) <= LABELS.index(labels[1]), "a higher probability never sounds milder"


def test_an_unknown_operating_point_is_refused(describe: Describe) -> None:
    with pytest.raises(ExportError, match=r"balanced, fpr-1%, fpr-0\.5%"):
        decision_at(describe(), 0.5, "strict")


def test_detect_gives_the_score_of_the_reference(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(tiny.sealed["ptq-int8"])
    detector = load_detector(path)
    references = tiny.bundle.references
    for index, name in enumerate(references.names):
        verdict = detect(detector, decode_bytes(references.pictures[index], name))
        assert verdict.probability == references.stages["tflite/ptq-int8"][index]
        assert verdict.label == decision_at(detector.description, verdict.probability)
        np.testing.assert_array_equal(verdict.heatmap, references.heatmaps["tflite/ptq-int8"][index])
        np.testing.assert_array_equal(verdict.view, references.views[index])


def test_a_bundle_opens_as_its_default_variant(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(tiny.bundle_bytes)
    assert load_detector(path).description.variant == "ptq-int8"


def test_json_names_generators_and_no_camera_among_them(tiny: Tiny, describe: Describe) -> None:
    seen = (("camera", "studio"), ("gan-a", "b"), ("gan-a", "c"))
    detector = replace(detector_from(tiny.sealed["float32"], "x"), description=describe(seen=seen))
    assert about(detector, Path("x"))["generators_seen"] == ["gan-a"]


def test_an_enlarged_picture_gets_a_note(tiny: Tiny) -> None:
    detector = detector_from(tiny.sealed["float32"], "x")
    small = Picture(np.full((20, 40, 3), 90, np.uint8), 1, "PNG", None, ("Palette expanded.",))
    notes = detect(detector, small).notes
    assert notes[0] == "Palette expanded."
    assert "20 pixels" in notes[1]
    assert detect(detector, Picture(np.full((32, 32, 3), 90, np.uint8), 1, "PNG", None, ())).notes == ()


def test_what_is_no_detector_is_refused_by_name(tiny: Tiny, tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 40)).save(picture, "PNG")
    contents = {"empty.tflite": b"", "picture.tflite": picture.getvalue(), "raw.tflite": tiny.raw["float32"]}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    for path in [*(tmp_path / name for name in contents), tmp_path, tmp_path / "absent.tflite"]:
        with pytest.raises(ExportError) as caught:
            load_detector(path)
        assert str(path) in str(caught.value)


def test_a_description_that_contradicts_the_model_is_refused(tiny: Tiny, describe: Describe) -> None:
    from export.artifacts.metadata import attach

    for changes in ({"heatmap": (7, 7)}, {"view": "upright|resize(33)"}, {"view": "crop(3)"}):
        with pytest.raises(ExportError):
            detector_from(attach(tiny.raw["float32"], describe(**changes)), "x")


def test_importing_the_detector_pulls_in_nothing_heavy() -> None:
    heavy = "tensorflow tf_keras cv2 scipy polars sklearn matplotlib jinja2 flatbuffers"
    code = (
        "import sys, export.inference.detector, export.inference.overlay, export.artifacts.bundle\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert run.stdout.strip() == "[]"
