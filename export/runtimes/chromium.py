"""Chromium without a window: a fresh profile, no way out of this machine, and a log of all it asked the network for."""

import contextlib
import ctypes
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from train.common.errors import ExportError

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # Every name but ours leads nowhere, and no proxy is asked to look one up instead.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_SECONDS_TO_CLOSE = 10


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, None where there is none."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@contextlib.contextmanager
def showing(program: str, page: str, folder: Path, ended: Callable[[str], None]) -> Iterator[None]:
    """Chromium shows `page` while the block runs, and keeps all it writes in the empty `folder`.

    `ended` gets the last line that Chromium said when it ends, from another thread. Its net log is whole only if it
    ends by itself, when its window is closed; at the end of the block it is stopped. Raises ExportError where it does
    not start.
    """
    # It refuses to run as root with its sandbox on.
    # Prepared here: between fork and exec little is safe to do.
    end_with_parent = _ending_with_parent()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program, *_SWITCHES, *sandbox, f"--user-data-dir={folder / 'profile'}"]
    command += [f"--log-net-log={net_log(folder)}", page]
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(folder))
    said = folder / "said.txt"
    with said.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | homes,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        except OSError as error:
            raise ExportError(f"Chromium does not start ({error}); reinstall it.") from error

    def watch() -> None:
        process.wait()
        ended(_last_line(said))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        process.terminate()
        watcher.join(_SECONDS_TO_CLOSE)
        # The whole group: helpers may outlive a browser that hangs.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        watcher.join()


def _ending_with_parent() -> Callable[[], None] | None:
    """What lets a new process get SIGTERM when the thread that started it is gone, killed ones included (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # linux/prctl.h: PR_SET_PDEATHSIG.
    return partial(prctl, 1, int(signal.SIGTERM), 0, 0, 0)


def net_log(folder: Path) -> Path:
    """Where `showing` lets Chromium write its net log."""
    return folder / "net.json"


def foreign_requests(log: Path, origin: str) -> list[str] | None:
    """What a page of `origin` asked others for, and any other address that was called up; None if the log is not whole.

    Chromium asks Google for updates and the time of its own accord, whatever it is told. Those requests have no page
    behind them (no initiator, no place in the cache of our site) and, by the switches above, no address to go to.
    Format: a net log names its event types in `constants` (Chromium, net/log/net_log_event_type_list.h).
    """
    try:
        read: dict[str, Any] = json.loads(log.read_text(errors="replace"))
        names = {number: name for name, number in read["constants"]["logEventTypes"].items()}
        events = [(names.get(event["type"]), event.get("params", {})) for event in read["events"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    site = origin.rpartition(":")[0]
    found = []
    for name, values in events:
        if name == "URL_REQUEST_START_JOB" and "url" in values:
            ours = values.get("initiator") == origin or site in values.get("network_isolation_key", "").split()
            if ours and not values["url"].startswith((f"{origin}/", "data:", f"blob:{origin}/")):
                found.append(str(values["url"]))
        elif name == "TCP_CONNECT_ATTEMPT" and "address" in values and not _is_loopback(values["address"]):
            found.append(str(values["address"]))
    return found


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback


def _last_line(said: Path) -> str:
    # Where no desktop runs, Chromium complains about its message bus all the time.
    lines = [line for line in said.read_text(errors="replace").split("\n") if line.strip() and "dbus" not in line]
    return lines[-1].strip()[-200:] if lines else "nothing"
