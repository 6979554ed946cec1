"""The README's commands, run in its order in one folder, and its Python example; trainings are made small."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.data.sample.make import make_sample

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines()]
COMMANDS = [shlex.split(line)[1:] for line in LINES if line.startswith("fauxlens ")]
ELSEWHERE = {"pip install .": "tests/test_installed.py", "make demo": "tests/export/test_full_pipeline.py"}
"""Lines that install or take minutes -> the tests of the same steps."""
EXPORTED = ("export", "verify")
"""Verbs that tests/export/test_full_pipeline.py runs on a network that has learned something."""
SMALL = ["--weights", "none", "--size", "96", "--epochs", "1"]
for setting in ("model.width=0.25", "stages.0.epochs=1", "quantize.epochs=1"):
    SMALL += ["--set", setting]


def _fauxlens(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "fauxlens.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def _serve(words: list[str], folder: Path) -> str:
    """Start the page as the README does, but without a browser, and stop it by Ctrl-C; return what it said."""
    command = [sys.executable, "-u", str(ROOT / "fauxlens.py"), *words, "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder) as running:
        assert running.stdout is not None
        said = ""
        for line in running.stdout:
            said += line
            if "http://127.0.0.1" in line:
                running.send_signal(signal.SIGINT)
        return said


def test_every_line_of_the_readme_is_run_here_or_elsewhere() -> None:
    assert {line for line in LINES if line and not line.startswith("fauxlens ")} == set(ELSEWHERE)
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())
    assert {words[0] for words in COMMANDS} >= {"detect", "data", "train", "evaluate", "quantize", "export", "verify"}


@pytest.mark.slow
def test_the_readme_from_the_first_result_to_a_quantised_run(tmp_path: Path) -> None:
    make_sample(tmp_path / "FOLDER", count=90)
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg")
    for words in COMMANDS:
        if words[0] in EXPORTED:
            continue
        if words == ["web"]:
            said = _serve(words, tmp_path)
            # Without LiteRT.js it names the command that fetches it.
            assert "http://127.0.0.1" in said or "fauxlens doctor --set-up browser" in said, said
            continue
        done = _fauxlens(words + (SMALL if words[0] == "train" else []), tmp_path)
        # No face in noise, few portraits, one epoch: checks may fail here (1); 2 would be wrong usage, 70 a fault.
        allowed = {0, 1} if words[0] == "detect" or words[:2] == ["data", "audit"] else {0}
        assert done.returncode in allowed, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, words
    for made in ("manifest.csv", "report/report.html", "runs/mine/weights.h5", "runs/mine/quantized"):
        assert (tmp_path / made).exists(), made


def test_the_readmes_python_example(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg")
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert done.stdout.split()[0] in ("real", "unsure", "fake", "None")
