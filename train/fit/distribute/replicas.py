"""The replicas of a network that learn together: on the GPUs of one machine, or on those of several workers."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.fit.distribute.cluster import VARIABLE, Cluster, read_cluster

Strategy = Literal["mirrored", "multiworker"]


class WorkerLost(TrainError):
    """Another worker has stopped or cannot be reached: what is trained together cannot go on without it."""


@dataclass(frozen=True)
class Replicas:
    """A strategy of tf.distribute, and the place of this process among its workers, from 0."""

    strategy: Any
    cluster: Cluster

    @property
    def first(self) -> bool:
        """Whether this is the worker that evaluates, writes the run folder and tells people."""
        return self.cluster.number == 0

    @property
    def count(self) -> int:
        """How many replicas all workers have together."""
        return int(self.strategy.num_replicas_in_sync)

    @property
    def mine(self) -> range:
        """The numbers of this worker's replicas; every worker has as many."""
        here = self.count // len(self.cluster.workers)
        return range(self.cluster.number * here, (self.cluster.number + 1) * here)

    def places(self, total: int) -> list[np.ndarray]:
        """Which rows of a batch of `total` each replica of this worker takes, cut as numpy.array_split cuts.

        One that would have none takes the first row, which `weighs` then leaves out.
        """
        cut = np.array_split(np.arange(total), self.count)
        return [cut[one] if len(cut[one]) else np.zeros(1, np.intp) for one in self.mine]

    def weighs(self, total: int) -> list[bool]:
        """Of each replica of this worker, whether its rows of a batch of `total` are its own."""
        return [one < total for one in self.mine]

    def share(self, rows: np.ndarray) -> np.ndarray:
        """The rows of a batch that this worker takes: those of its replicas in turn."""
        return np.concatenate([rows[places] for places in self.places(len(rows))])

    def wait(self) -> None:
        """Wait until every worker has come here. Raises WorkerLost."""
        if len(self.cluster.workers) == 1:
            return
        tf = load_tensorflow()
        with self.reaching():
            counted = self.strategy.reduce("SUM", self.strategy.run(lambda: tf.constant(1.0)), axis=None)
            assert float(counted) == self.count

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """Turn what TensorFlow raises where another worker has gone into WorkerLost."""
        errors = load_tensorflow().errors
        try:
            yield
        except (errors.UnavailableError, errors.AbortedError, errors.CancelledError, errors.DeadlineExceededError):
            if len(self.cluster.workers) == 1:
                raise
            raise WorkerLost(
                "Another worker has stopped or cannot be reached. Completed epochs are saved: start all workers again "
                "with `fauxlens train --resume RUN --strategy multiworker`, RUN being the folder of this run."
            ) from None


def open_replicas(name: Strategy) -> Replicas:
    """Set up tf.distribute, before anything is computed; `multiworker` waits here until all workers are there.

    Raises TrainError where TF_CONFIG is not as it must be, or this worker's address cannot be had.
    """
    if name == "mirrored":
        return Replicas(load_tensorflow().distribute.MirroredStrategy(), Cluster(("",), 0))
    cluster = read_cluster(os.environ.get(VARIABLE))
    tf = load_tensorflow()
    try:
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), cluster)
    except tf.errors.OpError as error:
        first = str(error).strip().splitlines()[0][:150].rstrip(".")
        raise TrainError(
            f"The workers of {VARIABLE} could not be connected ({first}): check that "
            f"{cluster.workers[cluster.number]} is "
            "an address of this machine whose port is free, and that every worker is started."
        ) from error


def local_copies(strategy: Any, variable: Any) -> Sequence[Any]:
    """A variable's copies on this worker's devices, as plain variables."""
    return tuple(strategy.experimental_local_results(variable))
