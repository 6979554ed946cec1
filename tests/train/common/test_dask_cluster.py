"""What a Dask cluster that cannot do the work says: one sentence, whatever answers at its address."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fauxlens import app
from tests.dask_workers import local_cluster
from train.common import dask_cluster
from train.common.errors import DataError
from train.data.scan.on_dask import scan_on_dask

pytest.importorskip("distributed", reason="the extra `scale` is not installed")


@pytest.mark.slow
def test_what_is_wrong_on_a_worker_is_said_here(tree: Path, tmp_path: Path) -> None:
    with local_cluster(tmp_path) as cluster:
        address = cluster.address
        with pytest.raises(DataError, match=f"The Dask cluster at {address} has no workers: start some"):
            scan_on_dask(address, tree, tmp_path / "m.csv")
        workers = cluster.two_workers()
        with pytest.raises(DataError, match=r"has no picture \(expected real/ and fake/"):
            scan_on_dask(address, tree / "real", tmp_path / "m.csv")
        for path in (tree / "real").iterdir():
            path.write_bytes(b"\xff\xd8\xff\xe0 cut")
        with pytest.raises(DataError, match=r"The set of 8 parts has no real picture that can be used; 30 skipped, "):
            scan_on_dask(address, tree, tmp_path / "m.csv")
        assert all(worker.poll() is None for worker in workers.values())


@pytest.fixture(params=[b"", b"SSH-2.0-OpenSSH_9.6\r\n"], ids=["says nothing", "says something else"])
def stranger(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that is none of Dask."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            # Until the test is over, which closes the socket.
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    taken[-1].sendall(request.param)

        taken: list[socket.socket] = []
        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()


def test_a_server_of_another_kind_is_one_sentence(
    stranger: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(stranger, tree, tmp_path, monkeypatch)


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no where", "gopher://a:1"])
def test_an_address_that_does_not_answer_is_one_sentence(
    address: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(address, tree, tmp_path, monkeypatch)


def refused(address: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_PATIENCE", 1)
    words = ["data", "scan", str(tree), "--out", str(tmp_path / "m.csv"), "--dask", address]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    (sentence,) = done.output.strip().splitlines()
    assert sentence.startswith(f"No Dask scheduler answers at {address} within 1 seconds (")
    assert sentence.endswith("looks like tcp://10.0.0.1:8786.")
    assert not (tmp_path / "m.csv").exists()
