"""Lines that are printed while a bar is on a terminal stand above it, never behind it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
from train.cli.terminal import bar, print_lines
with bar("training") as show:
    for epoch in (1, 2):
        for batch in range(1, 4):
            show(3 * (epoch - 1) + batch, 6, f" all {epoch}/2")
        print_lines(f"all, epoch {epoch}: loss 0.5", err=True)
print_lines("after", err=True)
"""


UNKNOWN = """
from train.cli.terminal import bar
with bar("scanning"):
    pass
with bar("scoring") as show:
    show(0, 0, " first")
with bar("reading") as show:
    show(3, 0)
with bar("fetching", unit="bytes") as show:
    show(1500, 3000)
"""


def test_a_bar_says_nothing_of_what_nobody_knows() -> None:
    text = shown_by(UNKNOWN, 80)
    assert "?" not in text
    assert "scoring" in text
    last = [line for line in re.split(r"\r?\n|\x1b\[[0-9]*[A-Z]|\r", text) if line.strip()]
    # The bars of nothing are gone: nothing stands after what erases them but the next ones.
    assert "scoring" not in last[-1]
    assert re.search(r"reading .* 3 .*0:00:0", text)
    assert "1.5/3.0 kB" in last[-1]
    assert "left" in last[-1]
    assert not any("left" in line for line in last if "reading" in line)


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_stand_above_the_bar(columns: int) -> None:
    text = shown_by(PROGRAM, columns)
    for line in ("all, epoch 1: loss 0.5", "all, epoch 2: loss 0.5", "after"):
        before = text[: text.index(line)]
        assert before.endswith(("\n", "\x1b[2K", "\r")), repr(before[-60:])
        assert text[text.index(line) + len(line) :].startswith(("\r\n", "\n"))


def shown_by(program: str, columns: int) -> str:
    """What a program writes on a terminal: colours and the cursor apart, what erases a line and the like stay."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                # What Linux answers once the other end is closed.
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[([0-9;]*m|\?25[hl])", "", shown.decode())
