"""The release APK: made with a key of the user's own, and not to be debugged."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from android_demo.apk import layout

if TYPE_CHECKING:
    from tests.android.conftest import Apk

_PASSWORD = "of the user"


def _build(*words: str, password: str = _PASSWORD) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FAUXLENS_KEY_PASSWORD": password}
    command = [sys.executable, "-m", "android_demo.apk", "build", *words]
    return subprocess.run(command, cwd=layout.REPOSITORY, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    """A key called `mine`, as keytool makes it."""
    path = tmp_path / "mine.p12"
    command = ["keytool", "-genkeypair", "-keystore", str(path), "-storetype", "PKCS12", "-storepass", _PASSWORD]
    command += ["-alias", "mine", "-dname", "CN=Somebody", "-keyalg", "RSA", "-keysize", "2048"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def test_it_is_signed_by_the_user_and_cannot_be_debugged(apk: Apk, keystore: Path, tmp_path: Path) -> None:
    made = _build("--keystore", str(keystore), "--key-alias", "mine")
    assert made.returncode == 0, made.stderr
    assert "signed with your key" in made.stdout and str(layout.RELEASE_APK) in made.stdout
    command = ["apksigner", "verify", "--print-certs", str(layout.RELEASE_APK)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "CN=Somebody" in said
    decoded = tmp_path / "decoded"
    command = ["apktool", "decode", "--no-src", "--frame-path", str(tmp_path / "framework"), "--output", str(decoded)]
    subprocess.run([*command, str(layout.RELEASE_APK)], check=True, capture_output=True)
    manifest = (decoded / "AndroidManifest.xml").read_text(encoding="utf-8")
    assert "debuggable" not in manifest and 'package="fauxlens.app"' in manifest
    # All else is what the debug APK has.
    with zipfile.ZipFile(apk.path) as debug, zipfile.ZipFile(layout.RELEASE_APK) as release:
        names = [name for name in debug.namelist() if not name.startswith("META-INF/")]
        assert names == [name for name in release.namelist() if not name.startswith("META-INF/")]
        differing = {name for name in names if debug.read(name) != release.read(name)}
    assert differing <= {"AndroidManifest.xml"}


def test_a_keystore_that_is_not_there_or_locked_is_one_sentence(tmp_path: Path) -> None:
    absent = _build("--keystore", str(tmp_path / "none.p12"))
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr == f"There is no keystore {tmp_path}/none.p12; make one with keytool, or name another.\n"
    (tmp_path / "some.p12").touch()
    locked = _build("--keystore", str(tmp_path / "some.p12"), password="")
    assert locked.returncode == 2
    assert (
        locked.stderr.endswith("put it into the variable FAUXLENS_KEY_PASSWORD.\n") and locked.stderr.count("\n") == 1
    )
