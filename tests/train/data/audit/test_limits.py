"""Limits of an audit: written by people, read strictly."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.audit.limits import AuditLimits, exceeds, parse_limits


def test_limits_are_parsed() -> None:
    assert parse_limits([]) == AuditLimits()
    assert parse_limits(["leaks=3", "null_auc = 0.9", "conflicts=none"]) == replace(
        AuditLimits(), leaks=3, null_auc=0.9, conflicts=None
    )
    for limit in fields(AuditLimits):
        assert getattr(parse_limits([f"{limit.name}=1"]), limit.name) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("leak=1", "'leak' is not a limit.*choose one of leaks, conflicts"),
        ("leaks", "'leaks' has no value"),
        ("leaks=1.5", "whole number of at least 0"),
        ("leaks=-1", "whole number of at least 0"),
        ("null_auc=0.4", "a number from 0.5 to 1"),
        ("skipped_share=nan", "from 0 to 1"),
        ("class_ratio=inf", "at least 1"),
        ("class_ratio=", "at least 1"),
    ],
)
def test_a_wrong_limit_is_refused(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_limits([text])
    with pytest.raises(DataError, match="given twice"):
        parse_limits(["leaks=1", "leaks=2"])


@given(st.floats(0, 10), st.none() | st.floats(0, 10))
def test_only_a_limit_can_be_exceeded(value: float, limit: float | None) -> None:
    assert exceeds(value, limit) == (limit is not None and value > limit)


# The table
