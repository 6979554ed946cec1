"""Frozen dataclasses to plain JSON values and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from train.common.errors import TrainError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """A dataclass instance as dicts, tuples, strings and numbers that `json` writes."""
    return asdict(value)


def from_plain(kind: type[T], value: Any) -> T:
    """The dataclass `kind` from what `to_plain` gave, after a trip through JSON; unknown keys are ignored.

    Raises TrainError that names the first key which is missing or of the wrong kind.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([kind.__name__, *map(str, first["loc"])])
        raise TrainError(f"{where} cannot be read ({first['msg']}): write it again with this version.") from error
