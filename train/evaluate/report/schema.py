"""The JSON Schema of report.json, made of the dataclasses that it is written from; docs/schemas/ has it as a file."""

from typing import Any

from pydantic import TypeAdapter

from train.evaluate.by_attribute import ByAttribute
from train.evaluate.evaluation import Evaluation
from train.evaluate.flips import Flips
from train.evaluate.robustness.results import Robustness
from train.evaluate.shortcuts.explain import Shortcuts

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LISTS: dict[str, Any] = {"judgements": Evaluation, "flips": Flips, "by_attribute": ByAttribute}
_OPTIONAL: dict[str, Any] = {"robustness": Robustness, "shortcuts": Shortcuts}


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a report of format 1; keys that it does not name may come, as formats allow."""
    definitions: dict[str, Any] = {}

    def of(kind: Any) -> dict[str, Any]:
        made = TypeAdapter(kind).json_schema(ref_template="#/$defs/{model}", mode="serialization")
        definitions.update(made.pop("$defs", {}))
        definitions[kind.__name__] = made
        return {"$ref": f"#/$defs/{kind.__name__}"}

    text = {"type": "string"}
    properties: dict[str, Any] = {
        "format": {"const": 1},
        "title": text,
        "recipe": text,
        "audit": {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "properties": {"auc": {"type": "number", "minimum": 0, "maximum": 1}, "verdict": text},
                    "required": ["auc", "verdict"],
                },
            ]
        },
        "prior_shift": {"type": "array", "items": text},
        "illustrations": {
            "type": "array",
            "items": {"type": "object", "properties": {"of": text, "caption": text}, "required": ["of", "caption"]},
        },
        **{key: {"type": "array", "items": of(kind)} for key, kind in _LISTS.items()},
        **{key: {"anyOf": [{"type": "null"}, of(kind)]} for key, kind in _OPTIONAL.items()},
    }
    return {
        "$schema": DIALECT,
        "title": "Fauxlens report, format 1",
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": ["audit", "flips", "format", "illustrations", "judgements", "recipe", "title"],
        "$defs": dict(sorted(definitions.items())),
    }
