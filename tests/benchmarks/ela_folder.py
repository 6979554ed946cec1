"""How fast `ela` draws a folder: two processes against one core, and against ready-made pools.

    .venv/bin/python tests/benchmarks/ela_folder.py [--repeat 5] [--faces FOLDER]

Prints medians with their spread (quartiles) and ratios, all in one run, for small JPEGs (256 px) and large ones (12
megapixels). Small ones are those of FOLDER, else drawn; large ones are drawn. Every run is all that the verb does after
its options are read: list, draw and write, with the start of its helpers. Not a test: the machine's mood is in the
seconds, less so in the ratios; both cores should have nothing else to do.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ela.setting import Ela
from export.inference.ela_pictures import draw_files, level_drawer
from train.image.files import find_picture_files

SMALL, LARGE = (256, 256), (4000, 3000)
DRAW = level_drawer(Ela(), to_white=True)
SUFFIX = ".ela.png"


def make(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Save pictures about as rich in detail as photographs."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
        noise = rng.normal(0, 3, (size[1], size[0], 1))
        pixels = np.clip(np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) + noise, 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{seed:04}.jpg", quality=90)


def by_workers(folders: Sequence[Path], out: Path, workers: int) -> None:
    """As the verb does."""
    answers = draw_files(find_picture_files(folders, SUFFIX, out), DRAW, workers=workers)
    assert len(answers) > 1


def by_pool(folders: Sequence[Path], out: Path, pool: Callable[[], Executor], chunk: int) -> None:
    """As the verb would do with a pool of the standard library."""
    with pool() as executor:
        list(executor.map(DRAW, find_picture_files(folders, SUFFIX, out), chunksize=chunk))


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(name: str, folder: Path, out: Path, chunk: int, repeat: int) -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    spawn = multiprocessing.get_context("spawn")
    runs: dict[str, Callable[[], object]] = {
        "one process": lambda: by_workers([folder], out, 1),
        "two processes": lambda: by_workers([folder], out, 2),
        "pool of 2 processes": lambda: by_pool([folder], out, lambda: ProcessPoolExecutor(2, spawn), chunk),
        "pool of 2 threads": lambda: by_pool([folder], out, lambda: ThreadPoolExecutor(2), chunk),
    }
    taken: dict[str, list[float]] = {way: [] for way in runs}
    for _ in range(repeat):
        for way, run in runs.items():
            taken[way].append(seconds(run))
    count = len(find_picture_files([folder], SUFFIX))
    print(f"{count} pictures, {name}")
    for way, times in taken.items():
        low, middle, high = statistics.quantiles(times, n=4)
        gained = [one / other for one, other in zip(taken["one process"], times, strict=True)]
        print(
            f"  {way:20} {middle:.3f} s [{low:.3f}, {high:.3f}]  {count / middle:.1f} pictures/s, "
            f"{statistics.median(gained):.2f} x one core's rate [{min(gained):.2f}, {max(gained):.2f}]"
        )


def main() -> None:
    """Make the pictures, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "large").mkdir()
        make(folder / "large", options.large, LARGE)
        small = options.faces
        if small is None:
            small = folder / "small"
            small.mkdir()
            make(small, options.small, SMALL)
        compare("small", small, folder / "out", 16, options.repeat)
        compare("large", folder / "large", folder / "out", 1, options.repeat)


if __name__ == "__main__":
    main()
