"""Hugging Face's imagefolder: a table that says what pictures are, or gives attributes to folders of classes below it.

https://huggingface.co/docs/datasets/image_dataset
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from train.common.text import printable
from train.data.cards.globs import escaped, literal
from train.data.cards.lookup_tables import Lookup, read_lookup_table
from train.data.cards.rules import Rule
from train.data.cards.words import label_of_word, official_splits
from train.data.manifest import LABELS, attribute_problem

METADATA = ("metadata.csv", "metadata.jsonl")
"""What such tables are called."""
FILE_NAME = "file_name"

_LABEL_COLUMNS = ("label", "labels", "label_name", "class", "cls", "target", "is_fake", "fake", "is_real", "real")
_GENERATOR_COLUMNS = ("generator", "generator_name", "model", "model_name", "source_model", "method")
# Columns in which 1 says what the column is called.
_YES_MEANS = {"is_fake": "fake", "fake": "fake", "is_real": "real", "real": "real"}
_YES, _NO = ("1", "true", "yes", "1.0"), ("0", "false", "no", "0.0")
_REST = "rest_of_the_path"
# So many values are named in a sentence.
_NAMED = 6

Parts = tuple[str, ...]
"""The names of the folders from the dataset's to one below it."""


@dataclass(frozen=True)
class AttributeTable:
    """A table without labels beside folders of classes: its path in the dataset, and the attributes that it gives."""

    table: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TableRules:
    """The rules of a metadata table, what its names of splits mean, and what is missing for both classes."""

    rules: tuple[Rule, ...] = ()
    splits: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    beside: AttributeTable | None = None


def with_attributes(rules: Iterable[Rule], tables: Mapping[Parts, AttributeTable]) -> Iterator[Rule]:
    """Each rule, and before it one for the pictures that a table above them knows more of."""
    for rule in rules:
        for parts, beside in tables.items():
            start = "".join(f"{escaped(name)}/" for name in parts)
            below, wildcard = rule.glob.removeprefix(start).rstrip("*"), "*" * rule.glob.endswith("**")
            # A table names files as they are called, which a glob with a stand-in for a brace does not say.
            if rule.lookup is None and rule.glob.startswith(start) and "?" not in rule.glob:
                yield replace(
                    rule,
                    glob=f"{start}{below}{{{_REST}{wildcard * 2}}}",
                    lookup=Lookup(beside.table, FILE_NAME, f"{below}{{{_REST}}}"),
                    attributes=beside.attributes,
                )
        yield rule


def rules_of_table(folder: Path, parts: Parts, of_folder: str | None) -> TableRules:
    """Rules that look pictures up in a metadata table; none where it has no label, for then the folders say it."""
    frame = read_lookup_table(folder.joinpath(*parts))
    columns = {name.lower(): name for name in frame.columns if re.fullmatch(r"[^\W\d][\w ]*", name)}
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if FILE_NAME not in frame.columns:
        return TableRules()
    if label is None:
        attributes = tuple(
            (name, f"{{{column}}}") for name, column in _attributes(frame.columns) if column != FILE_NAME
        )
        return TableRules(beside=AttributeTable("/".join(map(literal, parts)), attributes) if attributes else None)
    values = {
        text: said
        for text in frame[label].fill_null("").unique().sort()
        if (said := _label_of_value(text, label.lower())) is not None
    }
    generator = next((columns[name] for name in _GENERATOR_COLUMNS if name in columns), None)
    split = columns.get("split")
    meaning = official_splits(frame[split].drop_nulls().unique()) if split else {}
    used = {FILE_NAME, label, generator, *((split,) if meaning else ())}
    attributes = tuple((name, f"{{{column}}}") for name, column in _attributes(frame.columns) if column not in used)
    start = "".join(f"{escaped(name)}/" for name in parts[:-1])
    rules = [
        Rule(
            f"{start}{{{FILE_NAME}**}}",
            one,
            "camera" if one == "real" else (f"{{{generator}}}" if generator else "unknown"),
            "camera" if one == "real" else "",
            split=f"{{{split}}}" if meaning else of_folder,
            lookup=Lookup(
                "/".join(map(literal, parts)),
                FILE_NAME,
                f"{{{FILE_NAME}}}",
                ((label, tuple(text for text, said in values.items() if said == one)),),
            ),
            attributes=attributes,
        )
        for one in LABELS
        if one in values.values()
    ]
    problem = "" if len(rules) == len(LABELS) else _which_is_fake(folder.joinpath(*parts), label, frame[label])
    return TableRules(tuple(rules), meaning, problem)


def _which_is_fake(path: Path, column: str, values: pl.Series) -> str:
    found = values.fill_null("").unique().sort().to_list()
    shown = ", ".join(repr(printable(one)) for one in found[:_NAMED]) + (" and more" if len(found) > _NAMED else "")
    return (
        f"{path} has {shown} in column {column!r}, and nothing says which is real and which is fake: name a card whose "
        f'rules say it, as in where = {{ {column} = "1" }}, with --card (datasets/README.md).'
    )


def _label_of_value(text: str, column: str) -> str | None:
    if column in _YES_MEANS:
        yes = _YES_MEANS[column]
        no = "real" if yes == "fake" else "fake"
        return yes if text.lower() in _YES else no if text.lower() in _NO else label_of_word(text)
    return label_of_word(text)


def _attributes(columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of attributes and the columns that they come from; a column of which none can be made is left out."""
    taken = set()
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        if re.fullmatch(r"[^\W\d][\w ]*", column) and attribute_problem(name) is None and name not in taken:
            taken.add(name)
            yield name, column
