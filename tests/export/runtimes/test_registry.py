"""No runtime is given a detector file whose graph `export` could not have made."""

import struct
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from export.artifacts import vouched
from export.artifacts.flat_tables import root_table
from export.artifacts.seal import read_sealed, write_sealed
from export.inference.detector import read_detector
from export.runtimes import registry
from train.common.errors import ExportError


@pytest.fixture(scope="module")
def strange() -> bytes:
    """The shipped detector with an operator that the exporter never writes, under a good checksum."""
    model, members = read_sealed(read_detector(vouched.SHIPPED / "bundle.zip"), "it")
    altered = bytearray(model)
    code = root_table(model).tables(1)[0]
    # OperatorCode of schema.fbs: the number is the greater of the old field, a byte, and the new one.
    for field, width in ((0, "<b"), (3, "<i")):
        if code.has(field):
            struct.pack_into(width, altered, code.at + code.fields[field], 119)  # WHILE
    return write_sealed(members, prefix=bytes(altered))


@pytest.mark.parametrize("name", [name for name in registry.RUNTIMES if name != "device"])
def test_a_stranger_s_graph_reaches_no_runtime(name: str, strange: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: Any, **__: Any) -> None:
        pytest.fail("the runtime was given the file")

    monkeypatch.setattr(registry, "importlib", SimpleNamespace(import_module=lambda _: SimpleNamespace(run=reached)))
    with pytest.raises(ExportError, match="does not hold a graph that Fauxlens exports"):
        registry.RUNTIMES[name].call(strange, np.zeros((0, 1, 1, 3), np.uint8))
