"""The repository itself: no large file by accident, no dead link, no path in prose that is gone, no stray blanks."""

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
LARGEST = 512 * 1024
LARGE = {"export/shipped/bundle.zip", "train/image/face_finder/models/full_range.tflite"}
# What a path in backticks begins with where it is meant to be one of the project's.
TOPS = ("android_demo", "datasets", "docs", "ela", "export", "tests", "train")


@cache
def tracked() -> tuple[str, ...]:
    """Files that a clone has or will have."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return tuple(name for name in done.stdout.split("\0") if name and (ROOT / name).exists())


def pages() -> list[Path]:
    """Every Markdown page."""
    return [ROOT / name for name in tracked() if name.endswith(".md") and not name.startswith("export/shipped/")]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_no_file_is_large_by_accident() -> None:
    large = {name for name in tracked() if (ROOT / name).stat().st_size > LARGEST}
    assert large <= LARGE


def test_links_lead_somewhere() -> None:
    dead = []
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
        for link in links:
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = (page.parent / path) if path else page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert not dead


def test_every_path_named_in_prose_exists() -> None:
    gone = []
    for page in pages():
        if page.name == "CHANGELOG.md":
            continue
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for name in re.findall(rf"`((?:{'|'.join(TOPS)})/[\w./-]*[\w/])`", text):
            if not (ROOT / name).exists() and "NAME" not in name and not name.startswith("export/report"):
                gone.append(f"{page.relative_to(ROOT)}: {name}")
    assert not gone


def test_text_files_end_in_one_newline_and_lines_without_blanks() -> None:
    suffixes = {".py", ".toml", ".md", ".yaml", ".yml", ".cff", ".j2", ".js", ".kt", ".java"}
    stray = []
    for name in tracked():
        path = ROOT / name
        if path.suffix not in suffixes or path.is_symlink() or path.is_dir():
            continue
        data = path.read_bytes()
        if data and (not data.endswith(b"\n") or data.endswith(b"\n\n") or re.search(rb"[ \t\r]\n", data)):
            stray.append(name)
    assert not stray
