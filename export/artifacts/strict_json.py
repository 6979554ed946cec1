"""JSON as RFC 8259 has it, and each key once: Python's reader also takes NaN, and of a repeated key the last value."""

import json
from typing import Any


def parse_json(text: str) -> Any:
    """Read a JSON document. Raises ValueError for what is none, RecursionError for one that is nested too deeply."""
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise ValueError("a key is written twice")
    return plain
