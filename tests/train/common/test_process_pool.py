"""parallel_map, and measure_all by it: several processes, one result, and none of them stays."""

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from operator import truediv
from pathlib import Path

import pytest
from PIL import Image

from train.common.process_pool import _chunks, parallel_map
from train.data.scan.measure import measure_all, measure_file

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
    expected = [measure_file(Path(path)) for path in paths[:22]] * 40
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
            (worker,) = set(children()) - set(before)
            os.kill(worker, signal.SIGKILL)
        found.append(one)
    assert found == [measure_file(Path(path)) for path in paths[:22]] * 40


@has_proc
def test_a_process_of_the_pool_ends_with_its_caller(paths: list[str]) -> None:
    code = f"""
import os, signal
from pathlib import Path
from train.data.scan.measure import measure_all
results = measure_all({paths!r}, 2)
next(results)
print(Path(f"/proc/self/task/{{os.getpid()}}/children").read_text(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == -signal.SIGKILL
    (worker,) = map(int, run.stdout.split())
    try:
        watched = os.pidfd_open(worker)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], 60)[0]
    finally:
        os.close(watched)


def test_it_works_without_other_processes(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [measure_file(Path(path)) for path in paths[:22]] * 40
    for executable in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        assert list(measure_all(paths, 3)) == expected


def test_several_processes_take_part_and_what_they_print_is_no_answer(tmp_path: Path) -> None:
    # Each end of the pipe opens when the other does, so one process alone would wait for ever.
    os.mkfifo(tmp_path / "pipe")
    code = f"""
import os
from train.common.process_pool import _chunks, parallel_map
both = [f"(print('hello'), open({str(tmp_path / "pipe")!r}, {{end!r}}).close(), __import__('os').getpid())[2]"
        for end in "rw"]
print(len(set(parallel_map(eval, both, 2))), os.getpid() in set(parallel_map(eval, both, 2)))
print(set(parallel_map(eval, ["__import__('os').getpid()"] * 3, 2, few=3)) == {{os.getpid()}})
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout == "hello\nhello\n2 True\nTrue\n", run.stderr


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 64, 1_000, 20_001])
def test_chunks_hold_every_item_once_and_end_small(count: int, workers: int) -> None:
    """A process that has nothing left to take waits for one item of another's, not for a whole chunk."""
    chunks = list(_chunks(range(count), workers))
    assert [item for chunk in chunks for item in chunk] == list(range(count))
    assert [len(chunk) for chunk in chunks[-workers:]] == [1] * min(workers, count)
    assert all(len(chunk) <= 64 for chunk in chunks)
    assert len(chunks) <= max(count / 64, 16 * workers) + 40 * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_a_function_with_arguments_bound_is_shared(workers: int) -> None:
    assert list(parallel_map(partial(pow, 3), range(200), workers)) == [3**power for power in range(200)]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_caller_meets_the_error_that_an_item_raises(workers: int) -> None:
    found: list[float] = []
    with pytest.raises(ZeroDivisionError):
        for one in parallel_map(partial(truediv, 1), [*range(1, 100), 0, *range(1, 100)], workers):
            found.append(one)
    assert found == [1 / number for number in range(1, len(found) + 1)]


def test_what_cannot_be_shared_is_refused_before_anything_runs() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        next(parallel_map(lambda item: item, [1, 2], 1))


def test_a_function_of_the_program_s_own_module_is_worked_by_this_process_alone() -> None:
    code = """
from train.common.process_pool import _chunks, parallel_map
def double(number):
    return 2 * number
print(list(parallel_map(double, range(100), 2)) == [2 * number for number in range(100)])
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout == "True\n", run.stderr
