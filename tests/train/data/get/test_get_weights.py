"""Weights of the tiny autoencoders from Hugging Face, by its own client, against a server on this machine."""

import errno
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from train.common.errors import DataError
from train.data.reconstruct.hub import fetch_weights
from train.data.reconstruct.open_autoencoder import open_taesd, resolved_weights

if TYPE_CHECKING:
    from tests.train.data.get.conftest import Page, Request, Server

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "taesd_encoder.safetensors": b"encoder",
    "taesd_decoder.safetensors": b"decoder",
    "taesd_sample.png": b"not asked for",
}


@pytest.fixture
def hub(server: "Server", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Server":
    """A Hugging Face that has `madebyollin/taesd`, and an empty cache."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))

    def document(value: object, status: int = 200, **headers: str) -> "Page":
        told = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return server.page(json.dumps(value).encode(), status, told, ranges=False)

    def answer(request: "Request") -> "Page":
        path = request.path.partition("?")[0]
        if re.fullmatch("/api/models/madebyollin/taesd(/revision/main)?", path):
            siblings = [{"rfilename": name} for name in FILES]
            return document({"id": "madebyollin/taesd", "sha": COMMIT, "siblings": siblings})
        if path == f"/api/models/madebyollin/taesd/tree/{COMMIT}":
            return document([{"type": "file", "path": n, "size": len(c), "oid": _oid(c)} for n, c in FILES.items()])
        for name, content in FILES.items():
            if path == f"/madebyollin/taesd/resolve/{COMMIT}/{name}":
                return server.page(content, headers={"X-Repo-Commit": COMMIT}, etag=f'"{_oid(content)}"')
        return document({"error": "nothing here"}, 404, X_Error_Code="RepoNotFound")

    server.answer = answer
    return server


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def test_weights_arrive_and_are_kept(hub: "Server") -> None:
    folder = fetch_weights("taesd")
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {name: content for name, content in FILES.items() if "coder" in name}
    hub.requests.clear()
    assert fetch_weights("taesd") == folder
    assert not [request for request in hub.requests if request.method == "GET" and "/resolve/" in request.path]


def test_another_repository_may_have_them(hub: "Server") -> None:
    autoencoder = Path("hf:madebyollin/taesd@main")
    with pytest.raises(DataError, match=r"taesd_encoder\.safetensors is not a complete safetensors file"):
        # They arrive, and are what the server has.
        open_taesd("taesd", autoencoder)
    assert resolved_weights(autoencoder) == autoencoder
    assert resolved_weights(Path("weights")) == Path("weights").resolve()
    with pytest.raises(DataError, match=r"someone/else cannot be downloaded \(status 404\): name a folder"):
        open_taesd("taesd", Path("hf:someone/else"))
    for handle in ("", "taesd", "a/b/c", "a/b@", "../x", "a--b/..--", "a/b.git"):
        with pytest.raises(DataError, match=f"hf:{re.escape(handle)} names no repository: write hf:OWNER/NAME"):
            fetch_weights("taesd", handle)


def test_what_cannot_be_had_is_told(hub: "Server", monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"madebyollin/taef1 cannot be downloaded \(status 404\): name a folder"):
        fetch_weights("taef1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="cannot be reached: check the network"):
        fetch_weights("taesdxl")


def test_a_full_disk_is_told(hub: "Server", monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(DataError, match=r"madebyollin/taesd cannot be kept \(No space left on device\): free some"):
        fetch_weights("taesd")
