"""Dataset cards: TOML files that say which file of a folder is what. `datasets/README.md` explains every key."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.common.documents import read_toml
from train.common.errors import DataError
from train.data.cards.globs import check_glob_cost, words_of
from train.data.cards.lookup_tables import Lookup
from train.data.cards.rules import CARD_SPLITS, Card, CardFacts, Get, Rule, open_card, usual_layout
from train.data.manifest import FAMILIES, LABELS, attribute_problem

__all__ = ["GET_KINDS", "Card", "CardFacts", "Get", "Rule", "open_card", "read_card", "usual_layout"]

GET_KINDS = {
    "kaggle": ("handle",),
    "huggingface": ("handle",),
    "archive": ("url", "sha256"),
    "by-hand": (),
}
# `train.data.get.fetch` looks more closely; here a slip is named with its file.
_ADDRESSES = ("https://", "http://127.0.0.1:", "http://localhost:")
_CARD_KEYS = ("title", "homepage", "licence", "citation", "get", "expected", "generators", "splits", "rule")
_GET_KEYS = ("kind", "handle", "url", "sha256", "note")
_TEXT_KEYS = ("glob", "label", "generator", "family", "source", "split", "group", "skip", "table")
_RULE_KEYS = (*_TEXT_KEYS, "find", "where", "attributes")
_SKIP_KEYS = ("glob", "skip")


def read_card(path: Path) -> Card:
    """Read and check a card; DataError names the file, the key and the remedy."""
    try:
        table = read_toml(path, error=DataError, remedy="correct it, or name a dataset card")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the spelling.") from None
    _refuse_unknown(table, _CARD_KEYS, f"{path}")
    rules = table.get("rule", [])
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise DataError(f"{path} has no rule: add at least one [[rule]] with glob, label and generator.")
    card = Card(
        name=path.stem,
        title=_text(table, "title", f"{path}", required=True),
        rules=tuple(_rule(rule, f"{path}, rule {number}") for number, rule in enumerate(rules, 1)),
        homepage=_text(table, "homepage", f"{path}"),
        licence=_text(table, "licence", f"{path}"),
        citation=_text(table, "citation", f"{path}"),
        get=_get(table.get("get", {"kind": "by-hand"}), f"{path}, [get]"),
        generators=_generators(table.get("generators", {}), f"{path}, [generators]"),
        splits=_splits(table.get("splits", {}), f"{path}, [splits]"),
        expected=_expected(table.get("expected", {}), f"{path}, [expected]"),
    )
    _check_expected(card, f"{path}, [expected]")
    return card


def _rule(table: Mapping[str, Any], where: str) -> Rule:
    _refuse_unknown(table, _SKIP_KEYS if "skip" in table else _RULE_KEYS, where)
    values = {key: _text(table, key, where, required=key in table) for key in _TEXT_KEYS}
    if not values["glob"] or values["glob"].startswith("/"):
        raise DataError(f"{where}: key 'glob' must be a pattern relative to the dataset's folder, as in 'real/**'.")
    if values["skip"]:
        rule = Rule(values["glob"], skip=values["skip"])
    else:
        label = _one_of(table, "label", LABELS, where)
        if not values["generator"] and label == "fake":
            raise DataError(f"{where}: key 'generator' is missing: name what made these pictures, as in 'stylegan2'.")
        rule = Rule(
            values["glob"],
            label,
            values["generator"] or "camera",
            _one_of(table, "family", FAMILIES, where) if "family" in table else "",
            values["source"],
            _split(values["split"], where) or None,
            values["group"] or None,
            lookup=_lookup(table, where),
            attributes=_attributes(table.get("attributes", {}), where),
        )
    try:
        check_glob_cost(rule.glob)
    except ValueError as error:
        raise DataError(f"{where}: key 'glob' {error}: use fewer wildcards.") from None
    try:
        in_glob = frozenset(rule.pattern.groupindex)
    except re.error:
        raise DataError(f"{where}: key 'glob' uses a {{word}} twice or wrongly: use each once.") from None
    for key in ("generator", "source", "split", "group"):
        # With a table the other words are its columns, which are checked when it is read.
        _check_words(values[key], in_glob, key, where, rule.glob, other_words=rule.lookup is not None)
    for name, text in rule.attributes:
        _check_words(text, in_glob, f"attributes.{name}", where, rule.glob, other_words=rule.lookup is not None)
    if rule.lookup is not None:
        _check_words(rule.lookup.table, in_glob, "table", where, rule.glob)
        _check_words(rule.lookup.text, in_glob, "find", where, rule.glob)
    return rule


def _split(text: str, where: str) -> str:
    if text and "{" not in text and text not in CARD_SPLITS:
        raise DataError(f"{where}: key 'split' must be one of {', '.join(CARD_SPLITS)}, or have a {{word}}.")
    return text


def _attributes(table: Any, where: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise DataError(f"{where}: key 'attributes' must give names and texts, as in {{ sex = \"{{gender}}\" }}.")
    for name in table:
        if problem := attribute_problem(name):
            raise DataError(f"{where}: key 'attributes' has {name!r}, which {problem}.")
    return tuple(table.items())


def _check_words(
    text: str, in_glob: frozenset[str], key: str, where: str, glob: str, *, other_words: bool = False
) -> None:
    try:
        missing = words_of(text) - in_glob
    except ValueError:
        raise DataError(f"{where}: key {key!r} has braces that are not a {{word}}: correct them.") from None
    if missing and not other_words:
        raise DataError(f"{where}: key {key!r} has a {{word}} that its glob {glob!r} does not have: add it there.")


def _lookup(table: Mapping[str, Any], where: str) -> Lookup | None:
    if "table" not in table:
        for key in ("find", "where"):
            if key in table:
                raise DataError(f"{where}: key {key!r} needs a key 'table': name the CSV that has the rows.")
        return None
    find, conditions = table.get("find"), table.get("where", {})
    if (
        not isinstance(find, dict)
        or len(find) != 1
        or not all(isinstance(text, str) and text for text in find.values())
    ):
        raise DataError(
            f"{where}: key 'find' must say where a picture's row is, as in {{ filename = \"{{name}}.jpg\" }}."
        )
    if not isinstance(conditions, dict):
        raise DataError(f"{where}: key 'where' must give columns and values, as in {{ target = \"0\" }}.")
    ((column, text),) = find.items()
    return Lookup(
        _text(table, "table", where, required=True),
        column,
        text,
        tuple((name, _values(value, name, where)) for name, value in conditions.items()),
    )


def _values(value: Any, column: str, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(entry, str) for entry in values):
        raise DataError(f"{where}: key 'where' needs a text or a list of texts for column {column!r}, as in \"0\".")
    return tuple(values)


def _get(table: Any, where: str) -> Get:
    if not isinstance(table, dict):
        raise DataError(f"{where} must be a table with key 'kind'.")
    _refuse_unknown(table, (*_GET_KEYS, "unpack"), where)
    unpack = table.get("unpack", [])
    if not isinstance(unpack, list) or not all(isinstance(name, str) and name.strip() for name in unpack):
        raise DataError(f"{where}: key 'unpack' must be a list of archives in the dataset, as in ['faces.zip'].")
    kind = _one_of(table, "kind", tuple(GET_KINDS), where)
    values = {key: _text(table, key, where, required=key in GET_KINDS[kind]) for key in _GET_KEYS}
    if values["sha256"] and not re.fullmatch("[0-9a-f]{64}", values["sha256"]):
        raise DataError(f"{where}: key 'sha256' must be 64 lower-case hexadecimal digits.")
    if values["url"] and not values["url"].startswith(_ADDRESSES):
        raise DataError(f"{where}: key 'url' must start with https:// (http:// only on this machine).")
    return Get(**values, unpack=tuple(unpack))


def _generators(table: Any, where: str) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(name, str) and name.strip() for name in table.values()):
        raise DataError(f'{where} must give a name for each of the dataset\'s words, as in stylegan1 = "stylegan".')
    return table


def _splits(table: Any, where: str) -> dict[str, str]:
    if not isinstance(table, dict) or not all(split in CARD_SPLITS for split in table.values()):
        raise DataError(f'{where} must say which of {", ".join(CARD_SPLITS)} each name is, as in dev = "val".')
    return table


def _expected(table: Any, where: str) -> dict[str, int]:
    # To Python, true is a whole number.
    if not isinstance(table, dict) or not all(type(count) is int and count > 0 for count in table.values()):
        raise DataError(f"{where} must give whole numbers from 1, as in real = 70000.")
    return table


def _check_expected(card: Card, where: str) -> None:
    labels = {rule.label for rule in card.rules}
    spelt_out = all(not words_of(rule.generator) for rule in card.rules) or bool(card.generators)
    for name in card.expected:
        known = name in labels if name in LABELS else not spelt_out or name in card.generator_names
        if not known:
            raise DataError(f"{where}: no rule gives {name!r} pictures: name real, fake or a generator of the rules.")


def _text(table: Mapping[str, Any], key: str, where: str, *, required: bool = False) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise DataError(f"{where}: key {key!r} must be a text{' and not empty' if required else ''}.")
    return value


def _one_of(table: Mapping[str, Any], key: str, allowed: tuple[str, ...], where: str) -> str:
    value = table.get(key)
    if value not in allowed:
        raise DataError(f"{where}: key {key!r} must be one of {', '.join(allowed)}.")
    return str(value)


def _refuse_unknown(table: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(table) - set(allowed)):
        raise DataError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(allowed)}.")
