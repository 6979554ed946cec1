"""TF_CONFIG: which workers there are and which one this process is, as tf.distribute and its launchers have it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.common.errors import TrainError

VARIABLE = "TF_CONFIG"
_JOBS = ("chief", "worker")
_ADDRESS = re.compile(r"\S+:\d{1,5}")
_EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
_REMEDY = f"set it on every machine as in {_EXAMPLE}, with a different index on each."


@dataclass(frozen=True)
class Cluster:
    """The addresses (host:port) of all workers, a chief first, and the place of this one among them, from 0."""

    workers: tuple[str, ...]
    number: int


def read_cluster(text: str | None) -> Cluster:
    """Read the value of TF_CONFIG; None where it is not set.

    Raises TrainError where it is missing, is no JSON, or names no such worker as it says this one is. TensorFlow would
    take most of these for a cluster of one, or wait for ever.
    """
    if text is None or not text.strip():
        raise TrainError(f"--strategy multiworker needs {VARIABLE} in the environment, but it is not set: {_REMEDY}")
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrainError(f"{VARIABLE} is not JSON ({error}): {_REMEDY}") from error
    cluster, task = (table.get(key) if isinstance(table, dict) else None for key in ("cluster", "task"))
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise TrainError(f"{VARIABLE} must have the tables `cluster` and `task`: {_REMEDY}")
    addresses = _addresses(cluster)
    job, index = task.get("type"), task.get("index")
    if isinstance(index, str) and index.isdecimal():
        # As tf.distribute takes it.
        index = int(index[:9])
    there = len(addresses.get(str(job), ()))
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < there:
        raise TrainError(
            f"{VARIABLE} says that this is {job} {index}, and its cluster has no such one (it has "
            f"{', '.join(f'{name} 0 to {len(of) - 1}' for name, of in addresses.items())}): {_REMEDY}"
        )
    workers = tuple(address for of in addresses.values() for address in of)
    return Cluster(workers, index + (len(addresses["chief"]) if job == "worker" and "chief" in addresses else 0))


def _addresses(cluster: Mapping[str, Any]) -> dict[str, list[str]]:
    """The addresses of each job, in the order in which tf.distribute counts them."""
    if unknown := sorted(map(str, set(cluster) - set(_JOBS))):
        raise TrainError(f"{VARIABLE} has a job {unknown[0]!r}, and training knows chief and worker: {_REMEDY}")
    found = {job: cluster[job] for job in _JOBS if job in cluster}
    for job, listed in found.items():
        if not isinstance(listed, list) or not listed:
            raise TrainError(f"{VARIABLE}: cluster.{job} must be a list of addresses: {_REMEDY}")
        for address in listed:
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise TrainError(f"{VARIABLE}: cluster.{job} has {address!r}, which is not host:port: {_REMEDY}")
    every = [address for listed in found.values() for address in listed]
    if len(found.get("chief", ())) > 1:
        raise TrainError(f"{VARIABLE} has more than one chief: {_REMEDY}")
    if len(set(every)) < len(every):
        raise TrainError(f"{VARIABLE} names one address twice: {_REMEDY}")
    if not every:
        raise TrainError(f"{VARIABLE} names no worker: {_REMEDY}")
    return found
