"""A loopback HTTP server for one page: it gives out files that it was handed and takes in what the page posts."""

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Files = Mapping[str, tuple[str, bytes | Path]]
"""Path below the page's folder, '' for the page itself, to content type and content; a Path is read when asked for."""


@contextlib.contextmanager
def serve_files(
    files: Files, headers: Mapping[str, str], posted: Callable[[str, bytes], None], most: int
) -> Iterator[tuple[str, str]]:
    """Serve `files` with `headers` on a free port of 127.0.0.1 while the block runs; yields the origin and the page.

    The page's folder has a name that nobody can guess, so that no other page on this machine asks or answers.
    `posted` gets what is posted, path below that folder and body, from other threads; bodies beyond `most` bytes are
    refused.
    """
    folder = f"/{secrets.token_urlsafe(16)}/"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path.removeprefix(folder)) if self.path.startswith(folder) else None
            if found is None or (isinstance(found[1], Path) and not found[1].is_file()):
                return self._reply(404, "text/plain", b"")
            kind, content = found
            return self._reply(200, kind, content.read_bytes() if isinstance(content, Path) else content)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not self.path.startswith(folder) or not length.isdecimal():
                return self._reply(404, "text/plain", b"")
            if int(length) > most:
                return self._reply(413, "text/plain", b"")
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                posted(self.path.removeprefix(folder), body)
            return self._reply(204, "text/plain", b"")

        def _reply(self, status: int, kind: str, body: bytes) -> None:
            # A browser that is closed in the middle hangs up.
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: people read tables here, not requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        origin = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield origin, origin + folder
        finally:
            server.shutdown()
            thread.join()
