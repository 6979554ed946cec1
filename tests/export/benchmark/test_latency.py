from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from export.benchmark.latency import measure_latency, this_machine
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


def test_every_variant_is_timed_with_every_number_of_threads(tiny: Tiny) -> None:
    found = measure_latency(tiny.sealed, tiny.bundle.references.views[0], threads=(1, 2), rounds=20)
    assert set(found) == set(tiny.sealed)
    for latencies in found.values():
        assert [one.threads for one in latencies] == [1, 2]
        for one in latencies:
            assert one.invocations == 20
            assert 0 < one.p10 <= one.median <= one.p90


def test_only_sealed_files_are_run(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match="checksum"):
        measure_latency({"float32": tiny.raw["float32"]}, tiny.bundle.references.views[0], rounds=1)


def test_the_machine_is_told() -> None:
    machine = this_machine()
    assert machine.processors >= 1
    assert machine.processor in machine.sentence
