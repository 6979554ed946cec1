"""adb, Android's own client: where it is, which phone it speaks to, and its commands with errors in one sentence.

`adb shell` hands one string to the phone's shell, so words are quoted here. Exit statuses of commands on the phone
arrive from Android 7 on, the type that the app needs anyway.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.runtimes.interface import RuntimeAbsentError
from train.common.errors import ExportError

_SECONDS = 120.0
_STATES = {
    "unauthorized": "does not trust this computer yet: unlock it and allow USB debugging",
    "offline": "is offline: plug it in again, or run `adb reconnect`",
}


@dataclass(frozen=True)
class Phone:
    """The phone of this serial number, at the other end of this adb."""

    adb: Path
    serial: str


@dataclass(frozen=True)
class Said:
    """What a command left: exit status, bytes of standard output, and what it complained of in one line."""

    status: int
    output: bytes
    complaint: str

    @property
    def lines(self) -> list[str]:
        """Lines of standard output, without spaces around them."""
        return [line.strip() for line in self.output.decode(errors="replace").splitlines()]


def find_adb() -> Path | None:
    """adb of Android's SDK (ANDROID_HOME, ANDROID_SDK_ROOT) or of the PATH; None where there is none."""
    homes = [os.environ.get(name) for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT")]
    folders = [str(Path(home) / "platform-tools") for home in homes if home]
    found = shutil.which("adb", path=os.pathsep.join(folders)) if folders else None
    found = found or shutil.which("adb")
    return Path(found) if found else None


def connected_phone(adb: Path) -> Phone:
    """The phone that ANDROID_SERIAL names, else the only one. Raises RuntimeAbsentError where that is none."""
    lines = run_adb(adb, ["devices"], "list phones").lines
    # "SERIAL<tab>STATE", after a line of title and whatever a server that starts has to say.
    listed = dict(line.split("\t", 1) for line in lines if "\t" in line)
    wanted = os.environ.get("ANDROID_SERIAL")
    if wanted and wanted not in listed:
        known = ", ".join(listed) or "none"
        raise RuntimeAbsentError(f"ANDROID_SERIAL is {wanted} but adb knows these phones: {known}; correct it.")
    ready = [wanted] if wanted else [serial for serial, state in listed.items() if state == "device"]
    if len(ready) > 1:
        raise RuntimeAbsentError(
            f"{len(ready)} phones are connected ({', '.join(ready)}): set ANDROID_SERIAL to one of them."
        )
    if not listed:
        raise RuntimeAbsentError(
            "No phone is connected: connect one with USB debugging enabled, or start an emulator, until `adb devices` "
            "lists it."
        )
    serial = ready[0] if ready else next(iter(listed))
    if (state := listed[serial]) != "device":
        what = _STATES.get(state, f"cannot be used (adb says: {state}): fix that until `adb devices` says 'device'")
        raise RuntimeAbsentError(f"The phone {serial} {what}.")
    return Phone(adb, serial)


def run_adb(adb: Path, words: Sequence[str], purpose: str) -> Said:
    """Run adb; `purpose` completes "adb could not ...". Raises ExportError where it fails."""
    said = _call(adb, words, purpose)
    if said.status:
        raise _failed(purpose, said)
    return said


def push(phone: Phone, local: Path, remote: str) -> None:
    """Copy a file to the phone. Raises ExportError."""
    run_adb(phone.adb, ["-s", phone.serial, "push", str(local), remote], "copy the bundle to the phone")


def ask(phone: Phone, words: Sequence[str], purpose: str) -> Said:
    """Run a command on the phone, whatever its exit status is. Raises ExportError where adb itself fails."""
    said = _call(phone.adb, ["-s", phone.serial, "shell", shlex.join(words)], purpose)
    if said.status and said.complaint.startswith(("error:", "adb:")):
        raise _failed(purpose, said)
    return said


def shell(phone: Phone, words: Sequence[str], purpose: str) -> Said:
    """Run a command on the phone. Raises ExportError where it or adb fails."""
    said = ask(phone, words, purpose)
    if said.status:
        raise _failed(purpose, said)
    return said


def read(phone: Phone, words: Sequence[str], purpose: str) -> bytes:
    """What a command on the phone writes, byte for byte; its exit status and complaints do not arrive apart."""
    return run_adb(phone.adb, ["-s", phone.serial, "exec-out", shlex.join(words)], purpose).output


def _call(adb: Path, words: Sequence[str], purpose: str) -> Said:
    try:
        done = subprocess.run(
            [str(adb), *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"adb could not {purpose} within {_SECONDS:g} seconds: plug the phone in again, or run `adb kill-server`."
        ) from error
    except OSError as error:
        raise ExportError(f"adb could not be started ({error}): reinstall Android's platform-tools.") from error
    # On a phone older than its adb, complaints arrive in standard output.
    lines = [line.strip() for line in (done.stderr or done.stdout).decode(errors="replace").splitlines()]
    shown = next((line for line in reversed(lines) if line), "without a word")
    complaint = "".join(letter if letter.isprintable() else " " for letter in shown)[:300].rstrip(".")
    return Said(done.returncode, done.stdout, complaint)


def _failed(purpose: str, said: Said) -> ExportError:
    return ExportError(f"adb could not {purpose} ({said.complaint}): fix that and run the same command again.")
