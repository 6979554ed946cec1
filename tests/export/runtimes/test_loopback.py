"""The loopback server gives out what it was handed, to those who know where, and takes in no more than it should."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from export.runtimes.loopback import Files, serve_files


def ask(address: str, body: bytes | None = None) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=60) as reply:
            return reply.status, reply.read(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, b"", dict(error.headers)


def test_files_go_out_and_posts_come_in(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\x00\xff")
    heard: list[tuple[str, bytes]] = []
    files: Files = {
        "": ("text/html", b"page"),
        "b.wasm": ("application/wasm", tmp_path / "b"),
        "gone": ("text/plain", tmp_path / "gone"),
    }
    with serve_files(files, {"X-Told": "yes"}, lambda path, body: heard.append((path, body)), most=3) as (origin, page):
        assert page.startswith(f"{origin}/")
        status, body, headers = ask(page)
        assert (status, body, headers["Content-Type"], headers["X-Told"]) == (200, b"page", "text/html", "yes")
        assert ask(page + "b.wasm")[:2] == (200, b"\x00\xff")
        assert ask(page + "gone")[0] == ask(page + "other")[0] == 404
        assert ask(page + "answer", b"\x00\n\xff")[0] == 204
        assert ask(page + "answer", b"four")[0] == 413
        # Who does not know the folder neither reads nor answers.
        assert ask(f"{origin}/")[0] == ask(f"{origin}/b.wasm")[0] == ask(f"{origin}/answer", b"abc")[0] == 404
    assert heard == [("answer", b"\x00\n\xff")]
    with pytest.raises(urllib.error.URLError):
        ask(page)
