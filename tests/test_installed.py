"""A wheel as `python -m build` makes it, in an environment that has its declared dependencies and nothing else."""

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from train.common.version import VERSION

ROOT = Path(__file__).parents[1]
PACKAGES = ("train", "ela", "export")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of what git tracks, without reaching for the network."""
    source, dist = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Links are kept: package data reaches through two of them.
        target.symlink_to((ROOT / name).readlink()) if (ROOT / name).is_symlink() else target.write_bytes(
            (ROOT / name).read_bytes()
        )
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = dist.iterdir()
    return made


def tracked() -> list[str]:
    """Files of the project that a clone would have."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel and what it requires without extras, linked from the packages here."""
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    site = next((place / "lib").glob("python3*")) / "site-packages"
    with zipfile.ZipFile(wheel) as opened:
        metadata = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        required = message_from_string(opened.read(metadata).decode("utf-8")).get_all("Requires-Dist") or []
    for name in closure(required):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return place / "bin"


def closure(required: list[str]) -> set[str]:
    """Names of all distributions that these requirements bring, without extras."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in required]
    while waiting:
        one = waiting.pop()
        if one.name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(one.name)
        waiting += [Requirement(text) for text in distribution(one.name).requires or ()]
    return found


def run(installed: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of that environment, which sees nothing of this one."""
    command = [str(installed / words[0]), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env={"PATH": "/usr/bin:/bin"})


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    ours = {name for name in tracked() if name.startswith(tuple(f"{one}/" for one in PACKAGES))}
    links = {name for name in ours if (ROOT / name).is_symlink()}
    assert ours - held - links == set()
    assert len([name for name in held if "/shipped_cards/" in name]) == len(list((ROOT / "datasets").glob("*.toml")))


def test_a_base_installation_detects_and_names_the_extra_of_the_rest(installed: Path, tmp_path: Path) -> None:
    # A picture with a face: a detector of faces that finds none says so by status 1.
    shutil.copy(ROOT / "docs" / "verdict.png", tmp_path / "a.png")
    assert run(installed, "fauxlens", "--version", cwd=tmp_path).stdout == f"fauxlens {VERSION}\n"
    for words in (["detect", "a.png"], ["ela", "a.png"], ["explain", "a.png"], ["doctor"]):
        done = run(installed, "fauxlens", *words, cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    for words in (
        ["data", "list"],
        ["data", "scan", "."],
        ["data", "audit", "m.csv"],
        ["train", "r.toml"],
        ["compare", "."],
        ["quantize", "."],
        ["export", "."],
        ["evaluate", "a.png", "m.csv"],
        ["demo"],
    ):
        done = run(installed, "fauxlens", *words, cwd=tmp_path)
        assert done.returncode == 2, (words, done.stderr)
        (sentence,) = done.stderr.splitlines()
        assert re.search(r"pip install '\.\[train\]'", sentence), (words, sentence)
