"""What the page's tests need from npm: fetched once by its lock file, then kept with the runtimes' assets."""

import shutil
from pathlib import Path

import pytest

from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.chromium import find_chromium
from export.runtimes.process import run_tool

_FILES = tuple(Path(__file__).parent / name for name in ("package.json", "package-lock.json"))


@pytest.fixture(scope="session")
def page_parts() -> Path:
    """The folder with playwright-core, axe-core and TypeScript in its `node_modules`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not on this machine: apt-get install npm.")
    folder = assets_folder("page-tests", [path.read_text(encoding="utf-8") for path in _FILES])

    def make(target: Path) -> None:
        for path in _FILES:
            shutil.copy(path, target)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        run_tool("Fetching the page's test tools with npm", command, target)

    make_assets(folder, make)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    found = find_chromium()
    if found is None:
        pytest.skip("Chromium is not on this machine: apt-get install chromium.")
    return found
