"""What runs in a fresh process: from its first line to the first score, with the time and memory of each step.

    python -c "from export.benchmark.fresh_worker import main; main()" ENGINE MODEL BATCH.npy THREADS

Prints one JSON object: `at`, four readings of the system's monotonic clock in nanoseconds (begun, imported, opened,
scored), and `peak`, the largest resident memory until then in KiB, or null where the system does not tell.
"""

import json
import sys
import time


def main() -> None:
    """Nothing is imported above that Python would not import by itself, but for JSON."""
    at, peak = [time.monotonic_ns()], [_peak()]

    def note() -> None:
        at.append(time.monotonic_ns())
        peak.append(_peak())

    name, model, batch, threads = sys.argv[1:]
    from pathlib import Path

    import numpy as np

    from export.benchmark.engines import ENGINES

    engine = ENGINES[name]
    engine.load()
    note()
    opened = engine.open(Path(model), int(threads))
    note()
    opened.feed(np.load(batch, allow_pickle=False))
    opened.invoke()
    opened.read()
    note()
    print(json.dumps({"at": at, "peak": None if None in peak else peak}))


def _peak() -> int | None:
    """VmHWM of proc(5), KiB. Not getrusage: its ru_maxrss begins with what the parent had when it forked."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as lines:  # noqa: PTH123
            return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    except OSError:
        return None
