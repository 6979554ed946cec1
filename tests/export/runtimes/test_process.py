"""Programs that fail, hang or answer nonsense, played by Python itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.runtimes import process
from export.runtimes.process import Program, run_program, run_tool
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

# Answers each view's first bytes as scores and its last as heatmap, so that every view must have arrived in its place.
ECHO = """
import sys
from array import array
model, views, scores, heatmaps = sys.argv[1:]
data = open(views, 'rb').read()
views = [data[i : i + 32 * 32 * 3] for i in range(0, len(data), 32 * 32 * 3)]
open(scores, 'wb').write(b''.join(array('f', list(view[:2])).tobytes() for view in views))
open(heatmaps, 'wb').write(b''.join(array('f', list(view[-64:])).tobytes() for view in views))
"""


def played(code: str, **environment: str) -> Program:
    return Program("player", [sys.executable, "-c", code], Path("where/assets/are"), environment)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where temporary folders are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_views_go_in_and_answers_come_back_in_order(tiny: Tiny, empty: Path) -> None:
    views = tiny.bundle.references.views
    output = run_program(played(ECHO), tiny.sealed["ptq-int8"], views)
    rows = views.reshape(len(views), -1).astype(np.float32)
    np.testing.assert_array_equal(output.scores, rows[:, :2])
    np.testing.assert_array_equal(output.heatmaps, rows[:, -64:].reshape(-1, 8, 8))
    assert output.scores.dtype == output.heatmaps.dtype == np.float32
    assert list(empty.iterdir()) == []


def test_no_views_start_nothing(tiny: Tiny) -> None:
    output = run_program(played("raise SystemExit(1)"), tiny.sealed["ptq-int8"], np.zeros((0, 32, 32, 3), np.uint8))
    assert (output.scores.shape, output.heatmaps.shape) == ((0, 2), (0, 8, 8))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "print('first'); raise SystemExit('no such thing.')",
            "failed with status 1, its last line was: no such thing;",
        ),
        ("raise SystemExit(7)", "failed with status 7, without a word;"),
        ("import os; os.kill(os.getpid(), 9)", "failed with status -9"),
        ("pass", r"wrote 0 bytes of scores where float32 \[16, 2\] take 128;"),
        (
            ECHO.replace("view[-64:]", "view[-63:]"),
            r"wrote 4032 bytes of heatmaps where float32 \[16, 8, 8\] take 4096;",
        ),
        ("import os; raise SystemExit(os.environ['WORD'])", "failed with status 1, its last line was: said so;"),
    ],
)
def test_a_program_that_fails_is_one_sentence(tiny: Tiny, empty: Path, code: str, sentence: str) -> None:
    with pytest.raises(ExportError, match=f"^The runtime player {sentence}") as caught:
        run_program(played(code, WORD="said so"), tiny.sealed["ptq-int8"], tiny.bundle.references.views)
    assert "\n" not in str(caught.value)
    assert list(empty.iterdir()) == []


def test_a_program_that_hangs_is_ended(tiny: Tiny, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TIMEOUT", 0.5)
    with pytest.raises(ExportError, match=r"did not end within 0\.5 seconds"):
        run_program(played("import signal; signal.pause()"), tiny.sealed["ptq-int8"], tiny.bundle.references.views)
    assert list(empty.iterdir()) == []


def test_a_program_that_is_not_there_is_one_sentence(tiny: Tiny) -> None:
    absent = Program("player", ["no-such-program"], Path("where/assets/are"))
    with pytest.raises(ExportError, match=r"could not be started .* remove where/assets/are and run"):
        run_program(absent, tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_damaged_files_and_other_views_are_refused_before_anything_starts(tiny: Tiny) -> None:
    sealed, views = tiny.sealed["ptq-int8"], tiny.bundle.references.views
    with pytest.raises(ExportError, match="damaged"):
        run_program(played(ECHO), sealed[:3000] + bytes([sealed[3000] ^ 1]) + sealed[3001:], views)
    for wrong in (views[:, :16], views.astype(np.float32)):
        with pytest.raises(ExportError, match="takes views uint8"):
            run_program(played(ECHO), sealed, wrong)


def test_a_tool_that_fails_gives_its_first_error(tmp_path: Path) -> None:
    code = "print('[ERROR] no such jar'); print('[ERROR] Help 1'); raise SystemExit(1)"
    with pytest.raises(ExportError, match=r"^Maven failed \(\[ERROR\] no such jar\); fix that"):
        run_tool("Maven", [sys.executable, "-c", code], tmp_path)
    with pytest.raises(ExportError, match=r"^Maven failed \(.*no-such-program.*\); fix that"):
        run_tool("Maven", ["no-such-program"], tmp_path)
