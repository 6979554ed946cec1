"""Detector files with altered graphs under a good checksum, opened as `detect` does: one sentence each, or scores.

    .venv/bin/python tests/benchmarks/altered_graphs.py [--files 3000] [--skip 0] [--whole 10] [--seed 11]
        [--model BUNDLE] [--report FILE.md]

Each file is the shipped detector with 1, 2 or 8 changes outside its weights: four bytes become a telling number or
random ones, or a byte is turned. It is sealed again, so the checksum is right, and opened in a child of this process,
which then runs it on one picture. The trial in a process of its own is forked from there, which is the code and the
limits that people have without the seconds in which a new process loads its libraries. With --whole N every Nth file
goes through `python -m fauxlens detect` instead, all processes new. Counted: refused by the check of the graph, refused
by the trial, opened and run; and what must not be: a child that dies by a signal, ends in another exception than one of
Fauxlens's, says more than one line, or takes longer than ten minutes. With --skip N the first N of the files are made
and not tried: to go on after a run that was stopped. Exit status 1 if there is a wrong one.
"""

import argparse
import collections
import os
import random
import signal
import struct
import subprocess
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
    parser.add_argument("--skip", type=int, default=0, metavar="N")
    parser.add_argument("--whole", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()

    import ai_edge_litert.interpreter
    import numpy as np
    from PIL import Image

    from export.artifacts.flat_tables import root_table
    from export.artifacts.seal import read_sealed, write_sealed
    from export.inference.detect_files import SHIPPED
    from export.inference.detector import read_detector

    # Loaded here, so that every child has it; nothing is run here.
    assert ai_edge_litert.interpreter
    # Nothing that was tried may be remembered for a person's own use, and nothing remembered may be taken for tried.
    with tempfile.TemporaryDirectory(prefix="fauxlens-altered-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        model, members = read_sealed(read_detector(given.model or SHIPPED), "the detector")
        buffers = [one.bytes_at(0) for one in root_table(model).tables(4)]
        weights = [range(at, at + count) for at, count in buffers if count > 256]
        draw, counts, wrong = random.Random(given.seed), collections.Counter[str](), []
        whole_counts = collections.Counter[str]()
        picture, altered = Path(cache) / "picture.png", Path(cache) / "altered.tflite"
        Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(picture)
        start = time.monotonic()
        for number in range(given.files):
            changed = _altered(model, weights, draw)
            if number < given.skip:
                continue
            altered.write_bytes(write_sealed(members, prefix=changed))
            whole = bool(given.whole) and number % given.whole == 0
            kind, said = _detected(altered, picture) if whole else _opened(altered.read_bytes())
            (whole_counts if whole else counts)[kind] += 1
            if kind == KINDS[-1]:
                wrong.append(f"file {number}: {said}")
                print(wrong[-1], flush=True)
            if number % 100 == 99:
                print(
                    f"{number + 1} files, {time.monotonic() - start:.0f} s: {dict(counts)} {dict(whole_counts)}",
                    flush=True,
                )
    lines = [f"| {kind} | {counts[kind]} | {whole_counts[kind]} |" for kind in KINDS]
    head = [
        f"files {given.skip} to {given.files}, seed {given.seed}",
        "",
        "| | in children | by `detect` |",
        "|---|---|---|",
    ]
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


def _detected(model: Path, picture: Path) -> tuple[str, str]:
    """What became of a file in `fauxlens detect`: its kind, and what it said."""
    words = [sys.executable, "-m", "fauxlens", "detect", str(picture), "--model", str(model), "--no-overlay", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = done.stderr.strip()
    # Status 1: the grey picture has no face, or is not evaluated.
    if done.returncode in (0, 1) and not said:
        return KINDS[2], ""
    if done.returncode != 2 or not said or "\n" in said or "Traceback" in said:
        return KINDS[-1], f"detect: status {done.returncode}, {said[-300:]!r}"
    return (KINDS[0] if "does not hold a graph" in said else KINDS[1]), said


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

        from export.artifacts.graph_guard import check_graph
        from export.artifacts.seal import digest_of
        from export.artifacts.vouched import vouch
        from export.inference.detector import detector_from
        from train.common.errors import FauxlensError

        try:
            check_graph(tflite, "altered.tflite")
            reason = _tried(tflite)
            if reason:
                os.write(said, reason.encode())
            else:
                vouch(digest_of(tflite))
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


def _tried(tflite: bytes) -> str:
    """Why the trial refuses a file; empty where it does not."""
    from export.artifacts.trial import REFUSED
    from export.inference.trial_worker import serve_trial

    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(tflite)
        given.seek(0)
        child = os.fork()
        if child == 0:
            os.dup2(given.fileno(), 0)
            os.dup2(said.fileno(), 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            status = 1
            try:
                serve_trial()
                status = 0
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return "" if status == 0 else said.read().decode() if status == REFUSED else f"status {status}"


if __name__ == "__main__":
    sys.exit(main())
