"""What a dataset card says about a path."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from train.common.errors import DataError
from train.data.cards.generators import family_of
from train.data.cards.globs import compile_glob, literal_start, words_of
from train.data.cards.lookup_tables import Lookup, LookupTables
from train.data.cards.words import split_of_word
from train.data.manifest import SPLITS
from train.data.splits import EITHER

CARD_SPLITS = (*SPLITS, EITHER)
"""Splits that a card may give: `train+val` leaves it to the hash which of the two."""

# A longer group, such as a whole prompt, is named by its digest.
_LONGEST_GROUP = 80


@dataclass(frozen=True)
class Get:
    """How to get a dataset: `kind` is a key of GET_KINDS, the rest as that kind needs it, else empty.

    `unpack` names archives inside the dataset that are to be unpacked, each into a folder of its name.
    """

    kind: str
    handle: str = ""
    url: str = ""
    sha256: str = ""
    note: str = ""
    unpack: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardFacts:
    """What a card says about one file; `split` and `group` are None where it says nothing.

    `attributes` are names and values of further columns for the manifest.
    """

    label: str
    generator: str
    family: str
    source: str
    split: str | None
    group: str | None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rule:
    """Files that match `glob` get these facts, or are left out because of `skip` (one sentence's reason).

    The glob's words (see `compile_glob`), and with a `lookup` the columns of the picture's row, are put in wherever
    `generator`, `source`, `split`, `group` or a value of `attributes` say `{word}`. An empty family is looked up by the
    generator's name, an empty generator of a fake is unknown.
    """

    glob: str
    label: str = ""
    generator: str = ""
    family: str = ""
    source: str = ""
    split: str | None = None
    group: str | None = None
    skip: str = ""
    lookup: Lookup | None = None
    attributes: tuple[tuple[str, str], ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The glob as a regular expression over the whole path."""
        return compile_glob(self.glob)

    @cached_property
    def start(self) -> str:
        """What every path that matches starts with."""
        return literal_start(self.glob)

    @cached_property
    def takes_all(self) -> bool:
        """Whether every path that begins so matches."""
        return self.glob == f"{self.start}**"

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that generator, source, split, group and attributes put in."""
        texts = (self.generator, self.source, self.split or "", self.group or "", *dict(self.attributes).values())
        return frozenset().union(*map(words_of, texts))


@dataclass(frozen=True)
class Card:
    """A dataset: its `name` (the card's file name), what to know about it, and rules, the first that matches wins.

    `generators` and `splits` translate the dataset's own words for generators and splits, `expected` has the published
    number of pictures by `real`, `fake` or generator. `tables` are those of the dataset's folder; see `open_card`.
    """

    name: str
    title: str
    rules: tuple[Rule, ...]
    homepage: str = ""
    licence: str = ""
    citation: str = ""
    get: Get = field(default_factory=lambda: Get("by-hand"))
    generators: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)
    tables: LookupTables | None = field(default=None, compare=False, repr=False)

    def facts(self, path: str) -> CardFacts | None:
        """Return what the card says about a path relative to the dataset's folder (forward slashes).

        None if no rule names the path, or one leaves it out (`skip_reason` tells them apart). DataError if the
        card looks pictures up in tables and was not opened, or a table is wrong.
        """
        found = self._find(path)
        if found is None or self.rules[found[0]].skip:
            return None
        number, words = found
        return self._fixed[number] or self._facts(self.rules[number], words)

    def skip_reason(self, path: str) -> str | None:
        """Return why a rule leaves a path out, or None if none does."""
        found = self._find(path)
        return (self.rules[found[0]].skip or None) if found is not None else None

    @property
    def generator_names(self) -> tuple[str, ...]:
        """The generators of its fakes as far as the card spells them out, sorted."""
        spelt = {rule.generator for rule in self.rules if rule.label == "fake" and not words_of(rule.generator)}
        return tuple(sorted(spelt | set(self.generators.values())))

    def _find(self, path: str) -> tuple[int, dict[str, str]] | None:
        for number, rule in enumerate(self.rules):
            # Cheaper than the expression, and a dataset's rules mostly differ in how they start.
            if not path.startswith(rule.start):
                continue
            if rule.takes_all and rule.lookup is None:
                return number, {}
            match = rule.pattern.fullmatch(path)
            if match is None:
                continue
            words = match.groupdict()
            if rule.lookup is None:
                return number, words
            row = self._row(rule.lookup, words)
            if row is not None and rule.lookup.holds(row):
                return number, {**row, **words}
        return None

    def _row(self, lookup: Lookup, words: Mapping[str, str]) -> Mapping[str, str] | None:
        if self.tables is None:
            raise DataError(f"Card {self.name!r} needs {lookup.table}: open it with the dataset's folder.")
        return self.tables.row(
            lookup.table.format_map(words),
            lookup.column,
            lookup.text.format_map(words),
            self._columns[lookup.table, lookup.column],
        )

    def _facts(self, rule: Rule, words: Mapping[str, str]) -> CardFacts:
        generator = rule.generator.format_map(words).strip() or "unknown"
        generator = self.generators.get(generator, generator)
        source = rule.source.format_map(words) or self.name
        group = None if rule.group is None else _group(source, rule.group.format_map(words))
        family = rule.family or family_of(generator, rule.label)
        attributes = tuple((name, text.format_map(words)) for name, text in rule.attributes)
        return CardFacts(rule.label, generator, family, source, self._split(rule, words), group, attributes)

    def _split(self, rule: Rule, words: Mapping[str, str]) -> str | None:
        if rule.split is None or rule.split in CARD_SPLITS:
            return rule.split
        word = rule.split.format_map(words).strip()
        split = self.splits.get(word) or split_of_word(word)
        if split is None and word:
            raise DataError(
                f"Card {self.name!r} has pictures of a split {word!r}, which is not a known name: map it under "
                f"[splits] to one of {', '.join(CARD_SPLITS)} it is."
            )
        return split

    @cached_property
    def _fixed(self) -> tuple[CardFacts | None, ...]:
        """The facts of each rule that says the same about all its files, else None."""
        return tuple(None if rule.skip or rule.words else self._facts(rule, {}) for rule in self.rules)

    @cached_property
    def _columns(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The columns that all rules together need, by table and the column looked in."""
        needed: dict[tuple[str, str], set[str]] = {}
        for rule in self.rules:
            if rule.lookup is not None:
                columns = needed.setdefault((rule.lookup.table, rule.lookup.column), set())
                columns |= {column for column, _ in rule.lookup.where} | (rule.words - set(rule.pattern.groupindex))
        return {key: tuple(sorted(columns)) for key, columns in needed.items()}


def open_card(card: Card, folder: Path) -> Card:
    """Return the card ready to look pictures up in the tables below the dataset's folder; nothing is read yet."""
    return replace(card, tables=LookupTables(folder))


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


def _group(source: str, text: str) -> str:
    if len(text) > _LONGEST_GROUP:
        text = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    # Two sources may both have a person 17.
    return f"{source}:{text}"
