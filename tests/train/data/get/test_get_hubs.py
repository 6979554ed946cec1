"""The hubs' own clients against a server on this machine that speaks enough of their protocols."""

import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from train.common.errors import DataError
from train.data.get.hubs import Fetched, fetch_huggingface, fetch_kaggle

if TYPE_CHECKING:
    from tests.train.data.get.conftest import Page, Request, Server

FILES = {
    "real/1.jpg": os.urandom(300_000),
    "real/2.jpg": os.urandom(1000),
    "fake/sdxl/große Datei.png": os.urandom(3 << 20),
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def json_page(server: "Server", value: Any, status: int = 200, headers: Mapping[str, str] = {}) -> "Page":
    told = {"Content-Type": "application/json", **headers}
    return server.page(json.dumps(value).encode(), status, told, ranges=False)


def hidden(package: str, call: str) -> str:
    """What a call says in a Python that does not find `package`."""
    program = (
        "import sys; from importlib.machinery import PathFinder\n"
        "class Finder(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        return None if name == {package!r} else super().find_spec(name, path, target)\n"
        "sys.meta_path = [f for f in sys.meta_path if f is not PathFinder] + [Finder]\n"
        "from pathlib import Path\nfrom train.common.errors import DataError\nfrom train.data.get import hubs\n"
        f"try:\n    {call}\nexcept DataError as error:\n    print(error)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


# Hugging Face -------------------------------------------------------------------------------------------------


@pytest.fixture
def face(server: "Server", monkeypatch: pytest.MonkeyPatch) -> "Server":
    """A Hugging Face that has `faces/set` and answers each file with `server.files(path)`."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_ENDPOINT", server.url)

    def answer(request: "Request") -> "Page":
        path = request.path.partition("?")[0]
        if re.fullmatch("/api/datasets/faces/set(/revision/main)?", path):
            return json_page(server, {"id": "faces/set", "sha": COMMIT, "siblings": []})
        if path == f"/api/datasets/faces/set/tree/{COMMIT}":
            return json_page(
                server,
                [
                    {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for name, content in FILES.items()
                ],
            )
        for name, content in FILES.items():
            if path == f"/datasets/faces/set/resolve/{COMMIT}/{quote(name)}":
                return server.page(
                    content, headers={"X-Repo-Commit": COMMIT}, etag=f'"{hashlib.sha1(content).hexdigest()}"'
                )
        return json_page(server, {"error": "nothing here"}, 404, {"X-Error-Code": "RepoNotFound"})

    server.answer = answer
    return server


def but(server: "Server", match: str, *pages: "Page") -> None:
    """Answer requests whose `METHOD path` matches with `pages` in turn, then and else as before."""
    usual, waiting = server.answer, list(pages)

    def answer(request: "Request") -> "Page":
        if waiting and re.search(match, f"{request.method} {request.path}"):
            return waiting.pop(0)
        return usual(request)

    server.answer = answer


def test_huggingface_files_arrive(face: "Server", tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fetch_huggingface("faces/set", tmp_path) == Fetched(tmp_path / "huggingface", COMMIT)
    assert contents(tmp_path) == {f"huggingface/{name}": content for name, content in FILES.items()}
    assert capfd.readouterr().out == ""


def test_a_huggingface_revision_is_asked_for(face: "Server", tmp_path: Path) -> None:
    but(face, "revision/v1.2", json_page(face, {"id": "faces/set", "sha": COMMIT, "siblings": []}))
    assert fetch_huggingface("faces/set@v1.2", tmp_path).version == COMMIT
    but(face, "revision/v9", json_page(face, {}, 404, {"X-Error-Code": "RevisionNotFound"}))
    with pytest.raises(DataError, match="no revision 'v9'"):
        fetch_huggingface("faces/set@v9", tmp_path / "other")


def test_huggingface_goes_on_within_a_file(face: "Server", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The client writes in pieces of 10 MiB; what is behind the last whole one comes again.
    name, content = "big.png", os.urandom(12 << 20)
    monkeypatch.setitem(FILES, name, content)
    etag = f'"{hashlib.sha1(content).hexdigest()}"'
    but(face, f"GET .*{name}", face.page(content, headers={"X-Repo-Commit": COMMIT}, etag=etag, cut=11 << 20))
    assert contents(fetch_huggingface("faces/set", tmp_path).folder) == FILES
    asked = [request.headers["range"] for request in face.requests if "range" in request.headers]
    assert asked == [f"bytes={10 << 20}-"]


def test_huggingface_keeps_whole_files_for_the_next_call(face: "Server", tmp_path: Path) -> None:
    big = quote("fake/sdxl/große Datei.png")
    but(face, f"GET .*{big}", face.page(status=500))
    with pytest.raises(DataError, match="status 500"):
        fetch_huggingface("faces/set", tmp_path)
    face.requests.clear()
    assert contents(fetch_huggingface("faces/set", tmp_path).folder) == FILES
    fetched = [request.path for request in face.requests if request.method == "GET" and "/resolve/" in request.path]
    assert len(fetched) < len(FILES)


def test_a_half_fetched_folder_is_not_handed_out(face: "Server", tmp_path: Path) -> None:
    """The client itself returns whatever lies there when the list of files cannot be had."""
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "left.jpg").write_bytes(b"half")
    but(face, "/tree/", face.page(status=403))
    with pytest.raises(DataError, match="run the command again"):
        fetch_huggingface("faces/set", tmp_path)


REFUSALS = [
    (401, "", "sign in with `hf auth login`"),
    (401, "GatedRepo", "accept its terms"),
    (403, "GatedRepo", "accept its terms"),
    (403, "", "accept its terms"),
    (404, "RepoNotFound", "correct the handle"),
    (404, "", "correct the handle"),
]


# A server's fault at a file is not asked for: the client waits and tries again for half a minute.
@pytest.mark.parametrize(
    ("at", "status", "code", "said"),
    [(at, *refusal) for at in ("api/datasets", "/resolve/") for refusal in REFUSALS]
    + [("api/datasets", 500, "", "later")],
)
def test_huggingface_refusals_say_what_to_do(
    face: "Server", tmp_path: Path, at: str, status: int, code: str, said: str
) -> None:
    page = json_page(face, {"error": "no"}, status, {"X-Error-Code": code} if code else {})
    but(face, at, *(page for _ in range(200)))
    with pytest.raises(DataError) as caught:
        fetch_huggingface("faces/set", tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("handle", ["", "a/b/c", "a b/c", "../x/y", "faces/set@", "-/--"])
def test_a_handle_that_is_none(face: "Server", tmp_path: Path, handle: str) -> None:
    with pytest.raises(DataError, match="is not a Hugging Face dataset"):
        fetch_huggingface(handle, tmp_path)
    assert face.requests == []


# Kaggle -------------------------------------------------------------------------------------------------------


@pytest.fixture
def kaggle(server: "Server", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Server":
    """A Kaggle that has `faces/set`, version 7, as one zip in its storage.

    The client knows its own servers only, one of them http://localhost; the test's server stands in as the
    proxy, so that every request of the client comes to it unchanged.
    """
    pytest.importorskip("kagglehub")
    home = tmp_path / "home"
    home.mkdir()
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": home, "http_proxy": server.url, "KAGGLE_API_ENVIRONMENT": "LOCALHOST"}.items():
        monkeypatch.setenv(name, str(value))
    archive = zipped()

    def answer(request: "Request") -> "Page":
        if request.path.endswith("DatasetApiService/GetDataset"):
            return json_page(server, {"id": 1, "currentVersionNumber": 7}, headers={"X-Kaggle-HubVersion": "99.0"})
        if request.path.endswith("DatasetApiService/DownloadDataset"):
            return server.page(status=302, headers={"Location": "http://storage.invalid/set.zip"})
        if request.path == "http://storage.invalid/set.zip":
            return server.page(archive, headers={"Accept-Ranges": "bytes"})
        return json_page(server, {"code": 404, "message": "nothing here"}, 404)

    server.answer = answer
    return server


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in FILES.items():
            opened.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_kaggle_files_arrive(kaggle: "Server", work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    fetched = fetch_kaggle("faces/set", work)
    assert contents(fetched.folder) == FILES
    assert fetched.version == "7"
    assert fetched.folder.is_relative_to(work)
    assert dict(os.environ) == before
    assert capfd.readouterr().out == ""


def test_kaggle_prints_nothing_on_standard_output_when_signed_in(
    kaggle: "Server", work: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Signed in, the client prints that there is a later version of it."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", "hush")
    fetch_kaggle("faces/set", work)
    told = capfd.readouterr()
    assert told.out == ""
    assert kaggle.requests[0].headers["authorization"] == "Bearer hush"
    # The storage is another server.
    assert "authorization" not in kaggle.requests[-1].headers


def test_a_kaggle_version_is_asked_for(kaggle: "Server", work: Path) -> None:
    assert fetch_kaggle("faces/set/versions/3", work).version == "3"
    asked = next(request for request in kaggle.requests if "DownloadDataset" in request.path)
    assert asked.path.startswith("http://localhost/")
    assert json.loads(asked.body) == {"ownerSlug": "faces", "datasetSlug": "set", "datasetVersionNumber": 3}


def test_kaggle_goes_on_with_a_broken_download(kaggle: "Server", work: Path) -> None:
    archive = zipped()
    but(kaggle, "set.zip", kaggle.page(archive, headers={"Accept-Ranges": "bytes"}, cut=5 << 19))
    with pytest.raises(DataError, match="again to resume"):
        fetch_kaggle("faces/set", work)
    assert contents(fetch_kaggle("faces/set", work).folder) == FILES
    assert kaggle.requests[-1].headers["range"] == f"bytes={2 << 20}-"


def test_a_damaged_kaggle_archive_is_not_kept(kaggle: "Server", work: Path) -> None:
    but(kaggle, "set.zip", kaggle.page(b"<html>", headers={"Accept-Ranges": "bytes"}))
    with pytest.raises(DataError, match="arrived damaged"):
        fetch_kaggle("faces/set", work)
    assert contents(fetch_kaggle("faces/set", work).folder) == FILES


@pytest.mark.parametrize(
    ("status", "said"), [(401, "make a token"), (403, "accept its terms"), (404, "correct the handle"), (500, "later")]
)
@pytest.mark.parametrize("at", ["GetDataset", "DownloadDataset", "set.zip"])
def test_kaggle_refusals_say_what_to_do(kaggle: "Server", work: Path, status: int, said: str, at: str) -> None:
    but(kaggle, at, json_page(kaggle, {"code": status, "message": "no"}, status))
    with pytest.raises(DataError) as caught:
        fetch_kaggle("faces/set", work)
    assert said in str(caught.value)
    assert "/datasets/faces/set" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_kaggle_credentials_are_named(kaggle: "Server", work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = work.parent / "home" / ".kaggle"
    folder.mkdir()
    (folder / "kaggle.json").write_text("{")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
    with pytest.raises(DataError, match=r"kaggle\.json"):
        fetch_kaggle("faces/set", work)


@pytest.mark.parametrize("handle", ["", "set", "a/b/c", "a/b/versions/x", "../b", "a b/c"])
def test_a_kaggle_handle_that_is_none(kaggle: "Server", work: Path, handle: str) -> None:
    with pytest.raises(DataError, match="is not a Kaggle dataset"):
        fetch_kaggle(handle, work)
    assert kaggle.requests == []


# Both ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fetch", "hub"), [(fetch_kaggle, "kaggle"), (fetch_huggingface, "face")])
def test_no_network(
    fetch: Callable[[str, Path], Fetched],
    hub: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    request.getfixturevalue(hub)
    with socket.socket() as held:
        # Bound and not listening: the port is ours and refuses.
        held.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", nobody)
        monkeypatch.setenv("http_proxy", nobody)
        with pytest.raises(DataError, match="check the network"):
            fetch("faces/set", tmp_path / "work")


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("kagglehub", "hubs.fetch_kaggle('faces/set', Path('x'))"),
        ("huggingface_hub", "hubs.fetch_huggingface('faces/set', Path('x'))"),
    ],
)
def test_a_missing_client_is_named_with_the_way_to_install_it(package: str, call: str) -> None:
    sentence = hidden(package, call)
    assert package in sentence
    assert "pip install '.[hubs]'" in sentence
