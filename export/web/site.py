"""A web site that evaluates pictures: the page, the detector module, LiteRT.js and one bundle, in files of one folder.

The site asks nothing of its host but to serve files. Its pages carry their content security policy, and hashes of every
script and of the bundle (Subresource Integrity, also in import maps: https://w3c.github.io/webappsec-subresource-integrity/).
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from export.artifacts.bundle import Bundle, read_bundle
from export.artifacts.slim import slim_bundle
from export.runtimes import browser
from train.common.errors import ExportError
from train.common.locks import filled_folder
from train.image.marks.tables import TABLES

_FOLDER = Path(__file__).parent
BUNDLE = "model/bundle.zip"
MANIFEST = "site.json"
MARKS = "marks.json"
# The builds of LiteRT.js that a page without threads may choose: with and without relaxed SIMD.
_BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")
_SCRIPTS = {"index.html": "app.js", "self-test.html": "self_test_page.js"}
_PAGES = ("index.html", "self-test.html")

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Headers that a host should add, which a page cannot set for itself."""


def site_files(bundle: Path) -> dict[str, bytes]:
    """The files of a site that evaluates pictures with what `bundle` ships, by their path in the folder.

    Only the default variant travels. Raises ExportError where the bundle is none or LiteRT.js is not set up.
    """
    opened = read_bundle(bundle)
    _check_runtime()
    files = {
        **{path.name: path.read_bytes() for path in _pages_folder() if path.name not in _PAGES},
        **_module(),
        MARKS: TABLES.read_bytes(),
        **_runtime(),
        BUNDLE: slim_bundle(opened, opened.default),
        "model/model_card.md": opened.card.encode("utf-8"),
        "LICENCES.txt": _licences(opened).encode("utf-8"),
    }
    files[MANIFEST] = _json(
        {
            "version": _version(),
            "runtime": f"LiteRT.js {_litert_version()}",
            "bundle": BUNDLE,
            "integrity": integrity(files[BUNDLE]),
            "wasm": "runtime/wasm/",
        }
    )
    for page in _PAGES:
        files[page] = _page(page, files)
    hashes = {path: integrity(data) for path, data in sorted(files.items())}
    release = hashlib.sha256(_json(hashes)).hexdigest()[:16]
    # A change of any file changes this one, by which a browser sees that the site is a new release.
    files["sw_files.js"] = f"const RELEASE = '{release}';\nconst FILES = {json.dumps(hashes, indent=1)};\n".encode()
    files["_headers"] = _headers()
    return files


def check_site_folder(folder: Path) -> None:
    """Raise ExportError where a folder holds something that no site may replace; call it before the work."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())):
        raise ExportError(f"{folder} contains files that are not a Fauxlens site; name another folder.")


def write_site(bundle: Path, folder: Path) -> Path:
    """Write the site of `site_files` into `folder`, whole or not at all; an earlier site there is replaced.

    Returns the path of its page. Raises ExportError as `site_files`, and where the folder holds something else.
    """
    check_site_folder(folder)
    files = site_files(bundle)
    with filled_folder(folder) as inside:
        for path, data in files.items():
            (inside / path).parent.mkdir(parents=True, exist_ok=True)
            (inside / path).write_bytes(data)
    return folder / "index.html"


def content_type(path: str) -> str:
    """The content type of a file of a site, by its name."""
    return CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream")


def integrity(data: bytes) -> str:
    """The hash of a file as Subresource Integrity writes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode()}"


def _pages_folder() -> list[Path]:
    return sorted(path for path in (_FOLDER / "page").iterdir() if path.is_file())


def _module() -> dict[str, bytes]:
    folder = browser.MODULE_FOLDER
    return {f"js/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in sorted(folder.rglob("*.js"))}


def _check_runtime() -> None:
    if (reason := browser.runtime_missing()) is not None:
        raise ExportError(reason)


def _runtime() -> dict[str, bytes]:
    found = {}
    for path, (_, content) in browser.runtime_files().items():
        if not path.startswith("wasm/") or Path(path).stem in _BUILDS:
            assert isinstance(content, Path)
            found[f"runtime/{path}"] = content.read_bytes()
    return found


def _litert_version() -> str:
    packages = json.loads(browser.INGREDIENTS[0])["dependencies"]
    return str(packages["@litertjs/core"])


def _version() -> str:
    try:
        return version("fauxlens")
    except PackageNotFoundError:
        return "of this source tree"


def _licences(bundle: Bundle) -> str:
    seen = bundle.descriptions[bundle.default].licences
    lines = [
        "Fauxlens (this page and its detector module): Apache License 2.0.",
        f"LiteRT.js {_litert_version()} (npm: @litertjs/core, @litertjs/wasm-utils; runtime/): Apache License 2.0.",
        "BlazeFace (npm: @mediapipe/face_detection), where faces are looked for: Apache License 2.0.",
        "The licence's text: https://www.apache.org/licenses/LICENSE-2.0",
        "",
        "The detector in model/bundle.zip learned from pictures under these terms:",
        *(f"- {licence}" for licence in seen),
    ]
    return "\n".join(lines) + "\n"


def _page(name: str, files: Mapping[str, bytes]) -> bytes:
    """A page with its policy, import map and hashes filled in."""
    import_map = _import_map(files)
    scripts = sorted(path for path in files if path.endswith(".js") and _is_module(path))
    head = [
        f'<script type="importmap">{import_map}</script>',
        f'<link rel="stylesheet" href="style.css" integrity="{integrity(files["style.css"])}">',
        *(f'<link rel="modulepreload" href="{path}" integrity="{integrity(files[path])}">' for path in scripts),
        f'<script type="module" src="{_SCRIPTS[name]}" integrity="{integrity(files[_SCRIPTS[name]])}"></script>',
    ]
    policy = f'<meta http-equiv="Content-Security-Policy" content="{content_security_policy(import_map)}">'
    text = (_FOLDER / "page" / name).read_text(encoding="utf-8")
    return text.replace("<!-- policy -->", policy).replace("<!-- head -->", "\n".join(head)).encode("utf-8")


def _is_module(path: str) -> bool:
    return not path.startswith("runtime/wasm/") and path not in ("sw.js", *_SCRIPTS.values())


def _import_map(files: Mapping[str, bytes]) -> str:
    names = {"@litertjs/core": "./runtime/core/index.js", "@litertjs/wasm-utils": "./runtime/wasm-utils/index.js"}
    hashes = {f"./{path}": integrity(data) for path, data in files.items() if path.endswith(".js") and _is_module(path)}
    return json.dumps({"imports": names, "integrity": hashes}, sort_keys=True)


def content_security_policy(import_map: str) -> str:
    """What a page may do: run its own scripts and WebAssembly, and ask its own origin for files; nothing remote."""
    return (
        f"default-src 'none'; script-src 'self' 'wasm-unsafe-eval' '{integrity(import_map.encode())}'; "
        "style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'"
    )


def _headers() -> bytes:
    """The file in which some static hosts look for headers (Netlify, Cloudflare Pages); others are set up by hand."""
    lines = ["/*", *(f"  {name}: {value}" for name, value in ISOLATION.items()), "  X-Frame-Options: DENY"]
    return ("\n".join(lines) + "\n").encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("utf-8")
