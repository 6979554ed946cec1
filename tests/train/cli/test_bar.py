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


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_stand_above_the_bar(columns: int) -> None:
    ours, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stderr=theirs, env=environment) as process:
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
    text = shown.decode()
    # Colours and the cursor apart; what erases a line or goes to its beginning stays.
    text = re.sub(r"\x1b\[([0-9;]*m|\?25[hl])", "", text)
    for line in ("all, epoch 1: loss 0.5", "all, epoch 2: loss 0.5", "after"):
        before = text[: text.index(line)]
        assert before.endswith(("\n", "\x1b[2K", "\r")), repr(before[-60:])
        assert text[text.index(line) + len(line) :].startswith(("\r\n", "\n"))
