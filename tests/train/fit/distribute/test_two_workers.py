"""Two replicas learn what one worker learns: in one process, and in two on loopback of which one is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from train.fit.checkpoints import load_progress
from train.fit.epoch import BatchProgress
from train.fit.loop import fit, load_model
from train.fit.pipeline import begin
from train.fit.run_folder import has_state, open_run
from train.recipe import parse_recipe

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
SHARED: dict[str, Any] = {
    "title": "Small",
    # 46 pictures: batches that no two replicas share evenly, and a last one of a single picture.
    "fit": {"batch_size": 15, "optimizer": "sgd", "average": 0.9, "seed": 5, "patience": 9},
    "augment": {"flip": 0.5, "mixup": 0.5},
}
# A network whose losses are the same but for rounding after many steps, too.
DENSE = SHARED | {
    "data": {"view": "upright|square|resize(48)", "generators": ["camera", "gan-like"]},
    "model": {"backbone": "alexnet-like", "weights": "none", "dropout": 0.2},
    "stages": [
        {"name": "head", "epochs": 1, "learning_rate": 0.01, "train_from": "head"},
        {"name": "all", "epochs": 4, "learning_rate": 0.01, "train_from": "all"},
    ],
}
# One with batch norm. From random weights each step multiplies what differs by a hundred: only the first is compared.
NORMED = SHARED | {
    "data": {"view": "upright|square|resize(32)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none", "dropout": 0.2, "head": "non-negative"},
    "stages": [
        {"name": "head", "epochs": 1, "learning_rate": 0.01, "train_from": "head", "features": "cached"},
        {"name": "all", "epochs": 1, "learning_rate": 0.01, "train_from": "all"},
    ],
}
TOLERANCE = 1e-4
"""How far the losses of one worker and of two may be apart, as a share: sums of float32 in another order."""


@pytest.fixture(scope="module")
def manifest(noise: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = ("train",) * 23 + ("val",) * 6 + ("test",) * 6
    return noise(tmp_path_factory.mktemp("two"), splits, generators=2)


MIRRORED = """
import json, sys
from pathlib import Path
from train.common.tf import load_tensorflow
from train.fit.distribute.cluster import Cluster
from train.fit.distribute.replicas import Replicas
from train.fit.loop import fit
from train.fit.pipeline import begin
from train.recipe import read_recipe
tf = load_tensorflow()
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
replicas = Replicas(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), Cluster(("",), 0))
assert replicas.count == 2
folder = Path(sys.argv[1])
run = begin(read_recipe(folder / "normed.toml"), folder / "manifest.csv", folder / "mirrored")
losses = []
fit(run, run.store(), replicas=replicas, on_batch=lambda one: losses.append((one.stage, one.batch, one.loss)))
print(json.dumps(losses))
"""


def test_two_replicas_of_one_process_take_the_step_of_one_worker(manifest: Path) -> None:
    folder = manifest.parent
    (folder / "normed.toml").write_text(tomli_w.dumps(NORMED))
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    losses: list[list[Any]] = []

    def note(one: BatchProgress) -> None:
        losses.append([one.stage, one.batch, one.loss])

    run = begin(parse_recipe(NORMED, "normed"), manifest, folder / "normed")
    fit(run, run.store(), on_batch=note)
    found = json.loads(done.stdout.splitlines()[-1])
    assert [one[:2] for one in found] == [one[:2] for one in losses]
    # The cached stage to its end, and the first step of the other: each replica's own mean and variance of a batch, or
    # another dropout, would move it by far more.
    for one, other in zip(found[:5], losses[:5], strict=True):
        assert one[2] == pytest.approx(other[2], rel=TOLERANCE), one
    assert found[4][:2] == ["all", 1]
    assert all(np.isfinite(one[2]) for one in found)
    # The head's bound holds on replicas, too.
    assert load_model(open_run(folder / "mirrored")).get_weights()[-2].min() >= 0


def free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


class Worker:
    """A process of `fauxlens train`, whose lines on standard error are read as they come."""

    def __init__(self, arguments: list[str], addresses: list[str], number: int) -> None:
        about = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        self.lines: list[str] = []
        self.on_line: Callable[[str], None] = lambda line: None
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import fauxlens; fauxlens.main()", "train", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(about)},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            self.on_line(line)

    def end(self) -> tuple[int, str]:
        """Wait for the end; the status, and all lines."""
        self.process.wait()
        self._reader.join()
        return self.process.returncode, "\n".join(self.lines)

    @property
    def epochs(self) -> int:
        return sum(", epoch " in line for line in self.lines)


def start(arguments: list[str]) -> list[Worker]:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [Worker([*arguments, "--strategy", "multiworker"], addresses, number) for number in range(2)]


def test_a_killed_worker_goes_on_and_both_reach_the_loss_of_one(manifest: Path) -> None:
    out, recipe = manifest.parent / "two", manifest.parent / "dense.toml"
    recipe.write_text(tomli_w.dumps(DENSE))
    first, second = start([str(recipe), "--manifest", str(manifest), "--out", str(out)])

    def kill(line: str) -> None:
        if line.startswith("all, epoch 1:"):
            second.process.send_signal(signal.SIGKILL)

    first.on_line = kill
    status, lines = first.end()
    assert second.end()[0] == -signal.SIGKILL
    assert status == 2, lines
    assert lines.splitlines()[-1].startswith("Another worker has stopped or cannot be reached. Completed epochs")
    begun = load_progress(out / "checkpoints").history
    assert 2 <= len(begun) < 5
    assert not has_state(open_run(out), "float")

    again = start(["--resume", str(out)])
    ends = [worker.end() for worker in again]
    assert [status for status, _ in ends] == [0, 0], ends
    history = load_progress(out / "checkpoints").history
    assert history[: len(begun)] == begun
    assert [worker.epochs for worker in again] == [5 - len(begun), 0]
    assert has_state(open_run(out), "float")
    assert (out / "report" / "report.html").exists()

    alone = begin(parse_recipe(DENSE, "dense"), manifest, manifest.parent / "alone")
    fit(alone, alone.store())
    expected = load_progress(alone.folder / "checkpoints").history
    assert [(one.stage, one.epoch) for one in history] == [(one.stage, one.epoch) for one in expected]
    for name in ("train_loss", "val_loss", "learning_rate"):
        found, wanted = ([getattr(one, name) for one in epochs] for epochs in (history, expected))
        np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, err_msg=name)
    # The network did learn, by far more than the tolerance: the losses agree because what was learned does.
    assert expected[-1].train_loss < (1 - 20 * TOLERANCE) * expected[0].train_loss
