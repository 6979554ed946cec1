"""How often an enlarged picture is told from one that never was: strengths of the period, by what was done.

    .venv/bin/python tests/benchmarks/resampling.py FOLDER [--count 120]

Pictures of 1,000 pixels a side and more are reduced by 2 or 3, which leaves no period, then enlarged or not, and saved
as JPEG of quality 90 or not at all. Prints percentiles of the strength and the share that is told.
"""

import argparse
import io
import random
from pathlib import Path

import numpy as np
from PIL import Image

from train.data.audit.pixels.resampling import SURE, find_periodicity

DONE = {
    "nothing": (1.0, Image.Resampling.BICUBIC),
    "enlarged 1.2, bicubic": (1.2, Image.Resampling.BICUBIC),
    "enlarged 1.5, bicubic": (1.5, Image.Resampling.BICUBIC),
    "enlarged 1.7, lanczos": (1.7, Image.Resampling.LANCZOS),
    "enlarged 2.2, bicubic": (2.2, Image.Resampling.BICUBIC),
    "reduced 0.7, lanczos": (0.7, Image.Resampling.LANCZOS),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=120)
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    random.Random(1).shuffle(paths)
    found: dict[tuple[str, str], list[float]] = {}
    taken = 0
    for path in paths:
        with Image.open(path) as image:
            if min(image.size) < 1000 or taken == given.count:
                continue
            taken += 1
            small = image.convert("L").reduce(2 if min(image.size) < 1600 else 3)
        for name, (scale, kernel) in DONE.items():
            size = (round(small.width * scale), round(small.height * scale))
            changed = small if scale == 1 else small.resize(size, kernel)
            saved = io.BytesIO()
            changed.save(saved, "JPEG", quality=90)
            for how, one in (("as it is", changed), ("JPEG 90", Image.open(saved))):
                found.setdefault((name, how), []).append(find_periodicity(np.asarray(one, np.float32)).strength)
    print(f"{taken} pictures")
    for (name, how), values in found.items():
        tenths = np.percentile(values, [0, 10, 50, 90, 100]).round(1)
        print(f"{name:24} {how:9} {tenths} told {np.mean(np.array(values) >= SURE):.0%}")


if __name__ == "__main__":
    main()
