"""A real web server on this machine that behaves as badly as a test asks."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Page:
    """What the server answers: the content, and how it departs from good manners.

    `cut` bytes of the body are sent before the connection breaks (None: all). A true `stall` sends nothing and
    holds the connection open until the test is over.
    """

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    cut: int | None = None
    stall: bool = False
    ranges: bool = True
    if_range: bool = True
    says_length: bool = True
    content_range: str = ""


@dataclass(frozen=True)
class Request:
    """What a client asked for; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """`answer` is called for each request, in order; `requests` are all that came."""

    url: str
    answer: Callable[[Request], Page]
    requests: list[Request] = field(default_factory=list)

    page = Page

    def play(self, *pages: Page) -> None:
        """Answer the first request with the first page, and so on; the last page is repeated."""
        waiting = list(pages)
        self.answer = lambda request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    over = threading.Event()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A client that has gone away must not keep a thread.
        timeout = 20

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            with lock:
                made.requests.append(request)
                page = made.answer(request)
            if page.stall:
                over.wait(timeout=20)
                self.close_connection = True
                return
            status, content, extra = _ranged(page, headers)
            self.send_response(status)
            for name, value in {**extra, **page.headers}.items():
                self.send_header(name, value)
            if page.etag:
                self.send_header("ETag", page.etag)
            if page.says_length:
                self.send_header("Content-Length", str(len(content)))
            else:
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: page.cut])
            if page.cut is not None:
                self.close_connection = True

        do_GET = do_POST = do_HEAD = handle_any

        def log_message(self, *arguments: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: object) -> None:
            # A client that hangs up in the middle is what many tests are about.
            pass

    httpd = Quiet(("127.0.0.1", 0), Handler)
    made = Server(f"http://127.0.0.1:{httpd.server_port}", lambda request: Page(status=404))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def _ranged(page: Page, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a page for a request that may ask for its end only (RFC 9110, section 14)."""
    wanted = headers.get("range")
    if page.status != 200 or not page.ranges:
        return page.status, page.content, {}
    if wanted is None or (page.if_range and headers.get("if-range", page.etag) != page.etag):
        return 200, page.content, {"Accept-Ranges": "bytes"}
    size = len(page.content)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= size:
        return 416, b"", {"Content-Range": f"bytes */{size}"}
    return 206, page.content[start:], {"Content-Range": page.content_range or f"bytes {start}-{size - 1}/{size}"}
