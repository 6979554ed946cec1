"""How long a person waits: `--help` and `detect` on one photo, from the shell to the last byte.

    .venv/bin/python tests/benchmarks/front_door.py [PICTURE] [--repeat 15]

Prints medians with their spread (quartiles), and ratios to a Python that does nothing, all in one run. Not a test:
the machine's mood is in the seconds, less so in the ratios.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]


def seconds(command: list[str], cwd: Path) -> float:
    """Wall-clock seconds of one run, which must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture.resolve() if options.picture else Path(folder) / "photo.jpg"
        if not options.picture:
            # A 12-megapixel photograph, the size phones make.
            coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC).save(picture, quality=90)
        door = [sys.executable, str(ROOT / "fauxlens.py")]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "fauxlens --help": [*door, "--help"],
            "fauxlens detect": [*door, "detect", str(picture)],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.repeat):
            for name, command in commands.items():
                taken[name].append(seconds(command, Path(folder)))
    base = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        low, middle, high = statistics.quantiles(times, n=4)
        print(f"{name:16} {middle:.3f} s  [{low:.3f}, {high:.3f}]  {middle / base:.1f} x python")


if __name__ == "__main__":
    main()
