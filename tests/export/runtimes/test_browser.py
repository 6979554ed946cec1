"""LiteRT.js in Chromium: the bits of x86 up to the sigmoid, from every build, and nothing fetched from elsewhere."""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.runtimes import browser
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

# The loaders of LiteRT.js's builds, as its package calls them.
LOADERS = {"default": "internal", "compat": "compat_internal", "jspi": "jspi_internal", "threaded": "threaded_internal"}


@pytest.fixture
def _set_up() -> None:
    if (reason := browser.missing()) is not None:
        pytest.skip(reason)


@pytest.fixture
def assets(_set_up: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """LiteRT.js's package in a copy that a test may spoil."""
    real = browser._folder()
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "runtimes"))
    shutil.copytree(real, browser._folder())
    return browser._folder() / "node_modules" / "@litertjs" / "core"


def test_every_build_agrees(tiny: Tiny, assets: Path) -> None:
    sealed, views = tiny.sealed["ptq-int8"], tiny.bundle.references.views
    wasm, every = assets / "wasm", assets / "every"
    wasm.rename(every)
    outputs = {}
    for build, loader in LOADERS.items():
        # Only its own files are there, so no other build can have answered.
        shutil.rmtree(wasm, ignore_errors=True)
        wasm.mkdir()
        for suffix in (".js", ".wasm"):
            shutil.copy(every / f"litert_wasm_{loader}{suffix}", wasm)
        outputs[build] = browser.run(sealed, views, build)
    assert set(outputs) == set(browser.BUILDS)
    for build in ("jspi", "threaded"):
        np.testing.assert_array_equal(outputs[build].scores, outputs["default"].scores)
        np.testing.assert_array_equal(outputs[build].heatmaps, outputs["default"].heatmaps)
    # Without fused multiply-add each product of the float head is rounded.
    rounding = tiny.bundle.tolerances.float_rounding
    np.testing.assert_allclose(outputs["compat"].scores, outputs["default"].scores, rtol=0, atol=rounding)
    np.testing.assert_allclose(outputs["compat"].heatmaps, outputs["default"].heatmaps, rtol=0, atol=rounding)


@pytest.mark.usefixtures("_set_up")
def test_views_keep_their_order(tiny: Tiny) -> None:
    sealed, views = tiny.sealed["ptq-int8"], tiny.bundle.references.views
    forth, back = browser.run(sealed, views), browser.run(sealed, views[::-1])
    np.testing.assert_array_equal(back.scores[::-1], forth.scores)
    np.testing.assert_array_equal(back.heatmaps[::-1], forth.heatmaps)


# Swallowed, as a library does that phones home and works on without an answer.
PHONING = "\nawait fetch('http://elsewhere.invalid/home').catch(() => null);\n"


def test_a_foreign_request_is_forbidden_and_named(tiny: Tiny, assets: Path) -> None:
    with (assets / "dist" / "index.js").open("a") as script:
        script.write(PHONING)
    with pytest.raises(ExportError, match=r"asked for http://elsewhere\.invalid/home, although") as caught:
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])
    assert_one_sentence(caught.value)


def test_a_foreign_request_is_found_in_the_log_where_none_is_forbidden(
    tiny: Tiny, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(browser._HEADERS, "Content-Security-Policy")
    with (assets / "dist" / "index.js").open("a") as script:
        script.write(PHONING)
    with pytest.raises(ExportError, match=r"asked for http://elsewhere\.invalid/home, although"):
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])


def test_a_build_that_is_gone_is_one_sentence(tiny: Tiny, assets: Path) -> None:
    shutil.rmtree(assets / "wasm")
    with pytest.raises(ExportError, match=r"LiteRT\.js failed in Chromium") as caught:
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])
    assert_one_sentence(caught.value)


def test_a_package_that_is_gone_is_one_sentence(tiny: Tiny, assets: Path) -> None:
    shutil.rmtree(assets)
    with pytest.raises(ExportError, match=r"LiteRT\.js failed in Chromium"):
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])


@pytest.mark.usefixtures("_set_up")
def test_an_answer_of_another_length_is_refused(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.js").write_text("await fetch('answer', {method: 'POST', body: 'short'}); window.close();")
    monkeypatch.setattr(browser, "_PAGE_FOLDER", tmp_path)
    with pytest.raises(ExportError, match="answered 5 bytes where 1 views need 264") as caught:
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])
    assert_one_sentence(caught.value)


@pytest.fixture
def play_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to write a program into that is taken for Chromium, where assets seem to be set up."""
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "runtimes"))
    browser._folder().mkdir(parents=True)
    return put_program(tmp_path, "chromium", monkeypatch)


def put_program(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty program; the only one that can be found."""
    program = folder / "bin" / name
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_a_chromium_that_fails_is_one_sentence(tiny: Tiny, play_chromium: Path) -> None:
    play_chromium.write_text("#!/bin/sh\necho 'no room left' >&2\nexit 1\n")
    with pytest.raises(ExportError, match="ended before it answered; its last line is: no room left;") as caught:
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views)
    assert_one_sentence(caught.value)


def test_a_chromium_that_is_no_program_is_one_sentence(tiny: Tiny, play_chromium: Path) -> None:
    play_chromium.write_text("nonsense")
    with pytest.raises(ExportError, match="Chromium does not start"):
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_a_chromium_that_says_nothing_is_given_up(
    tiny: Tiny, play_chromium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_chromium.write_text("#!/bin/sh\nexec /bin/sleep 1000\n")
    monkeypatch.setattr(browser, "TIMEOUT", 0.1)
    with pytest.raises(ExportError, match=r"did not answer within 0\.1 seconds") as caught:
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views)
    assert_one_sentence(caught.value)


# Starts a helper, answers as the page would, and does not heed the wish to end.
STUBBORN = """#!{python}
import pathlib, signal, subprocess, sys, urllib.request
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({note!r}).write_text(str(subprocess.Popen(["/bin/sleep", "1000"]).pid))
urllib.request.urlopen(sys.argv[-1] + "failure", b"words of the page").close()
signal.pause()
"""


def test_a_chromium_that_stays_is_stopped_with_its_helpers(
    tiny: Tiny, play_chromium: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    play_chromium.write_text(STUBBORN.format(python=sys.executable, note=str(tmp_path / "helper")))
    monkeypatch.setattr(browser, "_SECONDS_TO_END", 0.1)
    monkeypatch.setattr("export.runtimes.chromium._SECONDS_TO_CLOSE", 0.1)
    with pytest.raises(ExportError, match=r"failed in Chromium \(words of the page\)"):
        browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views)
    assert ends(int((tmp_path / "helper").read_text()))


def ends(process: int) -> bool:
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(handle, "rb", buffering=0) as ended:
        return bool(select.select([ended], [], [], 60)[0])


def test_a_damaged_detector_never_reaches_chromium(tiny: Tiny, play_chromium: Path, tmp_path: Path) -> None:
    play_chromium.write_text(f"#!/bin/sh\n: > {tmp_path / 'started'}\n")
    damaged = bytearray(tiny.sealed["ptq-int8"])
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(ExportError, match="damaged"):
        browser.run(bytes(damaged), tiny.bundle.references.views)
    assert not (tmp_path / "started").exists()


def test_views_of_another_kind_are_refused(tiny: Tiny, play_chromium: Path) -> None:
    views = tiny.bundle.references.views
    for wrong in (views.astype(np.float32), views[:, 1:], views[0]):
        with pytest.raises(ExportError, match=r"takes views uint8 \[N, 32, 32, 3\]"):
            browser.run(tiny.sealed["ptq-int8"], wrong)


def test_no_views_give_no_rows(tiny: Tiny, play_chromium: Path) -> None:
    output = browser.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:0])
    assert output.scores.shape == (0, 2)
    assert output.heatmaps.shape == (0, 8, 8)


def test_absent_assets_are_named(tiny: Tiny, play_chromium: Path) -> None:
    assert browser.missing() is None
    browser._folder().rmdir()
    assert "fauxlens doctor --set-up browser" in str(browser.missing())
    play_chromium.unlink()
    assert "apt-get install chromium" in str(browser.missing())
    with pytest.raises(RuntimeAbsentError, match="apt-get install chromium"):
        RUNTIMES["browser"].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_the_set_up_hands_npm_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "runtimes"))
    npm = put_program(tmp_path, "npm", monkeypatch)
    npm.write_text('#!/bin/sh\necho "$@" > arguments\n')
    browser.set_up(lambda line: None)
    assert (browser._folder() / "arguments").read_text().startswith("ci --ignore-scripts ")
    lock = json.loads((browser._folder() / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert set(packages) == {"node_modules/@litertjs/core", "node_modules/@litertjs/wasm-utils"}
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        # An address would bind everybody to one registry.
        assert "resolved" not in package


def test_an_npm_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "runtimes"))
    npm = put_program(tmp_path, "npm", monkeypatch)
    npm.write_text("#!/bin/sh\necho 'npm error code EINTEGRITY' >&2\nexit 1\n")
    with pytest.raises(ExportError, match="EINTEGRITY") as caught:
        browser.set_up(lambda line: None)
    assert_one_sentence(caught.value)
    assert not list((tmp_path / "runtimes").iterdir())
    npm.unlink()
    with pytest.raises(ExportError, match="apt-get install npm"):
        browser.set_up(lambda line: None)


def assert_one_sentence(error: ExportError) -> None:
    assert "\n" not in str(error)
    assert str(error).endswith(".")
