"""The sentence that sums up never claims more than the strongest row."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.inference.detector import Verdict
from export.inference.evidence import CAUTION, detector_rows, face_rows, sum_up
from export.inference.picture_result import FaceResult, PictureResult
from train.image.marks.rows import STRENGTHS, EvidenceRow, Says
from train.image.view import parse_view

if TYPE_CHECKING:
    from tests.export.conftest import Describe

VIEW = parse_view("upright|square|resize(32)")
PROOF = "verified signature"


def verdict(label: str, point: str = "balanced", probability: float = 0.9) -> Verdict:
    return Verdict(label, probability, point, 0.5, np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), ())


def picture_result(*verdicts: Verdict | None, notes: tuple[str, ...] = ()) -> PictureResult:
    faces = tuple(FaceResult(number, None, VIEW, None, one) for number, one in enumerate(verdicts, 1))
    return PictureResult(faces, True, notes)


rows = st.builds(
    EvidenceRow,
    kind=st.sampled_from(["provenance", "metadata", "traces"]),
    strength=st.sampled_from(["weak", "medium", "strong"]),
    says=st.sampled_from(["ai", "edited", "camera", "nothing"]),
    text=st.just("text"),
    source=st.just("source"),
)


@given(st.lists(rows, max_size=5), st.sampled_from(["fake", "real", "unsure"]))
def test_the_summary_is_as_strong_as_its_strongest_row(found: list[EvidenceRow], label: str) -> None:
    text = sum_up((*found, CAUTION), picture_result(verdict(label)))
    strengths = {row.strength for row in found if row.says != "nothing"}
    assert (PROOF in text) == ("strong" in strengths)
    if "medium" not in strengths and "strong" not in strengths:
        assert "likely" not in text
    if not any(row.says == "ai" for row in found) and label != "fake":
        assert "AI made this picture:" not in text
        assert "AI likely" not in text


@pytest.mark.parametrize("label", ["fake", "real", "unsure"])
def test_without_marks_nothing_is_claimed_of_a_camera(label: str) -> None:
    text = sum_up((CAUTION,), picture_result(verdict(label)))
    assert "camera" not in text
    assert "looks real" not in text


def test_of_several_faces_the_line_names_the_worst() -> None:
    several = picture_result(
        verdict("unsure", probability=0.4), None, verdict("fake", probability=0.8), verdict("real")
    )
    assert sum_up((CAUTION,), several).endswith(" Highest probability of fake: face 4 of 4.")
    several = picture_result(verdict("real", probability=0.1), None, verdict("unsure", probability=0.4))
    assert sum_up((CAUTION,), several).endswith("cannot tell either. Highest probability of fake: face 3 of 3.")
    assert "face" not in sum_up((CAUTION,), picture_result(verdict("real")))
    assert "face" not in sum_up((CAUTION,), picture_result(None, None))


def test_a_score_alone_is_called_often_wrong(describe: Describe) -> None:
    evaluated = picture_result(verdict("fake"))
    found = detector_rows(evaluated, describe())
    assert [(row.strength, row.says) for row in found] == [("weak", "ai")]
    assert "often wrong" in sum_up(found, evaluated)
    strict = picture_result(verdict("fake", "fpr-1%"))
    assert detector_rows(strict, describe())[0].strength == "medium"


def test_the_false_alarm_rate_is_that_of_the_operating_point(describe: Describe) -> None:
    about = describe(figures={"reals_called_fake balanced": 0.125})
    assert "called 12.5 % fake" in detector_rows(picture_result(verdict("real")), about)[0].text
    assert "was not measured" in detector_rows(picture_result(verdict("real")), describe())[0].text
    assert (
        "set for 0.5 % false alarms" in detector_rows(picture_result(verdict("real", "fpr-0.5%")), describe())[0].text
    )


def test_each_face_has_a_row_and_the_worst_one_counts(describe: Describe) -> None:
    evaluated = picture_result(verdict("real", probability=0.1), verdict("fake", probability=0.8), None)
    found = detector_rows(evaluated, describe())
    assert [row.text.split(" looks")[0] for row in found] == ["Face 1", "Face 2"]
    assert evaluated.worst is not None
    assert evaluated.worst.number == 2
    assert face_rows(evaluated)[0].text == "3 faces were found."


def test_every_kind_of_strongest_row_has_a_sentence() -> None:
    for strength, says in itertools.product(STRENGTHS[1:], get_args(Says)[:3]):
        assert sum_up((EvidenceRow("metadata", strength, says, "text", "source"),), picture_result(verdict("real")))
    assert sum_up((), None)
