"""What the README and the docs tell people to type: every verb, option, make target and recipe exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from fauxlens import app
from train.cli.app import VerbGroup

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += [ROOT / "android_demo" / "README.md", ROOT / "datasets" / "README.md"]


def _lines(page: Path) -> list[str]:
    """Lines of a page's shell blocks, joined where they end in a backslash."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    shell = [block for language, block in blocks if language in ("", "sh", "bash", "console")]
    return [line.strip() for block in shell for line in block.replace("\\\n", " ").splitlines()]


def _commands(page: Path) -> list[list[str]]:
    """What is typed after `fauxlens`, word by word: from blocks, and from code in running text."""
    typed = [line for line in _lines(page) if line.startswith("fauxlens ")]
    typed += re.findall(r"`(fauxlens [a-z][^`\n]*)`", page.read_text(encoding="utf-8"))
    return [shlex.split(line, comments=True)[1:] for line in typed]


COMMANDS = [(page.relative_to(ROOT), words) for page in PAGES for words in _commands(page)]


@pytest.mark.parametrize(
    ("page", "words"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_every_command_and_option_exists(page: Path, words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while isinstance(command, VerbGroup) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{page}: fauxlens has no verb {words[0]!r}"
        command, words = command.load(words[0]), words[1:]
    context = command.make_context("fauxlens", [], resilient_parsing=True)
    options = {name for one in command.get_params(context) for name in one.opts}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in options, f"{page}: no option {word}"


def test_the_pages_have_commands_of_most_verbs() -> None:
    named = {words[0] for _, words in COMMANDS if words}
    assert set(typer.main.get_command(app).commands) - named <= {"demo", "doctor"}  # type: ignore[attr-defined]


def test_every_make_target_and_file_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = {line.split()[1] for line in _lines(page) if re.match(r"make [a-z]", line)}
        named |= set(re.findall(r"`make ([a-z]+)`", text))
        assert named <= targets, page
    for page, words in COMMANDS:
        for word in words:
            if word.startswith(("train/recipes/", "export/shipped/")) and "$" not in word:
                assert (ROOT / word).exists(), f"{page}: {word}"


def test_the_readme_reaches_a_result_within_two_screens() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("fauxlens detect photo.jpg")[0]
    assert head.count("\n") < 48


def test_decisions_name_their_file_and_their_test() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    bullets = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    assert len(bullets) > 30
    for bullet in bullets:
        named = re.findall(r"`([\w./-]+/[\w./-]+)`", bullet)
        assert any(one.startswith("tests/") for one in named), bullet
        assert any(not one.startswith("tests/") for one in named), bullet
        assert all((ROOT / one).exists() for one in named), bullet
