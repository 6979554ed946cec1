"""The programs that others wrote: started without a shell, their failure told in one sentence."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .errors import ApkError

_PACKAGES = {
    "aapt2": "aapt",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
    "java": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jdk-headless",
    "mvn": "maven",
}
_SECONDS = 1800
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(command: Sequence[str | Path], folder: Path | None = None) -> str:
    """Run a program and give back what it wrote to standard output. Raises ApkError where it is absent or fails."""
    name = str(command[0])
    if shutil.which(name) is None:
        raise ApkError(f"{name} is not on this machine: apt-get install {_PACKAGES.get(name, name)}.")
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ApkError(f"{name} failed with status {done.returncode}: {_complaint(done.stderr + done.stdout)}.")
    return done.stdout


def _complaint(output: str) -> str:
    """The lines that speak of an error, at most three of them, or the last line."""
    lines = [" ".join(line.split()) for line in _COLOURS.sub("", output).splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or line.startswith("e: ")]
    return " / ".join((errors or lines[-1:] or ["without a word"])[:3])[:600].rstrip(".")
