"""What counts as a request to others in a net log of Chromium's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from export.runtimes.chromium import find_chromium, foreign_requests

ORIGIN = "http://127.0.0.1:4321"
OUR_SITE = "http://127.0.0.1 http://127.0.0.1"
START, CONNECT, OTHER = 1, 2, 3


def log_of(tmp_path: Path, *events: tuple[int, dict[str, Any]]) -> Path:
    names = {"URL_REQUEST_START_JOB": START, "TCP_CONNECT_ATTEMPT": CONNECT, "SOMETHING_ELSE": OTHER}
    rows = [{"type": kind, "params": params} for kind, params in events] + [{"type": START}]
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"constants": {"logEventTypes": names}, "events": rows}))
    return path


def request(url: str, initiator: str = ORIGIN, key: str = OUR_SITE) -> tuple[int, dict[str, Any]]:
    return START, {"url": url, "initiator": initiator, "network_isolation_key": key}


def test_our_own_requests_and_chromium_s_housekeeping_are_left_out(tmp_path: Path) -> None:
    log = log_of(
        tmp_path,
        request(f"{ORIGIN}/secret/", initiator="not an origin"),
        request(f"{ORIGIN}/secret/run.js"),
        request(f"blob:{ORIGIN}/0"),
        request("data:,"),
        request("https://accounts.google.com/ListAccounts", "not an origin", "https://google.com https://google.com"),
        request("http://update.googleapis.com/service/update2", "not an origin", "null null"),
        (CONNECT, {"address": "127.0.0.1:4321"}),
        (CONNECT, {"address": "[::1]:4321"}),
        (OTHER, {"url": "https://elsewhere.invalid/", "address": "192.0.2.1:443"}),
    )
    assert foreign_requests(log, ORIGIN) == []


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (request("https://elsewhere.invalid/a"), "https://elsewhere.invalid/a"),
        (request("https://fonts.googleapis.com/a"), "https://fonts.googleapis.com/a"),
        (request(f"{ORIGIN}9/a"), f"{ORIGIN}9/a"),
        (request("http://127.0.0.1:80/a"), "http://127.0.0.1:80/a"),
        (request("blob:https://elsewhere.invalid/a"), "blob:https://elsewhere.invalid/a"),
        # A worker without an origin of its own, but of our site.
        (request("https://elsewhere.invalid/b", initiator="null"), "https://elsewhere.invalid/b"),
        # A frame of our page that is of another site.
        (request("https://elsewhere.invalid/c", key="https://else.invalid"), "https://elsewhere.invalid/c"),
        # A connection to another machine, whoever wanted it.
        ((CONNECT, {"address": "192.0.2.1:443"}), "192.0.2.1:443"),
        ((CONNECT, {"address": "[2001:db8::1]:443"}), "[2001:db8::1]:443"),
    ],
)
def test_what_is_not_ours_is_named(tmp_path: Path, event: tuple[int, dict[str, Any]], named: str) -> None:
    assert foreign_requests(log_of(tmp_path, request(f"{ORIGIN}/run.js"), event), ORIGIN) == [named]


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"constants": {}, "events": []}'])
def test_a_log_that_is_not_whole_proves_nothing(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "net.json"
    if content is not None:
        path.write_text(content)
    assert foreign_requests(path, ORIGIN) is None
    whole = log_of(tmp_path, request(f"{ORIGIN}/run.js")).read_text()
    path.write_text(whole[:-1])
    assert foreign_requests(path, ORIGIN) is None


DRIVER = """
import sys, threading
from pathlib import Path
from export.runtimes.chromium import find_chromium, showing
with showing(find_chromium(), sys.argv[1], Path(sys.argv[2]), lambda line: None):
    threading.Event().wait()
"""


@pytest.fixture
def page() -> Iterator[tuple[str, "SimpleQueue[str]"]]:
    """An address, and the paths that were asked of it."""
    asked: SimpleQueue[str] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.put(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page", asked
        server.shutdown()


@pytest.mark.skipif(find_chromium() is None, reason="Chromium is not on this machine")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_chromium_ends_with_the_process_that_started_it(
    number: signal.Signals, page: tuple[str, "SimpleQueue[str]"], tmp_path: Path
) -> None:
    """Chromium and its helpers write to one pipe: it ends when the last of them is gone, however the parent ended."""
    os.mkfifo(tmp_path / "said.txt")
    address, asked = page
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    driver = subprocess.Popen([sys.executable, "-P", "-c", DRIVER, address, str(tmp_path)], env=environment)
    with (tmp_path / "said.txt").open("rb") as said:
        assert asked.get(timeout=120) == "/page"
        driver.send_signal(number)
        assert driver.wait() == -number
        ended: SimpleQueue[bytes] = SimpleQueue()
        Thread(target=lambda: ended.put(said.read()), daemon=True).start()
        # The pipe has an end once nobody can write to it any more.
        ended.get(timeout=120)
    assert not _processes_of(tmp_path)


def _processes_of(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue  # it has ended in the meantime
        if str(folder).encode() in words:
            found.append(words.decode(errors="replace"))
    return found
