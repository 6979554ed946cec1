"""The names that readers look for, from `tables.json`: the same file for Python, Kotlin and JavaScript."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from train.image.marks.rows import Says

TABLES = Path(__file__).parent / "tables.json"


@dataclass(frozen=True)
class MarkTables:
    """What `tables.json` holds.

    `source_types`: last part of a digital source type -> what it says and in which words (IPTC NewsCodes
    "digitalsourcetype", C2PA specification 2.2, 18.15.4). `changing_actions`: C2PA actions that change what is seen.
    `text_keys`: key of a text -> generator. `ai_names`, `edit_names`: (lower-case part of a name, what to call it),
    looked for in the fields `name_fields` (lower case).
    """

    source_types: dict[str, tuple[Says, str]]
    changing_actions: frozenset[str]
    text_keys: dict[str, str]
    name_fields: frozenset[str]
    ai_names: tuple[tuple[str, str], ...]
    edit_names: tuple[tuple[str, str], ...]


@cache
def mark_tables() -> MarkTables:
    """The tables, read once."""
    read = json.loads(TABLES.read_text(encoding="utf-8"))
    return MarkTables(
        {name: (says, words) for name, (says, words) in read["digital_source_types"].items()},
        frozenset(read["changing_actions"]),
        read["text_keys"],
        frozenset(read["name_fields"]),
        tuple((part, name) for part, name in read["ai_names"]),
        tuple((part, name) for part, name in read["edit_names"]),
    )


def source_type(address: str) -> tuple[Says, str, str]:
    """What a digital source type says, in which words, and its short name; an unknown one says nothing."""
    name = address.rstrip("/").replace("#", "/").rpartition("/")[2]
    says, words = mark_tables().source_types.get(name, ("nothing", "made in an unknown way"))
    return says, words, name
