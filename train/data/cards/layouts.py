"""What a folder without a card is: its own source, laid out in one of the ways that datasets of fakes usually are.

real/ fake/GENERATOR/                    also Real/Fake, 0_real/1_fake, training_real/training_fake, nature/ai
GENERATOR/real/ GENERATOR/fake/          the folder above the classes names the generator
train/real/ val/real/ test/real/         or the split below the class; valid, validation and dev are val
metadata.csv or metadata.jsonl           Hugging Face's imagefolder: file_name, label, and attributes
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import polars as pl

from train.common.errors import DataError
from train.common.text import printable
from train.data.cards.lookup_tables import Lookup, read_lookup_table
from train.data.cards.rules import Card, Rule, usual_layout
from train.data.cards.words import label_of, split_of_word
from train.data.manifest import LABELS, Manifest, attribute_problem
from train.image.files import folder_problem

ANY_FOLDER = "usual-layout"
"""The source of every folder without a card until December 2026; manifests that have it keep it."""

EXPECTED = (
    "real/ and fake/ or fake/GENERATOR/ (also Real and Fake, 0_real and 1_fake, training_real and training_fake, each "
    "with train, val and test above or below), or metadata.csv or .jsonl with file_name and label"
)
"""What a folder without a card may look like, for a sentence."""

METADATA = ("metadata.csv", "metadata.jsonl")
"""Tables of Hugging Face's imagefolder: https://huggingface.co/docs/datasets/image_dataset."""
FILE_NAME = "file_name"

_LABEL_COLUMNS = ("label", "labels", "label_name", "class", "cls", "target", "is_fake", "fake", "is_real", "real")
_GENERATOR_COLUMNS = ("generator", "generator_name", "model", "model_name", "source_model", "method")
# Columns in which 1 says what the column is called.
_YES_MEANS = {"is_fake": "fake", "fake": "fake", "is_real": "real", "real": "real"}
_YES, _NO = ("1", "true", "yes", "1.0"), ("0", "false", "no", "0.0")
_REST = "rest_of_the_path"
# So many values are named in a sentence.
_NAMED = 6
# Deeper than any dataset that is known puts its classes.
_DEPTH = 6

Parts = tuple[str, ...]
"""The names of the folders from the dataset's to one below it."""


def layout_of(folder: Path, previous: Manifest | None = None, *, name: str | None = None) -> Card:
    """Return the card of a folder that has none; its source is `name`, else called like the folder.

    So pictures of a folder that a detector has never seen are not taken for those of another one. `previous` is the
    manifest that is to be written again, whose rows keep the source that runs trained on them know. A folder in which
    nothing usual is found gets the card of `real/` and `fake/`, with which `scan` says what is expected. Raises
    DataError where a metadata table has no label that is known.
    """
    if previous is not None and (previous.frame["source"] == ANY_FOLDER).any():
        name = ANY_FOLDER
    card = usual_layout(name or source_of(folder))
    survey = _survey(folder)
    rules: list[Rule] = []
    splits: dict[str, str] = {}
    problems: list[str] = []
    words = {parts: _split_word(parts[:-1]) for parts in survey.tables}
    meaning = official_splits(filter(None, words.values()))
    attributes: dict[Parts, _Beside] = {}
    for parts in survey.tables:
        try:
            found = _rules_of_table(folder, parts, meaning.get(words[parts]))
        except DataError as error:
            # A table of that name need not be one of these; folders may say it all.
            problems.append(str(error))
            continue
        rules += found.rules
        if found.beside is not None:
            attributes[parts[:-1]] = found.beside
        problems += filter(None, [found.problem])
        splits |= found.splits
    rules += _with_attributes(_rules_of_classes(survey.classes), attributes)
    if {"real", "fake"} <= {rule.label for rule in rules}:
        return replace(card, rules=tuple(rules), splits=splits)
    if problems:
        raise DataError(problems[0])
    return card


def source_of(folder: Path) -> str:
    """Return what the pictures of a folder without a card are called as a source: the folder's own name."""
    # `/` separates a reconstruction's source from its autoencoder (train.data.manifest.origin); names have none.
    return printable(folder.resolve().name).strip() or "pictures"


@dataclass(frozen=True)
class _ClassFolder:
    """A folder of one class, and whether what it holds are the splits (`split_folders`)."""

    parts: Parts
    label: str
    split_folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Survey:
    """The folders of classes and the metadata tables (by their path) below a folder; neither is inside a class."""

    classes: tuple[_ClassFolder, ...]
    tables: tuple[Parts, ...]


def _survey(folder: Path) -> _Survey:
    classes, tables = [], []
    waiting: list[Parts] = [()]
    while waiting:
        parts = waiting.pop(0)
        names, there = _listing(folder.joinpath(*parts))
        tables += [(*parts, name) for name in METADATA if name in there][:1]
        for name in names:
            below = (*parts, name)
            label = label_of(name)
            if label is not None:
                classes.append(_ClassFolder(below, label, _split_folders(folder.joinpath(*below))))
            elif len(below) < _DEPTH:
                waiting.append(below)
    return _Survey(tuple(classes), tuple(tables))


def _listing(folder: Path) -> tuple[list[str], set[str]]:
    """The names of a folder's folders, sorted, and of its tables; not hidden ones, the system's own or links."""
    names, tables = [], set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not folder_problem(entry.name) and entry.name.isprintable():
                        names.append(entry.name)
                elif entry.name in METADATA:
                    tables.add(entry.name)
    except OSError:
        # The scan says which folder cannot be read.
        return [], set()
    return sorted(names), tables


def _split_folders(folder: Path) -> tuple[str, ...]:
    names, _ = _listing(folder)
    return tuple(names) if names and all(split_of_word(name) for name in names) else ()


def _rules_of_classes(classes: Sequence[_ClassFolder]) -> Iterator[Rule]:
    if not classes:
        return
    common = _in_common([one.parts[:-1] for one in classes])
    places = [(one, split) for one in classes for split in (one.split_folders or ("",))]
    # What all pictures have in common tells none from another: `train` alone is no split.
    words = [_split_word((*one.parts[common:], inner)) for one, inner in places]
    meaning = official_splits(filter(None, words))
    for (one, inner), word in zip(places, words, strict=True):
        split = meaning.get(word)
        start = "".join(f"{_escaped(name)}/" for name in (*one.parts, inner) if name)
        above = [name for name in one.parts[common:-1] if not split_of_word(name)]
        if one.label == "real":
            yield Rule(f"{start}**", "real", "camera", "camera", split=split)
        elif above:
            yield Rule(f"{start}**", "fake", _literal(above[0]), split=split)
        else:
            yield Rule(f"{start}{{generator}}/**", "fake", "{generator}", split=split)
            yield Rule(f"{start}*", "fake", "unknown", split=split)


def _in_common(paths: Sequence[Parts]) -> int:
    """How many names all paths begin with."""
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False)))


def _split_word(parts: Parts) -> str:
    """The name that says which split a folder is, the innermost; empty where none does."""
    # Of a folder of a class the split may be a part of its name: `real_test`.
    names = [name for name in parts if split_of_word(name, inside=label_of(name) is not None)]
    return names[-1] if names else ""


def official_splits(words: Iterable[str]) -> dict[str, str]:
    """Return what a dataset's own names of splits mean here, as `Rule.split`; empty where they do not make sets.

    Where only one set is held out it is the test split, and `train+val` shares the rest out by hash: what a dataset
    keeps apart is never trained on, and there is always something to validate with.
    """
    usual = {word: split for word in words if (split := split_of_word(word, inside=True))}
    held_out = {split for split in usual.values() if split != "train"}
    if "train" not in usual.values() or not held_out:
        return {}
    if len(held_out) == 2:
        return usual
    return {word: "train+val" if split == "train" else "test" for word, split in usual.items()}


@dataclass(frozen=True)
class _TableRules:
    """The rules of a metadata table, what its names of splits mean, and what is missing for both classes."""

    rules: tuple[Rule, ...] = ()
    splits: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    beside: "_Beside | None" = None


@dataclass(frozen=True)
class _Beside:
    """A table without labels beside folders of classes: its path in the dataset, and the attributes that it gives."""

    table: str
    attributes: tuple[tuple[str, str], ...]


def _with_attributes(rules: Iterable[Rule], tables: Mapping[Parts, _Beside]) -> Iterator[Rule]:
    """Each rule, and before it one for the pictures that a table above them knows more of."""
    for rule in rules:
        for parts, beside in tables.items():
            start = "".join(f"{_escaped(name)}/" for name in parts)
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


def _rules_of_table(folder: Path, parts: Parts, of_folder: str | None) -> _TableRules:
    """Rules that look pictures up in a metadata table; none where it has no label, for then the folders say it."""
    frame = read_lookup_table(folder.joinpath(*parts))
    columns = {name.lower(): name for name in frame.columns if re.fullmatch(r"[^\W\d][\w ]*", name)}
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if FILE_NAME not in frame.columns:
        return _TableRules()
    if label is None:
        attributes = tuple(
            (name, f"{{{column}}}") for name, column in _attributes(frame.columns) if column != FILE_NAME
        )
        return _TableRules(beside=_Beside("/".join(map(_literal, parts)), attributes) if attributes else None)
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
    start = "".join(f"{_escaped(name)}/" for name in parts[:-1])
    rules = [
        Rule(
            f"{start}{{{FILE_NAME}**}}",
            one,
            "camera" if one == "real" else (f"{{{generator}}}" if generator else "unknown"),
            "camera" if one == "real" else "",
            split=f"{{{split}}}" if meaning else of_folder,
            lookup=Lookup(
                "/".join(map(_literal, parts)),
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
    return _TableRules(tuple(rules), meaning, problem)


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
        return yes if text.lower() in _YES else no if text.lower() in _NO else label_of(text)
    return label_of(text)


def _attributes(columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of attributes and the columns that they come from; a column of which none can be made is left out."""
    taken = set()
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        if re.fullmatch(r"[^\W\d][\w ]*", column) and attribute_problem(name) is None and name not in taken:
            taken.add(name)
            yield name, column


def _escaped(name: str) -> str:
    """A folder's name for a glob: what a glob understands otherwise matches as any one character."""
    return re.sub(r"[*{}]", "?", name)


def _literal(text: str) -> str:
    """A text for a rule, in which braces are no words."""
    return text.replace("{", "{{").replace("}", "}}")
