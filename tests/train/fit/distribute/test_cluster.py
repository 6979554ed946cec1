"""TF_CONFIG: which worker this is, and one sentence for whatever names no such worker."""

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import TrainError
from train.fit.distribute.cluster import Cluster, read_cluster
from train.fit.distribute.replicas import Replicas

TWO = ["127.0.0.1:2222", "127.0.0.1:2223"]


def config(cluster: Any, job: Any = "worker", index: Any = 0) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})


def test_workers_are_counted_as_tf_distribute_counts_them() -> None:
    assert read_cluster(config({"worker": TWO}, index="1")) == read_cluster(config({"worker": TWO}, index=1))
    assert read_cluster(config({"worker": TWO}, index=1)) == Cluster(tuple(TWO), 1)
    with_chief = {"worker": TWO, "chief": ["a:1"]}
    assert read_cluster(config(with_chief, "chief")) == Cluster(("a:1", *TWO), 0)
    assert read_cluster(config(with_chief, index=1)) == Cluster(("a:1", *TWO), 2)


BAD = [
    (None, "it is not set"),
    (" ", "it is not set"),
    ("{", "TF_CONFIG is not JSON"),
    ("[" * 100_000, "TF_CONFIG is not JSON"),
    ("[]", "must have the tables `cluster` and `task`"),
    (json.dumps({"cluster": {"worker": TWO}}), "must have the tables `cluster` and `task`"),
    (config({"worker": TWO}, index=2), r"this is worker 2, and its cluster has no such one \(it has worker 0 to 1\)"),
    (config({"worker": TWO}, index=-1), "this is worker -1"),
    (config({"worker": TWO}, index="second"), "this is worker second, and its cluster has no such one"),
    (config({"worker": TWO}, index=True), "this is worker True"),
    (config({"worker": TWO}, "chief"), "this is chief 0"),
    (config({"worker": TWO, "ps": ["a:1"]}), "has a job 'ps'"),
    (config({"worker": TWO}, "evaluator"), "this is evaluator 0"),
    (config({}), "names no worker"),
    (config({"worker": []}), "must be a list of addresses"),
    (config({"worker": "127.0.0.1:2222"}), "must be a list of addresses"),
    (config({"worker": ["127.0.0.1"]}), "'127.0.0.1', which is not host:port"),
    (config({"worker": [TWO[0], TWO[0]]}), "names one address twice"),
    (config({"chief": TWO}, "chief"), "more than one chief"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_names_no_such_worker_is_one_sentence(text: str | None, words: str) -> None:
    with pytest.raises(TrainError, match=words) as caught:
        read_cluster(text)
    assert "\n" not in str(caught.value)
    assert 'set it on every machine as in {"cluster"' in str(caught.value)


@pytest.mark.parametrize("text", [None, "{", config({"worker": TWO}, index=7)])
def test_the_command_ends_with_status_2(text: str | None) -> None:
    shown = CliRunner().invoke(app, ["train", "--strategy", "multiworker"], env={"TF_CONFIG": text})
    assert shown.exit_code == 2
    assert shown.stderr.startswith("TF_CONFIG" if text else "--strategy multiworker needs TF_CONFIG")
    assert shown.stderr.count("\n") == 1


class Counted:
    """Stands for a strategy of so many replicas."""

    def __init__(self, replicas: int) -> None:
        self.num_replicas_in_sync = replicas


@pytest.mark.parametrize(("workers", "each"), [(2, 1), (3, 2), (1, 4)])
@pytest.mark.parametrize("total", [1, 2, 5, 12, 13])
def test_every_row_of_a_batch_is_one_replica_s(workers: int, each: int, total: int) -> None:
    rows = np.arange(100, 100 + total)
    seen: list[int] = []
    for number in range(workers):
        replicas = Replicas(Counted(workers * each), Cluster(("",) * workers, number))
        pieces, own = replicas.places(total), replicas.weighs(total)
        assert len(pieces) == len(own) == each
        assert all(len(piece) for piece in pieces)
        assert list(replicas.share(rows)) == [100 + place for piece in pieces for place in piece]
        seen += [int(place) for piece, weighs in zip(pieces, own, strict=True) if weighs for place in piece]
    assert seen == list(range(total))
