"""A site in a folder: whole, self-contained, small, and never over something that is no site."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED
from export.runtimes import browser
from export.web.site import BUNDLE, MANIFEST, site_files, write_site
from train.common.errors import ExportError

WEB = Path(browser.MODULE_FOLDER).parent


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    if (reason := browser.runtime_missing()) is not None:
        pytest.skip(reason)
    return site_files(SHIPPED)


def test_the_site_carries_the_shipped_detector(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(files[BUNDLE])
    own, shipped = read_bundle(tmp_path / "bundle.zip"), read_bundle(SHIPPED)
    assert own.variants == {shipped.default: shipped.variants[shipped.default]}


def test_every_file_that_a_page_names_is_there_with_its_hash(files: dict[str, bytes]) -> None:
    for page in ("index.html", "self-test.html"):
        text = files[page].decode()
        named = re.findall(r'(?:href|src)="([^"#]+)" integrity="sha256-([^"]+)"', text)
        assert len(named) > 10
        imports = json.loads(re.findall(r'<script type="importmap">(.*?)</script>', text)[0])
        hashes = [
            (path.removeprefix("./"), value.removeprefix("sha256-")) for path, value in imports["integrity"].items()
        ]
        for path, value in named + hashes:
            assert base64.b64decode(value) == hashlib.sha256(files[path]).digest(), path
        assert not [link for link in re.findall(r'(?:href|src)="([^"]+)"', text) if link.startswith(("http", "//"))]
    scripts = {path for path in files if path.startswith("js/")}
    folder = browser.MODULE_FOLDER
    assert {f"js/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.js")} == scripts


def test_no_page_or_script_of_ours_names_an_address(files: dict[str, bytes]) -> None:
    # Namespaces and where a constant comes from, in comments, are no requests.
    known = (
        *("http://www.w3.org/2000/svg", "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/xmp/extension/"),
        "https://ai.google.dev/edge/litert/web",
    )
    for path, data in files.items():
        # XMP's namespaces are names.
        if path == "js/marks/xmp.js":
            continue
        if path.endswith((".js", ".html", ".css")) and not path.startswith("runtime/"):
            for address in re.findall(r"https?://[^\s'\"`)<\\]+", data.decode()):
                assert address.rstrip(",.") in known, f"{path}: {address}"


def test_the_page_is_small(files: dict[str, bytes]) -> None:
    own = [data for path, data in files.items() if not path.startswith(("runtime/", "model/"))]
    assert sum(len(gzip.compress(data)) for data in own) <= 150_000


def test_the_worker_knows_every_file_but_its_own(files: dict[str, bytes]) -> None:
    listed = json.loads(files["sw_files.js"].decode().partition("const FILES = ")[2].rstrip(";\n"))
    assert set(listed) == set(files) - {"sw_files.js", "_headers"}


def test_a_site_is_replaced_and_nothing_else_is(files: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "site"
    page = write_site(SHIPPED, folder)
    assert page == folder / "index.html"
    (folder / "old.js").touch()
    write_site(SHIPPED, folder)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(files)
    (folder / MANIFEST).unlink()
    with pytest.raises(ExportError, match="contains files that are not a Fauxlens site; name another folder"):
        write_site(SHIPPED, folder)
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="name another folder"):
        write_site(SHIPPED, tmp_path / "file")


def test_without_the_runtime_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "none"))
    with pytest.raises(ExportError, match=r"needs LiteRT\.js, which is not set up"):
        write_site(SHIPPED, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_types(page_parts: Path, tmp_path: Path) -> None:
    """The JSDoc types hold, and the declarations for other people say what the module is."""
    if browser.runtime_missing() is not None:
        pytest.skip("LiteRT.js is not set up.")
    shutil.copytree(WEB / "js", tmp_path / "js")
    shutil.copytree(WEB / "page", tmp_path, dirs_exist_ok=True)
    (tmp_path / "sw.js").unlink()
    # Under another name, for beside detector.js TypeScript reads detector.d.ts.
    shutil.copy(WEB / "js" / "detector.js", tmp_path / "js" / "implementation.js")
    (tmp_path / "declared.ts").write_text(
        "import * as real from './js/implementation.js';\nimport * as declared from './js/detector.js';\n"
        "export const open: typeof declared.openDetector = real.openDetector;\n"
        "export const rest: Omit<typeof declared, 'openDetector' | 'FauxlensError'> = real;\n"
    )
    core = browser._folder() / "node_modules" / "@litertjs" / "core" / "dist" / "index.d.ts"
    options = {
        **{"allowJs": True, "checkJs": True, "strict": True, "noEmit": True, "skipLibCheck": True, "types": []},
        **{"target": "ES2022", "module": "ESNext", "moduleResolution": "bundler"},
        "lib": ["ES2023", "DOM", "DOM.Iterable"],
        "paths": {"@litertjs/core": [str(core)]},
    }
    (tmp_path / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "include": ["*.js", "*.ts", "js/**/*.js"]})
    )
    tsc = page_parts / "node_modules" / "typescript" / "bin" / "tsc"
    command = [str(shutil.which("node")), str(tsc), "-p", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert ran.returncode == 0, ran.stdout
