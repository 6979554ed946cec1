"""Dataset cards: which file of a folder is what."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from train.data.errors import DataError
from train.data.generators import family_of
from train.data.manifest import FAMILIES, LABELS, SPLITS

GET_KINDS = {
    "kaggle": ("handle",),
    "huggingface": ("handle",),
    "archive": ("url", "sha256"),
    "by-hand": (),
}
_CARD_KEYS = ("title", "homepage", "licence", "citation", "get", "rule")
_GET_KEYS = ("kind", "handle", "url", "sha256", "note")
_RULE_KEYS = ("glob", "label", "generator", "family", "source", "split", "group")


@dataclass(frozen=True)
class Get:
    """How to get a dataset: `kind` is a key of GET_KINDS, the rest as that kind needs it, else empty."""

    kind: str
    handle: str = ""
    url: str = ""
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """What a card says about one file; `split` and `group` are None where it says nothing."""

    label: str
    generator: str
    family: str
    source: str
    split: str | None
    group: str | None


@dataclass(frozen=True)
class Rule:
    """Files that match `glob` get these facts.

    In the glob `*` and `?` stay within one name, `**` crosses folders, and `{word}` matches like `*` and is
    put in wherever `generator`, `source` or `group` say `{word}`. An empty family is looked up by the
    generator's name.
    """

    glob: str
    label: str
    generator: str
    family: str = ""
    source: str = ""
    split: str | None = None
    group: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The glob as a regular expression over the whole path."""
        return re.compile(_glob_pattern(self.glob), re.DOTALL)


@dataclass(frozen=True)
class Card:
    """A dataset: its `name` (the card's file name), what to know about it, and rules, the first that matches wins."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    homepage: str = ""
    licence: str = ""
    citation: str = ""
    get: Get = field(default_factory=lambda: Get("by-hand"))

    def facts(self, path: str) -> Facts | None:
        """Return what the card says about a path relative to the dataset's folder (forward slashes), or None."""
        for rule in self.rules:
            match = rule.pattern.fullmatch(path)
            if match is None:
                continue
            words = match.groupdict()
            generator = rule.generator.format(**words)
            family = rule.family or family_of(generator, rule.label)
            source = rule.source.format(**words) or self.name
            # Two sources may both have a person 17.
            group = None if rule.group is None else f"{source}:{rule.group.format(**words)}"
            return Facts(rule.label, generator, family, source, rule.split, group)
        return None


def usual_layout(name: str = "usual-layout") -> Card:
    """Return the card for folders without one: `real/**`, `fake/GENERATOR/**` and `fake/*` (generator `unknown`)."""
    return Card(
        name,
        "Folders real/ and fake/GENERATOR/",
        (
            Rule("real/**", "real", "camera", "camera"),
            Rule("fake/{generator}/**", "fake", "{generator}"),
            Rule("fake/*", "fake", "unknown"),
        ),
    )


def read_card(path: Path) -> Card:
    """Read and check a card; DataError names the file, the key and the mend."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the spelling.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name a dataset card.") from None
    except ValueError as error:
        raise DataError(f"{path} is not TOML ({error}): correct it.") from None
    _refuse_unknown(table, _CARD_KEYS, f"{path}")
    rules = table.get("rule", [])
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise DataError(f"{path} has no rule: add at least one [[rule]] with glob, label and generator.")
    return Card(
        name=path.stem,
        title=_text(table, "title", f"{path}", required=True),
        rules=tuple(_rule(rule, f"{path}, rule {number}") for number, rule in enumerate(rules, 1)),
        homepage=_text(table, "homepage", f"{path}"),
        licence=_text(table, "licence", f"{path}"),
        citation=_text(table, "citation", f"{path}"),
        get=_get(table.get("get", {"kind": "by-hand"}), f"{path}, [get]"),
    )


def _rule(table: Mapping[str, Any], where: str) -> Rule:
    _refuse_unknown(table, _RULE_KEYS, where)
    values = {key: _text(table, key, where) for key in _RULE_KEYS}
    label = _one_of(table, "label", LABELS, where)
    if not values["glob"] or values["glob"].startswith("/"):
        raise DataError(f"{where}: key 'glob' must be a pattern relative to the dataset's folder, as in 'real/**'.")
    if not values["generator"] and label == "fake":
        raise DataError(f"{where}: key 'generator' is missing: say what made these pictures, as in 'stylegan2'.")
    rule = Rule(
        values["glob"],
        label,
        values["generator"] or "camera",
        _one_of(table, "family", FAMILIES, where) if "family" in table else "",
        values["source"],
        _one_of(table, "split", SPLITS, where) if "split" in table else None,
        values["group"] or None,
    )
    try:
        words = dict.fromkeys(rule.pattern.groupindex, "x")
    except re.error:
        raise DataError(f"{where}: key 'glob' uses a {{word}} twice or wrongly: use each once.") from None
    for key in ("generator", "source", "group"):
        try:
            values[key].format(**words)
        except (LookupError, ValueError, AttributeError):
            raise DataError(
                f"{where}: key {key!r} has a {{word}} that its glob {rule.glob!r} does not have: add it there."
            ) from None
    return rule


def _get(table: Any, where: str) -> Get:
    if not isinstance(table, dict):
        raise DataError(f"{where} must be a table with key 'kind'.")
    _refuse_unknown(table, _GET_KEYS, where)
    kind = _one_of(table, "kind", tuple(GET_KINDS), where)
    values = {key: _text(table, key, where, required=key in GET_KINDS[kind]) for key in _GET_KEYS}
    if values["sha256"] and not re.fullmatch("[0-9a-f]{64}", values["sha256"]):
        raise DataError(f"{where}: key 'sha256' must be 64 lower-case hexadecimal digits.")
    if values["url"] and not values["url"].startswith("https://"):
        raise DataError(f"{where}: key 'url' must start with https://.")
    return Get(**values)


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


def _glob_pattern(glob: str) -> str:
    pattern = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|.", glob, re.DOTALL):
        if token == "**/":
            pattern += "(?:.*/)?"
        elif token == "**":
            pattern += ".*"
        elif token == "*":
            pattern += "[^/]*"
        elif token == "?":
            pattern += "[^/]"
        elif len(token) > 1:
            pattern += f"(?P<{token[1:-1]}>[^/]+?)"
        else:
            pattern += re.escape(token)
    return pattern
