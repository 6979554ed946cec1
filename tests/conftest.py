"""What many tests need: a small sample, and a run trained on it and taken all the way to a bundle."""

import ast
import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from train.data.manifest import read_manifest, write_manifest
from train.fit.run_folder import Run, open_run
from train.recipe import Recipe, parse_recipe

# A busy machine must not fail a test: no time limit for one example.
settings.register_profile("untimed", deadline=None)
# For `make check`: a fifth of the usual 100 examples of each property.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

# Fixtures that train, scan hundreds of pictures, convert a network or start another program: their users are slow.
SLOW_FIXTURES = frozenset(
    (
        "small_manifest",
        "trained_run",
        "bundle_path",
        "tiny",
        "make_run",
        "study",
        "classifier",
        "chromium",
        "latex",
        "page_parts",
        "mtcnn",
        "shared_faces",
        "installed",
        "apk",
    )
)

SMALL_RECIPE = {
    "title": "Small sample for tests",
    "data": {"view": "upright|square|resize(96)", "generators": ["camera", "gan-like"], "licences": ["Drawn."]},
    "model": {"width": 0.25, "weights": "none", "dropout": 0.1, "batch_norm_momentum": 0.9},
    "stages": [
        {"name": "warm-up", "epochs": 1, "learning_rate": 1e-3, "train_from": "head"},
        {"name": "learn", "epochs": 40, "learning_rate": 3e-3, "train_from": "all", "schedule": "cosine"},
    ],
    "fit": {"batch_size": 16, "patience": 40, "seed": 3},
    "quantize": {"calibration_batches": 12, "epochs": 1, "learning_rate": 1e-5},
}


# Folders whose tests start other programs, or search many pictures for copies of each other.
SLOW_FOLDERS = ("export/runtimes", "export/foreign", "export/web", "train/data/audit/pixels", "train/data/reconstruct")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow, so that `make check` leaves them out: users of slow fixtures, slow folders, starts of Python."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        starts = names | {getattr(item, "originalname", item.name)}
        if (
            names & SLOW_FIXTURES
            or any(item.path.is_relative_to(ROOT / "tests" / folder) for folder in SLOW_FOLDERS)
            or starts & _starting_python(item.path)
        ):
            item.add_marker(pytest.mark.slow)


@functools.cache
def _starting_python(path: Path) -> frozenset[str]:
    """The functions of a test file that start another Python, which takes a second, or call one of it that does."""
    functions = {
        node.name: (ast.unparse(node), {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)})
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    found = {name for name, (text, _) in functions.items() if "sys.executable" in text}
    while more := {name for name, (_, called) in functions.items() if called & found} - found:
        found |= more
    return frozenset(found)


@pytest.fixture(scope="session")
def shared_faces() -> Path:
    """The folder of real labelled pictures; tests that need it are skipped where it is not."""
    if not (SHARED / "faces" / "faces.csv").exists():
        pytest.skip("the real pictures (../shared/faces) are not on this machine")
    return SHARED / "faces"


@pytest.fixture(scope="session")
def small_recipe() -> Recipe:
    """A recipe that learns the sample's gan-like pictures in well under a minute."""
    return parse_recipe(SMALL_RECIPE, "tests/conftest.py")


@pytest.fixture(scope="session")
def cache(pytestconfig: pytest.Config, small_recipe: Recipe) -> Path:
    """A folder that outlives the session and is new whenever the recipe, the lock file or the code changes."""
    digest = hashlib.sha256(small_recipe.text.encode())
    rooms = (ROOT / "ela", ROOT / "train", ROOT / "export")
    for path in [ROOT / "requirements.lock", *sorted(path for room in rooms for path in room.rglob("*.py"))]:
        digest.update(path.read_bytes())
    folder = Path(pytestconfig.cache.mkdir("fauxlens")) / digest.hexdigest()[:16]
    for old in folder.parent.iterdir():
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)  # another worker may be at it
    folder.mkdir(exist_ok=True)
    return folder


def _made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Let `make` fill a folder once, whichever of pytest's workers comes first; one that is killed leaves none."""
    target = folder / name
    with FileLock(folder / f"{name}.lock"):
        if not target.exists():
            temporary = Path(tempfile.mkdtemp(dir=folder))
            make(temporary)
            temporary.rename(target)
    return target


@pytest.fixture(scope="session")
def small_manifest(cache: Path) -> Path:
    """The manifest of a sample of 400 portraits of 96 px."""

    def make(folder: Path) -> None:
        from train.data.cards.reader import read_card
        from train.data.sample.make import make_sample
        from train.data.scan.scan import scan

        make_sample(folder / "sample", count=400, size=96, seed=5)
        card = read_card(ROOT / "datasets" / "drawn-sample.toml")
        manifest, skipped = scan(folder / "sample", card, manifest_path=folder / "manifest.csv")
        assert not skipped
        write_manifest(manifest, folder / "manifest.csv")

    return _made_once(cache, "data", make) / "manifest.csv"


@pytest.fixture(scope="session")
def trained_run(cache: Path, small_manifest: Path, small_recipe: Recipe) -> Run:
    """A finished float run with both int8 states."""

    def make(folder: Path) -> None:
        from export.quantize.fake_quant import quantise_run
        from train.fit.pipeline import complete
        from train.fit.run_folder import start_run

        run = start_run(folder, small_recipe, small_manifest, read_manifest(small_manifest))
        complete(run)
        quantise_run(run)

    return open_run(_made_once(cache, "run", make))


@pytest.fixture(scope="session")
def bundle_path(trained_run: Run, cache: Path) -> Path:
    """The bundle of the trained run."""

    def make(folder: Path) -> None:
        from export.release.pipeline import export_run

        export_run(trained_run, folder)

    return _made_once(cache, "export", make) / "bundle.zip"


@pytest.fixture(scope="session")
def chromium() -> Callable[[Path, Path], tuple[set[str], str]]:
    """Show a page in Chromium: what it asks the network for, housekeeping apart, and the page that it made.

    The second path is an empty folder to work in.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")

    def requests_and_dom(page: Path, folder: Path) -> tuple[set[str], str]:
        log = folder / "net.json"
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        switches += ["--disable-background-networking", "--disable-component-update", "--dump-dom"]
        switches += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}"]
        dom = subprocess.run(
            [program, *switches, f"--log-net-log={log}", page.as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        asked = set(re.findall(r'"url":"(https?://[^"]*)"', log.read_text(errors="replace")))
        return {url for url in asked if not re.match(r"https?://[^/]*\.(google|googleapis|gstatic)\.com/", url)}, dom

    return requests_and_dom


@pytest.fixture
def latex(tmp_path: Path) -> Callable[[str], None]:
    """Set text as the body of an article without packages: there is no error, and no letter is missing."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no LaTeX on this machine: apt-get install texlive-latex-base")

    def typeset(body: str) -> None:
        (tmp_path / "page.tex").write_text(
            f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n", encoding="utf-8"
        )
        switches = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        done = subprocess.run(
            [program, *switches, "page.tex"], cwd=tmp_path, capture_output=True, timeout=300, check=False
        )
        log = (tmp_path / "page.log").read_text(encoding="utf-8", errors="replace")
        assert done.returncode == 0, log[-2000:]
        assert "Missing character" not in log, log[-2000:]

    return typeset


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """An empty folder and the loopback address that serves it, without a slash at its end."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()
