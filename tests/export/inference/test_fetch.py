"""Addresses are fetched within limits, and never from inside a network."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from export.inference import fetch as module
from export.inference.fetch import fetch_with, is_public, read_address
from train.common.errors import DataError


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        steps = {"/a": "/b", "/loop": "/loop", "/inside": "http://10.0.0.1/x", "/file": "file:///etc/passwd"}
        if self.path in steps:
            self.send_response(302)
            self.send_header("Location", steps[self.path])
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone" else 200)
        self.end_headers()
        self.wfile.write(b"x" * 5000 if self.path == "/long" else b"picture")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://pictures.example:{running.server_port}"
        running.shutdown()


def fetched(address: str) -> bytes:
    """Fetch with a name service that knows one machine, which is allowed although it is this one."""
    names = {"pictures.example": "127.0.0.1"}
    return fetch_with(address, lambda host, _: [names.get(host, host)], is_allowed=lambda number: number == "127.0.0.1")


def test_a_picture_behind_a_redirect(server: str) -> None:
    assert fetched(f"{server}/a") == b"picture"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone", "status 404"),
        ("/loop", "redirects more than"),
        ("/inside", "private address"),
        ("/file", "not an http or https address"),
        ("/long", "has more than"),
    ],
)
def test_what_is_refused(server: str, path: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(DataError, match=words):
        fetched(server + path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.1.2.3/a",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:192.168.0.1]/",
        "http://user@example.com/",
        "http:///",
        "http://exa mple.com/",
        "http://example.com:99999/",
    ],
)
def test_private_and_odd_addresses_are_never_asked(address: str) -> None:
    with pytest.raises(DataError):
        read_address(address)


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_public_numbers(number: str, public: bool) -> None:
    assert is_public(number) is public
