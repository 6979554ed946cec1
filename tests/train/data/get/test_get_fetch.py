"""Fetching by address: the promised bytes arrive however the server behaves, or a sentence says why not."""

import hashlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.get.fetch import RetryPolicy, fetch_file

if TYPE_CHECKING:
    from tests.train.data.get.conftest import Page, Server

CONTENT = os.urandom(3 << 20)
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = RetryPolicy(connect_seconds=5, read_seconds=5, tries=4, pause_seconds=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def good(server: "Server", **options: Any) -> "Page":
    return server.page(**{"content": CONTENT, "etag": '"one"', **options})


def get(server: "Server", path: Path, **options: Any) -> Path:
    return fetch_file(f"{server.url}/set.zip", SHA256, path, **{"patience": QUICK, **options})


def refused(server: "Server", path: Path, **options: Any) -> str:
    """Fetch what must be refused, check that the name is not given away, and return the sentence."""
    with pytest.raises(DataError) as caught:
        get(server, path, **options)
    assert not path.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def arrived(path: Path) -> bool:
    return path.read_bytes() == CONTENT and [one.name for one in path.parent.iterdir()] == [path.name]


def ranges(server: "Server") -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


def test_a_file_arrives_with_progress_and_is_not_fetched_again(server: "Server", path: Path) -> None:
    server.play(good(server))
    told: list[tuple[int, int]] = []
    assert get(server, path, on_progress=lambda done, total: told.append((done, total))) == path
    assert arrived(path)
    assert told == sorted(told)
    assert told[-1] == (SIZE, SIZE)
    get(server, path)
    assert len(server.requests) == 1


def test_other_content_in_the_place_is_not_overwritten(server: "Server", path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(DataError, match="different content"):
        get(server, path)
    assert path.read_text() == "mine"
    assert server.requests == []


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', ""])
def test_what_breaks_off_goes_on_where_it_broke(server: "Server", path: Path, etag: str) -> None:
    server.play(*(good(server, etag=etag, if_range=etag == '"one"', cut=cut) for cut in (1 << 20, 1 << 20, None)))
    get(server, path)
    assert arrived(path)
    assert ranges(server) == [None, f"bytes={1 << 20}-", f"bytes={2 << 20}-"]
    assert {request.headers.get("if-range") for request in server.requests[1:]} == {
        '"one"' if etag == '"one"' else None
    }


def test_a_later_call_goes_on_too(server: "Server", path: Path) -> None:
    server.play(good(server, cut=1 << 20), good(server))
    sentence = refused(server, path, patience=RetryPolicy(5, 5, tries=1))
    assert f"resumes from {1 << 20:,} bytes" in sentence
    get(server, path)
    assert arrived(path)
    assert ranges(server) == [None, f"bytes={1 << 20}-"]


def test_tries_are_bounded(server: "Server", path: Path) -> None:
    server.play(good(server, cut=0))
    assert "was interrupted 4 times" in refused(server, path)
    assert len(server.requests) == 4


def test_a_stop_keeps_the_part(server: "Server", path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 1 << 20:
            raise KeyboardInterrupt

    server.play(good(server))
    with pytest.raises(KeyboardInterrupt):
        get(server, path, on_progress=stop)
    kept = path.with_name("archive.part").stat().st_size
    assert kept >= 1 << 20
    get(server, path)
    assert arrived(path)
    assert ranges(server)[-1] == f"bytes={kept}-"


def test_a_server_that_ignores_range_is_read_from_the_start(server: "Server", path: Path) -> None:
    server.play(good(server, cut=1 << 20), good(server, ranges=False))
    get(server, path)
    assert arrived(path)


@pytest.mark.parametrize("if_range", [True, False])
def test_content_that_changes_between_tries_is_not_mixed(server: "Server", path: Path, if_range: bool) -> None:
    old = bytes(SIZE)
    server.play(
        server.page(old, etag='"old"', cut=1 << 20), good(server, if_range=if_range), good(server, if_range=if_range)
    )
    get(server, path)
    assert arrived(path)


def test_a_date_tells_files_apart_where_there_is_no_etag(server: "Server", path: Path) -> None:
    old, new = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"
    changed = good(server, etag="", if_range=False, headers={"Last-Modified": new})
    server.play(server.page(bytes(SIZE), headers={"Last-Modified": old}, cut=1 << 20), changed, changed)
    get(server, path)
    assert arrived(path)
    assert server.requests[1].headers["if-range"] == old


@pytest.mark.parametrize(
    "header", [f"bytes 0-{SIZE - 1}/{SIZE}", f"bytes {1 << 20}-{SIZE - 1}/{SIZE + 1}", "bytes nonsense", "bytes */9"]
)
def test_a_wrong_content_range_is_not_believed(server: "Server", path: Path, header: str) -> None:
    server.play(good(server, cut=1 << 20), good(server, content_range=header), good(server))
    get(server, path)
    assert arrived(path)
    assert ranges(server) == [None, f"bytes={1 << 20}-", None]


def test_a_part_that_was_whole_is_only_checked(server: "Server", path: Path) -> None:
    path.with_name("archive.part").write_bytes(CONTENT)
    server.play(good(server))
    get(server, path)
    assert arrived(path)
    assert ranges(server) == [f"bytes={SIZE}-"]


def test_a_part_that_is_too_long_is_begun_again(server: "Server", path: Path) -> None:
    path.with_name("archive.part").write_bytes(CONTENT + b"more")
    server.play(good(server))
    get(server, path)
    assert arrived(path)


def test_damaged_notes_beside_a_part_do_not_matter(server: "Server", path: Path) -> None:
    path.with_name("archive.part").write_bytes(CONTENT[:100])
    path.with_name("archive.part.json").write_text('{"size": ')
    server.play(good(server))
    get(server, path)
    assert arrived(path)


def test_a_length_nobody_says_is_fine(server: "Server", path: Path) -> None:
    server.play(good(server, says_length=False))
    told: list[tuple[int, int]] = []
    get(server, path, on_progress=lambda done, total: told.append((done, total)))
    assert arrived(path)
    assert {total for _, total in told} == {0}


def test_an_encoding_that_a_server_claims_is_not_undone(server: "Server", path: Path) -> None:
    server.play(good(server, headers={"Content-Encoding": "gzip"}))
    get(server, path)
    assert arrived(path)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_wrong_content_is_named_by_both_hashes_and_removed(server: "Server", path: Path) -> None:
    wrong = b"something else"
    server.play(server.page(wrong), good(server))
    sentence = refused(server, path)
    assert SHA256 in sentence
    assert hashlib.sha256(wrong).hexdigest() in sentence
    assert list(path.parent.iterdir()) == []
    get(server, path)
    assert arrived(path)
    assert ranges(server) == [None, None]


def test_redirects_are_followed_and_asked_for_the_rest(server: "Server", path: Path) -> None:
    moved = server.page(status=302, headers={"Location": "/elsewhere"})
    server.play(moved, good(server, cut=1 << 20), moved, good(server))
    get(server, path)
    assert arrived(path)
    assert [request.path for request in server.requests] == ["/set.zip", "/elsewhere"] * 2
    assert ranges(server)[2:] == [f"bytes={1 << 20}-"] * 2


def test_endless_redirects_end(server: "Server", path: Path) -> None:
    server.play(server.page(status=302, headers={"Location": "/set.zip"}))
    assert "redirects more than" in refused(server, path)
    assert len(server.requests) == 10


@pytest.mark.parametrize("target", ["http://example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://[x"])
def test_a_redirect_cannot_lead_to_what_an_address_cannot(server: "Server", path: Path, target: str) -> None:
    server.play(server.page(status=302, headers={"Location": target}))
    refused(server, path)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["http://example.invalid/x", "http://127.0.0.1.example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "x",
     "https:///x", "", "http://[x"],
)  # fmt: skip
def test_only_safe_addresses_are_asked(path: Path, url: str) -> None:
    with pytest.raises(DataError):
        fetch_file(url, SHA256, path, patience=QUICK)
    assert list(path.parent.iterdir()) == []


def test_secrets_of_an_address_are_not_repeated(server: "Server", path: Path) -> None:
    bare = server.url.removeprefix("http://")
    with pytest.raises(DataError) as caught:
        fetch_file(f"http://me:hush@{bare}/x", SHA256, path, patience=QUICK)
    assert "hush" not in str(caught.value)
    for page in (server.page(status=403), server.page(status=500), good(server, cut=5), server.page(b"wrong")):
        server.play(page)
        with pytest.raises(DataError) as caught:
            fetch_file(f"{server.url}/x?token=hush", SHA256, path, patience=QUICK)
        assert "hush" not in str(caught.value)
        assert "/x" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "not public"), (403, "not public"), (404, "not found"), (410, "not found"), (204, "not a file")],
)
def test_a_refusal_is_final(server: "Server", path: Path, status: int, said: str) -> None:
    server.play(server.page(status=status))
    assert said in refused(server, path)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_is_waited_out(server: "Server", path: Path, status: int) -> None:
    server.play(server.page(status=status), good(server))
    get(server, path)
    assert arrived(path)


def test_a_server_that_stalls_is_given_up(server: "Server", path: Path) -> None:
    server.play(server.page(stall=True))
    assert "no answer in time" in refused(server, path, patience=RetryPolicy(5, 0.05, tries=2, pause_seconds=0))


def test_nobody_there(path: Path) -> None:
    with socket.socket() as held:
        # Bound and not listening: the port is ours and refuses.
        held.bind(("127.0.0.1", 0))
        with pytest.raises(DataError, match="the connection failed"):
            fetch_file(f"http://127.0.0.1:{held.getsockname()[1]}/x", SHA256, path, patience=QUICK)


def test_what_is_larger_than_allowed_is_not_taken(server: "Server", path: Path) -> None:
    server.play(good(server))
    assert "more than" in refused(server, path, max_bytes=SIZE - 1)
    server.play(good(server, says_length=False))
    assert "more than" in refused(server, path, max_bytes=SIZE - 1)
    assert list(path.parent.glob("*.part")) == []


def test_what_the_disk_has_no_room_for_is_not_begun(server: "Server", path: Path) -> None:
    server.play(server.page(b"", headers={"Content-Length": str(10**17)}, says_length=False))
    assert "make room" in refused(server, path, max_bytes=10**18)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 5000), max_size=6), manners=st.sampled_from(["good", "no range", "no if-range"]))
def test_whatever_the_cuts_the_bytes_are_right(server: "Server", tmp_path: Path, cuts: list[int], manners: str) -> None:
    content = CONTENT[:5000]
    options: dict[str, Any] = {"etag": '"one"', "ranges": manners != "no range", "if_range": manners == "good"}
    server.play(*(server.page(content, cut=cut, **options) for cut in cuts), server.page(content, **options))
    path = tmp_path / "archive"
    path.unlink(missing_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    fetch_file(f"{server.url}/x", sha256, path, patience=RetryPolicy(5, 5, tries=len(cuts) + 1, pause_seconds=0))
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["archive"]


def test_the_notes_hold_no_address(server: "Server", path: Path) -> None:
    server.play(good(server, cut=10))
    refused(server, path, patience=RetryPolicy(5, 5, tries=1))
    assert set(json.loads(path.with_name("archive.part.json").read_text())) == {"size", "etag", "modified"}
