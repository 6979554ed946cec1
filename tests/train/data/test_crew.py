"""measure_all: several processes, one result, and none of them stays."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from train.data.crew import measure_all
from train.data.measure import measure

Draw = Callable[..., Image.Image]
ROOT = Path(__file__).parents[3]
has_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are listed by Linux only")


@pytest.fixture
def paths(tmp_path: Path, draw: Draw) -> list[str]:
    """Enough paths for other processes to take part: of pictures, of a damaged one and of none."""
    for seed in range(20):
        draw(seed, 200, 200).save(tmp_path / f"{seed}.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "0.jpg").read_bytes()[:700])
    return [str(tmp_path / f"{name}.jpg") for name in (*range(20), "cut", "missing")] * 40


def children() -> list[int]:
    """The processes that the threads of this one have started."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_all_are_measured_in_order(paths: list[str], workers: int) -> None:
    expected = [measure(Path(path)) for path in paths[:22]] * 40
    assert list(measure_all(paths, workers)) == expected
    assert list(measure_all(paths[:22], workers)) == expected[:22]
    assert list(measure_all([], workers)) == []


@has_proc
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_nothing_runs_on_after_an_interruption(paths: list[str], interruption: type[BaseException]) -> None:
    threads, processes = threading.active_count(), children()
    with pytest.raises(interruption), closing(measure_all(paths, 3)) as results:
        next(results)
        assert len(children()) == len(processes) + 2
        raise interruption
    assert (threading.active_count(), children()) == (threads, processes)


@has_proc
def test_the_files_of_a_process_that_dies_are_measured_all_the_same(paths: list[str]) -> None:
    before = children()
    found: list[object] = []
    for one in measure_all(paths, 2):
        if len(found) == 100:
            (mate,) = set(children()) - set(before)
            os.kill(mate, signal.SIGKILL)
        found.append(one)
    assert found == [measure(Path(path)) for path in paths[:22]] * 40


@has_proc
def test_a_process_of_the_crew_ends_with_its_caller(paths: list[str]) -> None:
    code = f"""
import os, signal
from pathlib import Path
from train.data.crew import measure_all
results = measure_all({paths!r}, 2)
next(results)
print(Path(f"/proc/self/task/{{os.getpid()}}/children").read_text(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == -signal.SIGKILL
    (mate,) = map(int, run.stdout.split())
    try:
        watched = os.pidfd_open(mate)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], 60)[0]
    finally:
        os.close(watched)


def test_it_works_without_other_processes(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [measure(Path(path)) for path in paths[:22]] * 40
    for executable in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        assert list(measure_all(paths, 3)) == expected
