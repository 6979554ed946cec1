"""Names in the code: those of classes and functions mean one thing, and words that the glossary replaces stay away."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ela", "train", "export")

REPLACED = {
    "lesson": "training stage",
    "material": "stage data",
    "crew": "process pool",
    "mate": "worker",
    "lot": "chunk",
    "disturb": "corrupt (evaluation) or augment (training)",
    "disturbed": "corrupted or augmented",
    "disturbance": "corruption or augmentation",
    "disturbances": "corruptions or augmentations",
    "undisturbed": "uncorrupted",
    "judge": "evaluate",
    "judged": "evaluated, or reported of rows",
    "judges": "evaluates",
    "judging": "evaluation",
    "judgement": "evaluation",
    "judgements": "evaluations",
    "null": "metadata baseline",
    "repeats": "duplicates",
    "sight": "preprocessing spec",
    "aim": "face alignment",
    "aimed": "aligned",
    "trip": "run",
    "trips": "runs",
    "departs": "differs",
    "held": "compared, or kept",
    "yardstick": "baseline engine",
    "yardsticks": "baseline engines",
    "promise": "guarantee, or requirement",
    "promises": "guarantees, or requirements",
    "promised": "guaranteed, or expected",
    "guest": "worker",
    "guests": "workers",
    "told": "result, or log",
    "say": "log, or report",
    "heard": "received",
    "hears": "receives",
    "tick": "callback, or progress",
    "wish": "request",
    "receipt": "provenance",
    "mend": "remedy",
    "how": "split spec",
    "door": "entry point",
    "coin": "interchange format",
}
"""A part of a name -> what to write instead (docs/glossary.md)."""

ALLOWED = {
    "n_judged": "a key of report.json, format 1",
    "judged": "a value of `explain --rows`",
    "null_auc": "a limit of `data audit --limit`",
    "held_out": "a key of recipes, and the field's own word",
    "held": "a key of `benchmark --json`, format 1",
    "_tick": "labels an axis of a figure",
    "HOW_TO_READ": "the sentences below a table",
}
"""Names that keep a replaced word -> why."""


SHARED = {
    "front_end": ("ela/", "what each front end is made by"),
    "main": ("", "what a program of its own runs"),
    "missing": ("export/runtimes/", "the interface of runtimes"),
    "run": ("export/runtimes/", "the interface of runtimes"),
    "set_up": ("export/runtimes/", "the interface of runtimes"),
}
"""Functions that several modules of a folder define alike -> the folder, and why."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


SOURCES = dict(sources())


def parts_of(name: str) -> list[str]:
    """The words of a name: `CamelCase` and `snake_case` alike, in lower case."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def names_in(tree: ast.Module) -> Iterator[str]:
    """What a module gives a name to: classes, functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname


def replaced_in(name: str) -> list[str]:
    """The replaced words in a name that is not allowed to have them."""
    return [] if name in ALLOWED else [word for word in parts_of(name) if word in REPLACED]


def classes_in(tree: ast.Module) -> list[str]:
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def functions_in(tree: ast.Module) -> list[str]:
    """Public functions of a module; methods are told apart by their classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in SOURCES.items():
        for name in classes_in(tree):
            places[name].append(path)
    assert not {name: paths for name, paths in places.items() if len(paths) > 1}


def test_no_function_name_means_two_things() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in SOURCES.items():
        for name in functions_in(tree):
            places[name].append(path)
    several = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert several.keys() >= SHARED.keys()
    for name in SHARED:
        folder, _ = SHARED[name]
        several[name] = [path for path in several[name] if not path.startswith(folder)]
    assert not {name: paths for name, paths in several.items() if paths}


def test_no_name_has_a_replaced_word() -> None:
    wrong = [
        f"{path}: {name}: write {REPLACED[word]}"
        for path, tree in SOURCES.items()
        for name in sorted({*names_in(tree), Path(path).stem})
        for word in replaced_in(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_needed() -> None:
    used = {name for tree in SOURCES.values() for name in names_in(tree)}
    assert set(ALLOWED) <= used


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JudgedPart", ["judged"]),
        ("hold_yardsticks", ["yardsticks"]),
        ("_GUEST", ["guest"]),
        ("n_judged", []),
        ("material", ["material"]),
        ("materialise", []),
        ("XMPSight2", ["sight"]),
    ],
)
def test_words_are_found_in_names_of_every_case(name: str, words: list[str]) -> None:
    assert replaced_in(name) == words


def test_what_is_given_a_name_is_found() -> None:
    tree = ast.parse("import a as b\nclass C:\n    d: int = 1\n    def e(self, f, *g):\n        self.h = i = 2")
    assert {"b", "C", "d", "e", "f", "g", "h", "i"} <= set(names_in(tree))
    assert classes_in(tree) == ["C"]
    assert functions_in(ast.parse("def a(): ...\nclass C:\n    def b(self): ...\ndef _c(): ...")) == ["a"]
