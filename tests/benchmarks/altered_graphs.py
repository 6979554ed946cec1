"""Detector files with altered graphs under a good checksum, opened as `detect` does: one sentence each, or scores.

    .venv/bin/python tests/benchmarks/altered_graphs.py [--files 3000] [--seed 11] [--model BUNDLE] [--report FILE.md]

Each file is the shipped detector with 1, 2 or 8 changes outside its weights: four bytes become a telling number or
random ones, or a byte is turned. It is sealed again, so the checksum is right, and opened in a child of this process,
which then runs it on one picture. Counted: refused by the check of the graph, refused by the trial in a process of its
own, opened and run; and what must not be: a child that dies by a signal, ends in another exception than one of
Fauxlens's, says more than one line, or takes longer than ten minutes. Exit status 1 if there is one.
"""

import argparse
import collections
import os
import random
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 600
KINDS = ("refused by the check of the graph", "refused by the trial", "opened and run", "WRONG")


def main() -> int:
    """Try the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()

    from export.artifacts.flat_tables import root_table
    from export.artifacts.seal import read_sealed, write_sealed
    from export.inference.detect_files import SHIPPED
    from export.inference.detector import read_detector

    # Nothing that was tried may be remembered for a person's own use, and nothing remembered may be taken for tried.
    with tempfile.TemporaryDirectory(prefix="fauxlens-altered-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        whole = read_detector(given.model or SHIPPED)
        model, members = read_sealed(whole, "the detector")
        buffers = [one.bytes_at(0) for one in root_table(model).tables(4)]
        weights = [range(at, at + count) for at, count in buffers if count > 256]
        draw, counts, wrong = random.Random(given.seed), collections.Counter[str](), []
        start = time.monotonic()
        for number in range(given.files):
            kind, said = _opened(write_sealed(members, prefix=_altered(model, weights, draw)))
            counts[kind] += 1
            if kind == KINDS[-1]:
                wrong.append(f"file {number}: {said}")
                print(wrong[-1], flush=True)
            if number % 100 == 99:
                print(f"{number + 1} files, {time.monotonic() - start:.0f} s: {dict(counts)}", flush=True)
    lines = [f"| {kind} | {counts[kind]} |" for kind in KINDS]
    head = [f"{given.files} files, seed {given.seed}", "", "| what became of them | files |", "|---|---|"]
    text = "\n".join([*head, *lines, "", *wrong])
    print(text)
    if given.report:
        given.report.write_text(f"{text}\n", encoding="utf-8")
    return 1 if wrong else 0


def _altered(model: bytes, weights: list[range], draw: random.Random) -> bytes:
    altered = bytearray(model)
    for _ in range(draw.choice((1, 2, 8))):
        while any((place := draw.randrange(8, len(model) - 4)) in part for part in weights):
            pass
        number = struct.pack("<i", draw.choice((-1, 0, 1, 2, 2**16, 2**31 - 1, -(2**31))))
        turned = bytes([altered[place] ^ (1 << draw.randrange(8))])
        new = draw.choice((number, draw.randbytes(4), turned))
        altered[place : place + len(new)] = new
    return bytes(altered)


def _opened(tflite: bytes) -> tuple[str, str]:
    """What became of a file in a child: its kind, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(PATIENCE)
        _be_detect(tflite, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status or "\n" in said:
        return KINDS[-1], f"status {status}, {said[:300]!r}"
    if not said:
        return KINDS[2], ""
    return (KINDS[0] if "does not hold a graph" in said else KINDS[1]), said


def _be_detect(tflite: bytes, said: int) -> None:
    status = 1
    try:
        import numpy as np

        from export.inference.detector import detector_from
        from train.common.errors import FauxlensError

        try:
            opened = detector_from(tflite, "altered.tflite")
            output = opened.run(np.full((1, opened.view.size, opened.view.size, 3), 90, np.uint8))
            assert output.scores.shape == (1, 2)
        except FauxlensError as error:
            os.write(said, str(error).encode())
        status = 0
    except BaseException as error:  # noqa: BLE001 whatever it is, it must not be
        os.write(said, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
