"""A scan on a Dask cluster: the manifest of one machine, also where a worker is killed; bad addresses in a sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import DataError
from train.data.scan import dask_cluster
from train.data.scan.dask_cluster import scan_on_dask
from train.data.scan.folder import scan_folder

ROOT = Path(__file__).parents[4]
pytest.importorskip("distributed", reason="the extra `scale` is not installed")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a part of a cluster, which ends with the test."""
    running: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(kind: str, *options: object) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options), "--no-dashboard"]
        with (tmp_path / f"{kind}-{len(running)}.log").open("wb") as log:
            running.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log, cwd=tmp_path))
        return running[-1]

    yield run
    for process in reversed(running):
        process.kill()
        process.wait()


@pytest.fixture
def address(start: Start, tmp_path: Path) -> str:
    """The address of a scheduler without workers."""
    from distributed import Client

    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
    with Client(scheduler_file=str(file), timeout=120, set_as_default=False):
        return str(json.loads(file.read_text())["address"])


def two_workers(start: Start, address: str) -> dict[str, subprocess.Popen[bytes]]:
    from distributed import Client

    options = ("--no-nanny", "--nthreads", 1, "--host", "127.0.0.1")
    workers = {name: start("worker", address, *options, "--name", name) for name in ("one", "two")}
    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
    return workers


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(
    tree: Path, tmp_path: Path, start: Start, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker stands still from before the first part, and is killed with parts in its hands."""
    from distributed import Client

    whole, out = tmp_path / "whole.csv", tmp_path / "m.csv"
    (tree / "real" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    skipped = scan_folder(tree, whole).skipped
    workers = two_workers(start, address)
    opened = dask_cluster.open_folder
    waiting: list[Any] = []

    def open_and_stop(*arguments: Any, **options: Any) -> Any:
        workers["two"].send_signal(signal.SIGSTOP)
        return opened(*arguments, **options)

    def kill(done: int, total: int) -> None:
        assert total == 8
        if done == 1:
            with Client(address, timeout=60, set_as_default=False) as client:
                names = {one["id"]: place for place, one in client.scheduler_info(n_workers=-1)["workers"].items()}
                waiting.extend(client.processing()[names["two"]])
            workers["two"].kill()

    monkeypatch.setattr(dask_cluster, "open_folder", open_and_stop)
    found = scan_on_dask(address, tree, out, on_progress=kill)
    assert waiting
    assert workers["two"].wait() == -signal.SIGKILL
    assert workers["one"].poll() is None
    assert out.read_bytes() == whole.read_bytes()
    assert found.skipped == skipped
    assert not list(tmp_path.glob("*.part-*.parquet"))


@pytest.mark.slow
def test_what_is_wrong_on_a_worker_is_said_here(tree: Path, tmp_path: Path, start: Start, address: str) -> None:
    with pytest.raises(DataError, match=f"The Dask cluster at {address} has no workers: start some"):
        scan_on_dask(address, tree, tmp_path / "m.csv")
    workers = two_workers(start, address)
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


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no where", "gopher://a:1", ""])
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


def test_a_part_of_a_cluster_is_refused(tree: Path) -> None:
    done = CliRunner().invoke(app, ["data", "scan", str(tree), "--dask", "127.0.0.1:9", "--part", "1/2"])
    assert (done.exit_code, done.output) == (2, "--dask makes all parts and merges them: leave out --part 1/2.\n")
