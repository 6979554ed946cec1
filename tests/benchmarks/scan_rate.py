"""How fast a folder is scanned: against decoding alone, and a second time when nothing has changed.

    .venv/bin/python tests/benchmarks/scan_rate.py FOLDER [--card CARD] [--repeat 7]

Prints medians with their spread (quartiles) and two ratios, all in one run. Decoding alone is Pillow's open, load and
convert("RGB") of the same files by two threads, and by two processes that were started before. A scan is the whole call
(list, read, measure, group, split), the first without a memory and the second as `data scan` calls it, with memory and
manifest of the first. Not a test: the machine's mood is in the seconds, less so in the ratios.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from train.data.cards.reader import read_card, usual_layout
from train.data.scan.scan import scan

CHUNK = 16


def decode(paths: Sequence[str]) -> None:
    """Decode files and do nothing with them."""
    for path in paths:
        with Image.open(path) as image:
            image.load()
            image.convert("RGB")


def decode_all(paths: Sequence[str], executor: Executor) -> None:
    """Decode files on a pool, in lots, so that handing them over costs little."""
    list(executor.map(decode, [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]))


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--card", type=Path)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    card = read_card(options.card) if options.card else usual_layout()
    folder = options.folder.resolve()
    spawn = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as temporary,
        ThreadPoolExecutor(2) as threads,
        ProcessPoolExecutor(2, mp_context=spawn) as processes,
    ):
        out = Path(temporary) / "manifest.csv"
        # Also fills the system's file cache, so that nobody waits for the disk afterwards.
        manifest, skipped = scan(folder, card, manifest_path=out)
        paths = [str(manifest.picture_path(path)) for path in manifest.frame["path"]]
        decode_all(paths, processes)
        runs: dict[str, Callable[[], object]] = {
            "decode, 2 threads": lambda: decode_all(paths, threads),
            "decode, 2 processes": lambda: decode_all(paths, processes),
            "first scan": lambda: scan(folder, card, manifest_path=out, trust="nothing"),
            "second scan": lambda: scan(folder, card, manifest_path=out, previous=manifest),
        }
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(options.repeat):
            for name, run in runs.items():
                taken[name].append(seconds(run))
    print(f"{len(paths)} pictures, {sum(manifest.frame['bytes']) / 1e6:.0f} MB, {len(skipped)} skipped")
    for name, times in taken.items():
        low, middle, high = statistics.quantiles(times, n=4)
        print(f"{name:20} {middle:.4f} s  [{low:.4f}, {high:.4f}]  {len(paths) / middle:.0f} pictures/s")
    medians = {name: statistics.median(times) for name, times in taken.items()}
    best = min(medians["decode, 2 threads"], medians["decode, 2 processes"])
    print(f"rate of the first scan: {best / medians['first scan']:.0%} of the better decoding")
    print(f"second scan: {medians['first scan'] / medians['second scan']:.0f} times as fast as the first")


if __name__ == "__main__":
    main()
