"""What a person waits for before anything happens: `--help` and `detect` on one photo, in user CPU time.

    .venv/bin/python tests/benchmarks/front_door.py [PICTURE] [--repeat 15] [--beside CHECKOUT]

Prints medians with their spread (quartiles), and ratios to a Python that does nothing, all in one run. CPU time rather
than time on a clock, for the latter tells how busy the machine is. --beside measures an older checkout in the same run,
in turns and with the same packages. Not a test.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]


def user_seconds(command: list[str], cwd: Path, root: Path) -> float:
    """User CPU seconds of one run, its own processes' included."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, check=False, capture_output=True, cwd=cwd, env=environment)
    # The drawn photograph shows no face, which `detect` says by 1.
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--beside", type=Path, help="another checkout")
    options = parser.parse_args()
    trees = {"": ROOT} | ({f", {options.beside.name}": options.beside.resolve()} if options.beside else {})
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture.resolve() if options.picture else Path(folder) / "photo.jpg"
        if not options.picture:
            # A 12-megapixel photograph, the size phones make.
            coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC).save(picture, quality=90)
        commands = {"python -c pass": ([sys.executable, "-c", "pass"], ROOT)}
        for name, root in trees.items():
            door = [sys.executable, str(root / "fauxlens.py")]
            commands[f"fauxlens --help{name}"] = ([*door, "--help"], root)
            commands[f"fauxlens detect{name}"] = ([*door, "detect", str(picture)], root)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(options.repeat + 1):
            for name, (command, root) in commands.items():
                used = user_seconds(command, Path(folder), root)
                # The first turn compiles and fills the disk's cache.
                if turn:
                    taken[name].append(used)
    base = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        low, middle, high = statistics.quantiles(times, n=4)
        print(f"{name:28} {middle:.3f} s  [{low:.3f}, {high:.3f}]  {middle / base:.1f} x python")


if __name__ == "__main__":
    main()
