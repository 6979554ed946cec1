"""Every language of the app says all that English says, with the same numbers and names in it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from android_demo.apk import layout
from export.inference.picture_result import LARGER, NO_FACE
from train.image.marks.tables import mark_tables

_RES = layout.SOURCES / "res"
_FILES = ("strings.xml", "sentences.xml", "evidence.xml", "refusals.xml")
LANGUAGES = ("de", "es", "fr")
# What stands in brackets in these is what a developer reads, and comes in English: other languages leave it out.
_FOR_DEVELOPERS = {
    "refused_graph",
    "refused_graph_broken",
    "refused_not_json",
    "refused_not_run",
    "trouble_engine",
    "trouble_gpu",
    "trouble_not_written",
    "trouble_test",
    "trouble_unexpected",
}
# Names that are the same everywhere.
_UNTRANSLATED = {"app_name"}


def texts(folder: Path) -> dict[str, str]:
    """The texts by name; those of a plural by name and quantity."""
    found: dict[str, str] = {}
    for file in _FILES:
        for element in ElementTree.parse(folder / file).getroot():
            name = element.attrib["name"]
            if element.tag == "plurals":
                found |= {f"{name} {item.attrib['quantity']}": item.text or "" for item in element}
            else:
                found[name] = element.text or ""
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_with_all_that_it_is_filled_with(language: str) -> None:
    english, other = texts(_RES / "values"), texts(_RES / f"values-{language}")
    assert english.keys() - other.keys() == _UNTRANSLATED and other.keys() <= english.keys()
    filled = re.compile(r"%\d\$,?[sd]|%%|\\n")
    for name, text in other.items():
        same = re.sub(r" \(%\d\$s\)", "", english[name]) if name in _FOR_DEVELOPERS else english[name]
        assert (same != english[name]) == (name in _FOR_DEVELOPERS), name
        assert sorted(filled.findall(text)) == sorted(filled.findall(same)), name
        # An apostrophe or a quotation mark that is not escaped is dropped by Android.
        assert not re.search(r"""(?<!\\)['"]""", text), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_failures_are_sentences(language: str) -> None:
    for name, text in texts(_RES / f"values-{language}").items():
        if name.startswith(("trouble_", "note_")):
            assert text.endswith((".", "%1$s")) and "\n" not in text, name


def test_refusals_are_translated_whole_and_in_english_as_core_says_them() -> None:
    """Each kind of core's Refusal has its sentence, or part of one, in every language."""
    wordings = _wordings("Refusal.kt", "refused_")
    assert len(wordings) > 80
    # These stand in a sentence; all others are one.
    parts = ("refused_unpack_", "refused_value_", "refused_variant_")
    english = {name: text for name, text in texts(_RES / "values").items() if name.startswith("refused_")}
    assert {name: text.replace("\\'", "'") for name, text in english.items()} == wordings
    for language in LANGUAGES:
        for name, text in texts(_RES / f"values-{language}").items():
            if name in wordings and name != "refused_said":
                assert text != wordings[name], (language, name)
                # refused_view_unknown ends with another of these sentences.
                assert text.endswith((".", ": %2$s")) != name.startswith(parts), (language, name)


def test_english_of_evidence_is_that_of_core_and_of_python() -> None:
    """The app's English resources, `core`'s wordings and the sentences of `fauxlens detect` are the same words."""
    resources = texts(_RES / "values")
    wordings = {
        **_wordings("marks/MarkWording.kt", "mark_"),
        **_wordings("marks/Summary.kt", "summary_"),
    }
    assert len(wordings) > 60
    for name, english in wordings.items():
        assert resources[name].replace("\\u0020", " ").replace("\\'", "'") == english, name
    python = (layout.REPOSITORY / "export" / "inference" / "evidence.py").read_text(encoding="utf-8")
    for name, english in wordings.items():
        assert not name.startswith("summary_") or english in python, name
    words = {words for _, words in mark_tables().source_types.values()}
    assert words <= set(wordings.values())


def test_english_of_what_faces_are_missing_or_small_is_that_of_python() -> None:
    """A person who sees a picture in the app and one who runs `detect` read the same remedy."""
    resources = texts(_RES / "values")
    assert resources["note_small_face"] == f"Face %1$d is too small to classify: {LARGER}."
    assert resources["note_no_face"] == NO_FACE


ORIGINAL = {"de": "das Original", "es": "el original", "fr": "l’original"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_the_remedy_for_a_face_that_is_too_small(language: str) -> None:
    said, _, remedy = texts(_RES / f"values-{language}")["note_small_face"].partition(":")
    assert "%1$d" in said
    assert ORIGINAL[language] in remedy


def _wordings(file: str, prefix: str) -> dict[str, str]:
    source = (layout.DEMO / "core/src/main/kotlin/fauxlens/core" / file).read_text(encoding="utf-8")
    found = re.findall(r'^    ([A-Z][A-Z_0-9]+)\("((?:[^"\\]|\\.)*)"\),$', source, re.MULTILINE)
    return {prefix + name.lower(): text.replace("\\$", "$").replace('\\"', '"') for name, text in found}
