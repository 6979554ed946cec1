"""The debug APK, made once a session by the command that `make apk` runs, and taken apart by apktool."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from android_demo.apk import layout

_TOOLS = ("mvn", "javac", "aapt2", "zipalign", "apksigner", "apktool")
_MISSING = [tool for tool in _TOOLS if shutil.which(tool) is None]


@dataclass(frozen=True)
class Apk:
    """An APK, and the folder of what apktool, which shares no code with us, reads out of it."""

    path: Path
    decoded: Path


@pytest.fixture(scope="session")
def apk(tmp_path_factory: pytest.TempPathFactory) -> Apk:
    """The app as `make apk` leaves it."""
    if _MISSING:
        pytest.skip(f"the APK is made and checked by {', '.join(_MISSING)}, not on this machine (see android_demo)")
    command = [sys.executable, "-m", "android_demo.apk", "build"]
    made = subprocess.run(command, cwd=layout.REPOSITORY, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    folder = tmp_path_factory.mktemp("apk")
    decoded = folder / "decoded"
    command = ["apktool", "decode", "--frame-path", str(folder / "framework"), "--output", str(decoded)]
    subprocess.run([*command, str(layout.APK)], check=True, capture_output=True)
    return Apk(layout.APK, decoded)
