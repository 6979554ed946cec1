"""A detector file from a stranger: its graph is compared with what the exporter writes, then tried apart."""

import random
import re
import struct
from pathlib import Path

import pytest

from export.artifacts import trial, vouched
from export.artifacts.flat_tables import root_table
from export.artifacts.graph_guard import OPERATORS, check_graph
from export.artifacts.seal import digest_of, read_sealed, write_sealed
from export.inference.detector import read_detector
from train.common.errors import ExportError

ALTERED = 300


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return read_detector(vouched.SHIPPED / "bundle.zip")


def test_operators_are_numbered_as_the_schema_does() -> None:
    from ai_edge_litert import schema_py_generated as schema

    assert all(getattr(schema.BuiltinOperator, name) == number for number, name in OPERATORS.items())


def test_what_fauxlens_ships_passes(shipped: bytes) -> None:
    check_graph(shipped, "it")


@pytest.mark.slow
def test_every_altered_graph_passes_or_is_refused_in_one_sentence(shipped: bytes) -> None:
    """Whatever is altered, the guard neither fails nor takes long; most alterations it refuses."""
    model, _ = read_sealed(shipped, "it")
    weights = [
        range(start, start + count)
        for start, count in (t.bytes_at(0) for t in root_table(model).tables(4))
        if count > 256
    ]
    rng = random.Random(7)
    refused = 0
    for _ in range(ALTERED):
        altered = bytearray(model)
        for _ in range(rng.choice((1, 2, 8))):
            while any((place := rng.randrange(len(model) - 4)) in part for part in weights):
                pass
            altered[place : place + 4] = rng.choice(
                (struct.pack("<i", rng.choice((-1, 0, 1, 2**31 - 1, -(2**31)))), rng.randbytes(4))
            )
        try:
            check_graph(bytes(altered), "a.tflite")
        except ExportError as error:
            refused += 1
            assert str(error).startswith("a.tflite does not hold a graph that Fauxlens exports (")
            assert "\n" not in str(error)
    assert refused > ALTERED // 10


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(shipped: bytes, value: float) -> None:
    model, _ = read_sealed(shipped, "it")
    root = root_table(model)
    places = [buffer.bytes_at(0) for buffer in root.tables(4)]
    number, start = next(
        (number, places[tensor.number(2, "<I")][0])
        for number, tensor in enumerate(root.tables(2)[0].tables(0))
        if tensor.number(1, "<b") == 0 and places[tensor.number(2, "<I")][1] > 4
    )
    altered = bytearray(model)
    struct.pack_into("<f", altered, start + 4, value)
    with pytest.raises(ExportError, match=rf"\(tensor {number} has values that are not finite numbers\): take a"):
        check_graph(bytes(altered), "it")


@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"\xff" * 64, struct.pack("<I", 60) + b"\0" * 60])
def test_no_flatbuffer_at_all(data: bytes) -> None:
    with pytest.raises(ExportError, match="does not hold a graph"):
        check_graph(data, "x")


def test_what_passes_is_tried_once_in_a_process_of_its_own(
    shipped: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(vouched, "_digests", set())
    trial.prove(shipped, "it")
    assert [path.name[:64] for path in (tmp_path / "fauxlens" / "proven").iterdir()] == [digest_of(shipped)]
    monkeypatch.setattr(vouched, "_digests", set())
    monkeypatch.setattr(trial, "_try", lambda *_: pytest.fail("was tried again"))
    trial.prove(shipped, "it")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashes LiteRT or needs too much time or memory"),
        ("import os; print('no tensor'); import sys; sys.stdout.flush(); os._exit(3)", "is refused \\(no tensor\\)"),
        ("while True: pass", "never ends"),
    ],
)
def test_a_file_that_crashes_or_never_ends_is_one_sentence(
    program: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(trial, "PROGRAM", program)
    monkeypatch.setattr(trial, "PATIENCE", 1 if "while" in program else 60)
    with pytest.raises(ExportError, match=sentence):
        trial.prove(b"a stranger's", "it")
    assert not (tmp_path / "fauxlens").exists()


def test_a_resealed_file_is_not_known(shipped: bytes) -> None:
    model, members = read_sealed(shipped, "it")
    again = write_sealed(members, prefix=model[:-1] + b"\1")
    assert not vouched.is_vouched(digest_of(again))


@pytest.mark.parametrize(
    ("path", "pair"),
    [
        ("android_demo/core/src/main/kotlin/fauxlens/core/guard/OperatorGuard.kt", r'(\d+) to "([A-Z0-9_]+)"'),
        ("export/web/js/graph_guard.js", r"\[(\d+), '([A-Z0-9_]+)'\]"),
    ],
)
def test_kotlin_and_javascript_let_the_same_operators_in(path: str, pair: str) -> None:
    text = (Path(__file__).parents[3] / path).read_text(encoding="utf-8")
    assert {int(number): name for number, name in re.findall(pair, text)} == OPERATORS
