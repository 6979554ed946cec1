"""LiteRT.js in headless Chromium: what a detector gives on a web page, with nothing fetched from elsewhere.

A page from a loopback server opens the detector with the module of export/web/js, which the web page and other people's
pages use too, runs every view and posts the raw outputs back. Scores and heatmaps have the bits of x86, for the sigmoid
is made of exactly rounded operations (export/tflite/convert.py); only the build `compat`, without fused multiply-add,
rounds the float head more often: about 1e-6 apart.
Package: @litertjs/core, https://ai.google.dev/edge/litert/web
"""

import base64
import contextlib
import hashlib
import json
import queue
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.chromium import find_chromium, foreign_requests, net_log, showing
from export.runtimes.interface import Output, RuntimeAbsentError, check_views
from export.runtimes.loopback import Files, serve_files
from export.runtimes.process import run_tool
from train.common.errors import ExportError
from train.common.progress import LogCallback

_PAGE_FOLDER = Path(__file__).parent / "browser_page"
# Data, not a package: export.web is built upon this one.
MODULE_FOLDER = Path(__file__).parents[1] / "web" / "js"
"""Where the detector module's JavaScript files lie."""
# npm's own files: versions and hashes, no addresses.
_NPM_FILES = ("package.json", "package-lock.json")
INGREDIENTS = tuple((_PAGE_FOLDER / name).read_text(encoding="utf-8") for name in _NPM_FILES)

TIMEOUT = 120.0
"""Seconds that Chromium has for all views."""
# The page closes its window, and then Chromium ends.
_SECONDS_TO_END = 20

BUILDS: dict[str, tuple[str, dict[str, bool]]] = {
    # The choice that LiteRT.js makes itself: relaxed SIMD where the browser has it, else `compat`.
    "default": ("wasm/", {}),
    "compat": ("wasm/litert_wasm_compat_internal.js", {}),
    "jspi": ("wasm/", {"jspi": True}),
    "threaded": ("wasm/", {"threads": True}),
}
"""The builds of LiteRT.js: where its loader lies and the options that it is given."""

_IMPORTS = json.dumps(
    {"imports": {"@litertjs/core": "./core/index.js", "@litertjs/wasm-utils": "./wasm-utils/index.js"}}
)
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Fauxlens</title>'
    f'<body><script type="importmap">{_IMPORTS}</script><script type="module" src="run.js"></script></body></html>'
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; script-src 'self' 'wasm-unsafe-eval' "
        f"'sha256-{base64.b64encode(hashlib.sha256(_IMPORTS.encode()).digest()).decode()}'"
    ),
    # Shared memory, and with it threads, is only for pages that are apart from all others.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}
# What a page may say about a failure, in bytes.
_WORDS = 1 << 16


def run(tflite: bytes, views: np.ndarray, build: str = "default") -> Output:
    """Run views uint8 [N, S, S, 3] through a sealed detector file with a build of BUILDS.

    Raises RuntimeAbsentError where assets are missing, and ExportError for a file that is damaged or not sealed, views
    of another shape, a browser that fails or says nothing in TIMEOUT, and a page that asked anyone else for anything.
    """
    description = read_description(tflite)
    if (reason := missing()) is not None:
        raise RuntimeAbsentError(reason)
    check_views(views, description.size)
    height, width = description.heatmap
    if not len(views):
        return Output(np.zeros((0, 2), np.float32), np.zeros((0, height, width), np.float32))
    loader, options = BUILDS[build]
    files: Files = {
        "": ("text/html", _PAGE.encode()),
        "run.js": ("text/javascript", _PAGE_FOLDER / "run.js"),
        "build.json": ("application/json", json.dumps({"loader": loader, "options": options}).encode()),
        "detector.tflite": ("application/octet-stream", tflite),
        "views.bin": ("application/octet-stream", views.tobytes()),
        **{f"js/{path.name}": ("text/javascript", path) for path in sorted(MODULE_FOLDER.glob("*.js"))},
        **runtime_files(),
    }
    row = 2 + height * width
    answer = _answer(_visit(files, most=max(len(views) * row * 4, _WORDS)))
    if len(answer) != len(views) * row * 4:
        raise ExportError(
            f"LiteRT.js answered {len(answer)} bytes where {len(views)} views need {len(views) * row * 4}; "
            "export the detector again."
        )
    rows = np.frombuffer(answer, "<f4").astype(np.float32).reshape(len(views), row)
    return Output(rows[:, :2].copy(), rows[:, 2:].reshape(len(views), height, width).copy())


def missing() -> str | None:
    """What is absent of Chromium and LiteRT.js, in one sentence; None where all is there. It starts nothing."""
    if find_chromium() is None:
        return "The runtime browser needs Chromium, which is not on this machine: apt-get install chromium."
    return runtime_missing()


def runtime_missing() -> str | None:
    """One sentence where LiteRT.js is not set up; None where it is."""
    if not _folder().exists():
        return "The runtime browser needs LiteRT.js, which is not set up: run `fauxlens doctor --set-up browser`."
    return None


def set_up(log: LogCallback) -> None:
    """Let npm fetch LiteRT.js by its lock file, which names versions and hashes, with the user's own configuration.

    Raises ExportError where npm is absent or fails.
    """
    npm = shutil.which("npm")
    if npm is None and not _folder().exists():
        raise ExportError("npm is needed to fetch LiteRT.js and is not installed: apt-get install npm.")

    def make(folder: Path) -> None:
        for name, text in zip(_NPM_FILES, INGREDIENTS, strict=True):
            (folder / name).write_text(text, encoding="utf-8")
        log("npm fetches LiteRT.js (12 MB) ...")
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        run_tool("Fetching LiteRT.js with npm", command, folder)

    make_assets(_folder(), make)


@dataclass(frozen=True)
class _Visit:
    """What came of a page: the first it posted, or `end` or `silence`, and whom it asked (None: that is not known)."""

    kind: str
    body: bytes
    foreign: list[str] | None


def _visit(files: Files, most: int) -> _Visit:
    """Show the page in Chromium until it closes its window."""
    messages: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    program = find_chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="fauxlens-browser-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (
            serve_files(files, _HEADERS, lambda path, body: messages.put((path, body)), most) as (origin, page),
            showing(program, page, folder, lambda line: messages.put(("end", line.encode()))),
        ):
            kind, body = "silence", b""
            with contextlib.suppress(queue.Empty):
                kind, body = messages.get(timeout=TIMEOUT)
                if kind != "end":
                    messages.get(timeout=_SECONDS_TO_END)
        return _Visit(kind, body, foreign_requests(net_log(folder), origin))


def _answer(visit: _Visit) -> bytes:
    """The answer of a page that asked nobody else. Raises ExportError for all else."""
    words = "" if visit.kind == "answer" else " ".join(visit.body.decode(errors="replace").split())[:300].rstrip(".")
    if visit.foreign or visit.kind == "forbidden":
        raise ExportError(
            f"The page in Chromium asked for {visit.foreign[0] if visit.foreign else words}, although everything it "
            f"needs is served locally; do not trust LiteRT.js in {_folder()}: remove that folder and set it up again."
        )
    if visit.kind == "failure":
        raise ExportError(
            f"LiteRT.js failed in Chromium ({words}); export the detector again, or remove {_folder()} and set "
            "LiteRT.js up again."
        )
    if visit.kind == "end":
        raise ExportError(
            f"Chromium ended before it answered; its last line is: {words}; start it yourself to see why."
        )
    if visit.kind != "answer":
        raise ExportError(f"Chromium did not answer within {TIMEOUT:g} seconds; try again on a less busy machine.")
    if visit.foreign is None:
        raise ExportError(
            "Chromium did not finish its log of requests, so network access cannot be ruled out; try again, and if "
            "Chromium is a snap, which may not write to temporary folders, install one from a package."
        )
    return visit.body


def runtime_files() -> Files:
    """The files of LiteRT.js, which must be set up, by the path at which a page serves them."""
    modules = _folder() / "node_modules" / "@litertjs"
    found = {
        "core/index.js": modules / "core" / "dist" / "index.js",
        "wasm-utils/index.js": modules / "wasm-utils" / "dist" / "index.js",
    } | {f"wasm/{path.name}": path for path in sorted((modules / "core" / "wasm").glob("litert_wasm_*"))}
    return {path: (_TYPES.get(file.suffix, "application/octet-stream"), file) for path, file in found.items()}


def _folder() -> Path:
    return assets_folder("browser", INGREDIENTS)
