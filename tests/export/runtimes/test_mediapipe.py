"""MediaPipe opens the detector file unmodified and gives LiteRT's bits, scores and heatmaps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from export.runtimes import mediapipe
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

FOLDER = Path(mediapipe.__file__).parent


@pytest.fixture
def _set_up() -> None:
    if (reason := mediapipe.missing()) is not None:
        pytest.skip(reason)


@pytest.fixture
def no_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no assets set up: the folder where they would be."""
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path))
    return tmp_path


def test_what_is_missing_is_said_in_one_sentence(no_assets: Path, tiny: Tiny) -> None:
    with pytest.raises(RuntimeAbsentError, match="run `fauxlens doctor --set-up mediapipe`"):
        RUNTIMES["mediapipe"].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_absent_system_libraries_are_named(no_assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(ExportError, match=r"apt-get install libegl1 libgles2\.$"):
        mediapipe.set_up(lambda line: None)
    assert list(no_assets.iterdir()) == []


def test_metrics_of_its_use_are_sent_nowhere(
    no_assets: Path, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://a.proxy.example:3128")
    monkeypatch.setenv("no_proxy", "*")
    python = mediapipe._folder() / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "to $https_proxy $HTTPS_PROXY $all_proxy but [$no_proxy$NO_PROXY]"; exit 1\n')
    python.chmod(0o755)
    nowhere = re.escape("http://127.0.0.1:9")
    with pytest.raises(ExportError, match=rf"its last line was: to {nowhere} {nowhere} {nowhere} but \[\];"):
        mediapipe.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_the_lock_has_hashes_and_no_addresses_and_what_the_worker_asks_for() -> None:
    lock = (FOLDER / "mediapipe.lock").read_text()
    pinned = dict(re.findall(r"^([a-z][a-z0-9-]*)==(\S+) \\$", lock, re.MULTILINE))
    assert lock.count("==") == len(pinned)
    assert len(re.findall(r"==.* \\\n    --hash=sha256:[0-9a-f]{64}", lock)) == len(pinned)
    assert "://" not in lock
    assert not {"opencv-python", "opencv-contrib-python", "sounddevice"} & set(pinned)
    worker = (FOLDER / "mediapipe_worker.py").read_text()
    assert f"mediapipe=={pinned['mediapipe']}" in worker
    assert "opencv-python-headless" in pinned
