"""A phone: the app's own self-test of a bundle, started over adb and reported bit for bit.

A slim bundle of the variant under test is copied into the app's private storage, the app decodes its pictures, makes
the views and runs the detector, and what it writes is read back. Nothing from the bundle is executed. The app must be
a debug build: only into such a one's storage does `run-as` let adb.
"""

import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.artifacts.bundle import Bundle
from export.artifacts.slim import slim_bundle
from export.runtimes.device_adb import Phone, ask, connected_phone, find_adb, push, read, shell
from export.runtimes.interface import Output, ParityRun, RuntimeAbsentError
from export.runtimes.self_test import parse_self_test
from export.runtimes.self_test_runtime import parity_run_of
from train.common.errors import ExportError

APP = "fauxlens.app"
_ACTIVITY = f"{APP}/.selftest.SelfTestActivity"
_ACTION = f"{APP}.action.SELF_TEST"
# In `files` of the app's private storage, where run-as starts out.
_BUNDLE, _ANSWER = "selftest-bundle.zip", "selftest.json"
_INSTALL = "run `make apk` and `adb install` the APK that it names"
# The scores are the same for any number of threads; one is what LiteRT runs with here.
_OPTIONS = ("--es", "bundle", _BUNDLE, "--ei", "threads", "1", "--es", "accelerator", "cpu")


@dataclass(frozen=True)
class DeviceTimeouts:
    """How long the app may take, and how often it is asked, in seconds; clock and wait are for tests."""

    seconds: float = 300.0
    interval: float = 1.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


PATIENCE = DeviceTimeouts()


def missing() -> str | None:
    """Whether adb is absent, in one sentence; None where it is there. Starts nothing, so it knows of no phone."""
    if find_adb() is None:
        return "The runtime device needs adb, which is not on this machine: apt-get install adb, or set ANDROID_HOME."
    return None


def run(tflite: bytes, views: np.ndarray) -> Output:
    """There is no such thing: raises ExportError, for the app is given bundles and not views."""
    raise ExportError("The runtime device runs complete bundles only: use `fauxlens verify BUNDLE --runtime device`.")


def run_references(bundle: Bundle, variant: str, patience: DeviceTimeouts = PATIENCE) -> ParityRun:
    """Let the connected phone take a bundle's references through one variant, on its CPU.

    Raises RuntimeAbsentError where adb, phone or app are missing, ExportError where anything on the way fails and for
    an answer that is none or about another bundle.
    """
    slim = slim_bundle(bundle, variant)
    self_test = parse_self_test(_self_test(_ready_phone(), slim, patience), "The phone's self-test")
    return parity_run_of(self_test, bundle, variant, [hashlib.sha256(slim).hexdigest()], "The phone's self-test")


def _ready_phone() -> Phone:
    """The connected phone, with the app installed and its storage open."""
    adb = find_adb()
    if adb is None:
        raise RuntimeAbsentError(missing() or "adb is gone.")
    phone = connected_phone(adb)
    packages = ask(phone, ["pm", "path", APP], "ask for the app").lines
    if not any(line.startswith("package:") for line in packages):
        raise RuntimeAbsentError(f"The app {APP} is not on the phone {phone.serial}: {_INSTALL}.")
    # The folder is not there before the app was first opened.
    said = ask(phone, _within("mkdir", "-p", "files"), "open the app's storage")
    if said.status:
        raise RuntimeAbsentError(
            f"adb may not write into the app's storage on {phone.serial} ({said.complaint}), as with a release "
            f"build: {_INSTALL}."
        )
    return phone


def _self_test(phone: Phone, slim: bytes, patience: DeviceTimeouts) -> bytes:
    """What the app says of a slim bundle; the bundle is removed from the phone again."""
    # One that still runs could write the answer to another bundle.
    shell(phone, ["am", "force-stop", APP], "stop the app")
    shell(phone, _within("rm", "-f", f"files/{_ANSWER}"), "remove the last self-test")
    with _given(phone, slim):
        words = ["am", "start", "-n", _ACTIVITY, "-a", _ACTION, *_OPTIONS]
        started = shell(phone, words, "start the self-test")
        # am tells of its failures in words, and not on every Android by its status.
        for line in [*started.lines, started.complaint]:
            if line.startswith("Error") or "xception" in line:
                raise ExportError(f"The phone could not start the app's self-test ({line.rstrip('.')}): {_INSTALL}.")
        return _awaited(phone, patience)


@contextmanager
def _given(phone: Phone, slim: bytes) -> Iterator[None]:
    """Have a bundle in the app's storage, and neither there nor on the way afterwards."""
    # The name is new, so that two computers with one phone do not meet.
    passing = f"/data/local/tmp/fauxlens-{secrets.token_hex(8)}.zip"
    try:
        with tempfile.TemporaryDirectory(prefix="fauxlens-device-") as folder:
            local = Path(folder) / _BUNDLE
            local.write_bytes(slim)
            push(phone, local, passing)
        shell(phone, _within("cp", passing, f"files/{_BUNDLE}"), "copy the bundle into the app")
        yield
    finally:
        _quietly(phone, ["rm", "-f", passing])
        _quietly(phone, _within("rm", "-f", f"files/{_BUNDLE}"))


def _awaited(phone: Phone, patience: DeviceTimeouts) -> bytes:
    """The answer, once it stands under its own name: the app writes it whole or not at all."""
    end = patience.clock() + patience.seconds
    seen = False
    while True:
        # Asked before the folder is: an app that answers and then ends has not failed.
        alive = not ask(phone, ["pidof", APP], "see whether the app runs").status
        if _ANSWER in shell(phone, _within("ls", "files"), "look for the self-test").lines:
            return read(phone, _within("cat", f"files/{_ANSWER}"), "read the self-test")
        if seen and not alive:
            raise ExportError("The app stopped in its self-test: `adb logcat -d` says why.")
        seen = seen or alive
        if patience.clock() >= end:
            raise ExportError(
                f"The app did not finish its self-test within {patience.seconds:g} seconds: unlock the phone, check "
                "the app, and run the command again."
            )
        patience.wait(patience.interval)


def _within(*words: str) -> list[str]:
    """A command as the app's own user, in its private storage."""
    return ["run-as", APP, *words]


def _quietly(phone: Phone, words: list[str]) -> None:
    """Tidy up; what went wrong before is what a person should read."""
    try:
        ask(phone, words, "tidy up")
    except ExportError:
        return
