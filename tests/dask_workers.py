"""A Dask cluster on this machine for tests: a scheduler, two workers, one of them killed with parts in its hands."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from train.common import dask_cluster
from train.data.scan import on_dask

ROOT = Path(__file__).parents[1]
Start = Callable[..., "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class LocalCluster:
    """A scheduler without workers, and what starts a further part of its cluster."""

    address: str
    start: Start

    def two_workers(self) -> "dict[str, subprocess.Popen[bytes]]":
        """Start two workers of one thread each, and wait until the scheduler knows them."""
        from distributed import Client

        options = ("--no-nanny", "--nthreads", 1, "--host", "127.0.0.1")
        workers = {name: self.start("worker", self.address, *options, "--name", name) for name in ("one", "two")}
        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        return workers


@contextmanager
def local_cluster(folder: Path) -> Iterator[LocalCluster]:
    """A cluster that ends with the block."""
    from distributed import Client

    running: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(kind: str, *options: object) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options), "--no-dashboard"]
        with (folder / f"{kind}-{len(running)}.log").open("wb") as log:
            running.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log, cwd=folder))
        return running[-1]

    file = folder / "scheduler.json"
    try:
        start("scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
        with Client(scheduler_file=str(file), timeout=120, set_as_default=False):
            address = str(json.loads(file.read_text())["address"])
        yield LocalCluster(address, start)
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()


@contextmanager
def one_of_two_killed(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the next verb have two workers, of which one stands still from before the first part, and is killed with
    parts in its hands as soon as the other one has made one."""
    from distributed import Client

    workers = cluster.two_workers()
    waiting: list[Any] = []
    parts: list[int] = []

    def kill(done: int, total: int) -> None:
        parts.append(total)
        if done == 1:
            with Client(cluster.address, timeout=60, set_as_default=False) as client:
                names = {one["id"]: place for place, one in client.scheduler_info(n_workers=-1)["workers"].items()}
                waiting.extend(client.processing()[names["two"]])
            workers["two"].kill()

    def make_and_kill(opened: Any, make: Any, on_progress: Any = None) -> Any:
        workers["two"].send_signal(signal.SIGSTOP)
        return made(opened, make, kill)

    made = dask_cluster.make_parts
    with monkeypatch.context() as patched:
        for module in (dask_cluster, on_dask):
            patched.setattr(module, "make_parts", make_and_kill)
        yield
    assert waiting
    assert parts == [8] * 8
    assert workers["two"].wait() == -signal.SIGKILL
    assert workers["one"].poll() is None
    workers["one"].kill()
    workers["one"].wait()
