"""How fast `detect` takes a folder: against decoding, finding faces, taking views and running the detector alone.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/detect_folder.py [--faces FOLDER] [--count 1000] [--repeat 5]

Pictures are copies of so many out of FOLDER, taken evenly, else drawn portraits of 256 pixels. Each turn runs two
programs one after the other, each from its start to its end: `detect FOLDER` as people call it, and this file with
`--bare FOLDER`, which does with a ready-made pool what cannot be left out: Pillow's decoding, the face finder, the
view, the detector. Prints medians with their quartiles and ratios of the same turns: of wall-clock seconds, which other
programs on the machine disturb; of processor seconds of both programs with all their processes, which they disturb
less; and of the bare one's work alone, from the moment in which all its processes are ready. Not a test.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PORTRAITS, SIDE, CHUNK = 30, 256, 16
_opened: dict[str, Callable[[Path], float]] = {}


def open_pipeline() -> None:
    """Open the shipped detector in this process, for `bare_probability`."""
    import numpy as np
    from PIL import Image

    from export.inference.detect_files import SHIPPED
    from export.inference.detector import load_detector
    from train.image.decode import Picture
    from train.image.face_finder.finder import find_in_pixels
    from train.image.view import apply_view, square_in, turn_upright, without_face

    detector = load_detector(SHIPPED)
    faceless = without_face(detector.view)

    def evaluate(path: Path) -> float:
        with Image.open(path) as image:
            orientation = image.getexif().get(0x0112, 1)
            pixels = np.asarray(image.convert("RGB"))
        picture = Picture(pixels, orientation, "", None, ())
        faces = find_in_pixels(turn_upright(pixels, orientation))
        # As `detect`: faces that are too small are found and left.
        large = [one.eyes for one in faces if 2 * square_in(detector.view, 0, 0, one.eyes)[2] >= detector.view.size]
        views = [apply_view(detector.view, picture, eyes) for eyes in large]
        if not faces:
            views = [apply_view(faceless, picture, None)]
        return max((float(detector.run(view[np.newaxis]).scores[0, 1]) for view in views), default=0.0)

    _opened["evaluate"] = evaluate


def bare_probabilities(paths: list[Path]) -> list[float]:
    """What the pool works on."""
    if not _opened:
        open_pipeline()
    return [_opened["evaluate"](path) for path in paths]


def bare(folder: Path, workers: int) -> None:
    """Evaluate a folder and print the seconds of the work alone."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    paths = sorted(folder.iterdir())
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(bare_probabilities, [paths[:1]] * workers))
        begin = time.perf_counter()
        found = [one for chunk in pool.map(bare_probabilities, chunks) for one in chunk]
        print(json.dumps({"seconds": time.perf_counter() - begin, "pictures": len(found)}))


def timed(command: list[str]) -> tuple[float, float, str]:
    """Wall-clock seconds, processor seconds and output of a program with all its processes."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode in (0, 1), command
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout.decode()


def make_pictures(folder: Path, faces: Path | None, count: int) -> None:
    """Copies in `folder`, named by number so that both programs meet them in one order."""
    from train.data.sample.make import make_sample
    from train.image.files import pictures_below

    with tempfile.TemporaryDirectory() as drawn:
        if faces is None:
            faces = Path(drawn) / "sample"
            make_sample(faces, count=min(count, PORTRAITS), size=SIDE)
        found = [faces / path for path in pictures_below(faces)]
        for number in range(count):
            source = found[number * len(found) // count if len(found) >= count else number % len(found)]
            shutil.copy(source, folder / f"{number:06}{source.suffix}")


def spread(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare(options.bare, options.workers)
        return
    taken: dict[str, list[float]] = {"bare": [], "detect": [], "wall": [], "processor": [], "warm": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_pictures(folder, options.faces, options.count)
        detect = [sys.executable, "-m", "fauxlens", "detect", str(folder), "--workers", str(options.workers)]
        least = [sys.executable, __file__, "--bare", str(folder), "--workers", str(options.workers)]
        timed(least)
        for _ in range(options.repeat):
            wall, processor, output = timed(least)
            work: dict[str, Any] = json.loads(output)
            detect_wall, detect_processor, lines = timed(detect)
            assert len(lines.splitlines()) >= work["pictures"] == options.count
            taken["bare"].append(options.count / wall)
            taken["detect"].append(options.count / detect_wall)
            taken["wall"].append(wall / detect_wall)
            taken["processor"].append(processor / detect_processor)
            taken["warm"].append(work["seconds"] / detect_wall)
    print(f"{options.count} pictures, {options.workers} processes, {options.repeat} turns; medians [quartiles]")
    print(f"  bare           {spread(taken['bare'])} pictures/s, its start counted")
    print(f"  detect FOLDER  {spread(taken['detect'])} pictures/s, its start counted")
    print(f"  of the bare rate, by the clock         {spread(taken['wall'])}")
    print(f"  of the bare rate, by processor time    {spread(taken['processor'])}")
    print(f"  of the rate of a bare pool that is awake {spread(taken['warm'])}")


if __name__ == "__main__":
    main()
