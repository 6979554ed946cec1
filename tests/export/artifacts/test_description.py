from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.artifacts.description import OPERATING_POINTS, Description, from_json, to_json
from train.common.errors import ExportError
from train.evaluate.decision import Decision

if TYPE_CHECKING:
    from tests.export.conftest import Describe

lines = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)
shares = st.floats(0, 1)


@given(name=lines, band=st.tuples(shares, shares), point=shares, figures=st.dictionaries(lines, shares))
def test_json_round_trip_is_exact(
    describe: Describe, name: str, band: tuple[float, float], point: float, figures: Any
) -> None:
    low, high = sorted(band)
    points = {"balanced": Decision(high, low), "fpr-1%": Decision(max(point, high), low), "fpr-0.5%": Decision(1, 1)}
    one = describe(name=name, seen=((name, name),), operating_points=points, figures=figures)
    assert from_json(to_json(one)) == one
    assert to_json(from_json(to_json(one))) == to_json(one)


@pytest.mark.parametrize("key", list(Description.__dataclass_fields__))
def test_a_missing_key_is_named(describe: Describe, key: str) -> None:
    plain = json.loads(to_json(describe()))
    del plain[key]
    with pytest.raises(ExportError, match=f"'{key}'"):
        from_json(json.dumps(plain))


WRONG: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "two\nlines"),
    ("variant", "int4"),
    ("unclear_faces", "guess"),
    ("unclear_faces", ["drop"]),
    ("size", 32.0),
    ("size", True),
    ("size", 0),
    ("heatmap", [8]),
    ("heatmap", "88"),
    ("labels", ["fake", "real"]),
    ("operating_points", {"balanced": {"fake_from": 0.5, "unsure_from": 0.5}}),
    ("operating_points", {"balanced": 0.5, "fpr-1%": 0.75, "fpr-0.5%": 0.9}),
    ("operating_points", {key: {"fake_from": 0.5, "unsure_from": 0.75} for key in OPERATING_POINTS}),
    ("operating_points", {key: {"fake_from": 2, "unsure_from": 0.75} for key in OPERATING_POINTS}),
    ("operating_points", {key: {"fake_from": 0.5} for key in OPERATING_POINTS}),
    ("operating_points", [0.5, 0.7, 0.9]),
    ("face_finder", {}),
    ("face_finder", ["blazeface"]),
    ("calibration", {"scale": 1}),
    ("calibration", {"scale": 1, "bias": None}),
    ("calibration", [1, 0]),
    ("seen", "checker"),
    ("seen", [["checker"]]),
    ("seen", [["checker", 1]]),
    ("training_sha256", "0" * 63),
    ("training_sha256", "G" * 64),
    ("created_by", {"fauxlens": 1}),
    ("figures", {"auc": "0.9"}),
    ("figures", {"auc": True}),
    ("figures", {"auc": 10**400}),
    ("licences", [""]),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_value_is_named(describe: Describe, key: str, value: Any) -> None:
    plain = json.loads(to_json(describe())) | {key: value}
    with pytest.raises(ExportError, match=f"'{key}'"):
        from_json(json.dumps(plain))


def test_a_wrong_value_is_refused_when_made_too(describe: Describe) -> None:
    with pytest.raises(ExportError, match="'figures'"):
        replace(describe(), figures={"auc": float("nan")})


def test_a_newer_format_says_so(describe: Describe) -> None:
    plain = json.loads(to_json(describe())) | {"format": 3, "novelty": 1}
    with pytest.raises(ExportError, match="made by a newer Fauxlens"):
        from_json(json.dumps(plain))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_what_is_not_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(ExportError, match=r"^fauxlens\.json"):
        from_json(text)


def test_an_unknown_key_is_named(describe: Describe) -> None:
    plain = json.loads(to_json(describe())) | {"surprise": 1}
    with pytest.raises(ExportError, match="'surprise'"):
        from_json(json.dumps(plain))


def test_the_dataclass_is_what_the_file_holds(describe: Describe) -> None:
    assert set(json.loads(to_json(describe()))) == set(Description.__dataclass_fields__)
