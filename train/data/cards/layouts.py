"""What a folder without a card is: its own source, laid out in one of the ways that datasets of fakes usually are.

real/ fake/GENERATOR/                    also Real/Fake, 0_real/1_fake, training_real/training_fake, nature/ai
GENERATOR/real/ GENERATOR/fake/          the folder above the classes names the generator
train/real/ val/real/ test/real/         or the split below the class; valid, validation and dev are val
metadata.csv or metadata.jsonl           Hugging Face's imagefolder: file_name, label, and attributes
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from train.common.errors import DataError
from train.common.text import printable
from train.data.cards.globs import escaped, literal
from train.data.cards.imagefolder import METADATA, AttributeTable, Parts, rules_of_table, with_attributes
from train.data.cards.rules import Card, Rule, usual_layout
from train.data.cards.words import label_of_word, official_splits, split_of_word
from train.data.manifest import Manifest
from train.image.files import folder_problem

ANY_FOLDER = "usual-layout"
"""The source of every folder without a card until December 2026; manifests that have it keep it."""

EXPECTED = (
    "real/ and fake/ or fake/GENERATOR/ (also Real and Fake, 0_real and 1_fake, training_real and training_fake, each "
    "with train, val and test above or below), or metadata.csv or .jsonl with file_name and label"
)
"""What a folder without a card may look like, for a sentence."""

# Deeper than any dataset that is known puts its classes.
_DEPTH = 6


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
    attributes: dict[Parts, AttributeTable] = {}
    for parts in survey.tables:
        try:
            found = rules_of_table(folder, parts, meaning.get(words[parts]))
        except DataError as error:
            # A table of that name need not be one of these; folders may say it all.
            problems.append(str(error))
            continue
        rules += found.rules
        if found.beside is not None:
            attributes[parts[:-1]] = found.beside
        problems += filter(None, [found.problem])
        splits |= found.splits
    rules += with_attributes(_rules_of_classes(survey.classes), attributes)
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
            label = label_of_word(name)
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
        start = "".join(f"{escaped(name)}/" for name in (*one.parts, inner) if name)
        above = [name for name in one.parts[common:-1] if not split_of_word(name)]
        if one.label == "real":
            yield Rule(f"{start}**", "real", "camera", "camera", split=split)
        elif above:
            yield Rule(f"{start}**", "fake", literal(above[0]), split=split)
        else:
            yield Rule(f"{start}{{generator}}/**", "fake", "{generator}", split=split)
            yield Rule(f"{start}*", "fake", "unknown", split=split)


def _in_common(paths: Sequence[Parts]) -> int:
    """How many names all paths begin with."""
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False)))


def _split_word(parts: Parts) -> str:
    """The name that says which split a folder is, the innermost; empty where none does."""
    # Of a folder of a class the split may be a part of its name: `real_test`.
    names = [name for name in parts if split_of_word(name, inside=label_of_word(name) is not None)]
    return names[-1] if names else ""
