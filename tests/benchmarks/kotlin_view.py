"""What a view costs on the JVM beside Pillow: a picture of 12 megapixels, decoded, to the pixels a detector sees.

    mvn -q -f android_demo -pl core test-compile
    .venv/bin/python tests/benchmarks/kotlin_view.py [--rounds 15] [--width 4000] [--height 3000]

`resize` is Pillow's own resize alone, of a picture of Pillow's in memory, its box already known; `view` is all of
train.image.view.apply_view. Both sides take turns, a few calls each, and a turn counts as its fastest call: other
work on the machine hits all alike. Ratios are Kotlin to Pillow in the same round: median, and in brackets quartiles.
One thread each. Not a test: the machine's mood is in the milliseconds, less so in the ratios.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from train.image.decode import Picture
from train.image.view import Eyes, apply_view, parse_view

CORE = Path(__file__).parents[2] / "android_demo" / "core"
TURN = 3
WARM_UP = 12
CASES = (
    ("upright|square|resize(224)", 1),
    ("upright|square|resize(128)", 1),
    ("upright|square|resize(224)", 3),
    ("upright|square|resize(224)", 6),
    ("upright|resize(224)", 1),
    ("upright|resize(224)", 8),
    ("upright|face(3)|resize(224)", 1),
    ("upright|face(3)|resize(224)", 6),
)


def fastest(call: Callable[[], object]) -> float:
    """Milliseconds of the fastest of TURN calls."""
    times = []
    for _ in range(TURN):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def pillow_calls(width: int, height: int, text: str, orientation: int) -> tuple[Callable[[], object], ...]:
    """Pillow's resize alone, and the whole view."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    view, picture = parse_view(text), Picture(pixels, orientation, "JPEG", None, ())
    upright = (height, width) if orientation >= 5 else (width, height)
    eyes = Eyes(upright[0] / 2, upright[1] * 0.4, min(upright) / 4)
    if "square" in text:
        sides = (min(upright), min(upright))
    elif view.needs_eyes:
        sides = (round(float(view.steps[1].number or 0) * eyes.distance),) * 2
    else:
        sides = upright
    box = Image.fromarray(pixels.reshape(-1)[: 3 * sides[0] * sides[1]].reshape(sides[1], sides[0], 3))
    size = (view.size, view.size)
    return (lambda: box.resize(size, Image.Resampling.BILINEAR), lambda: apply_view(view, picture, eyes))


def class_path() -> str:
    """The compiled classes of core, and Kotlin's library in Maven's own folder."""
    version = re.search(r"<kotlin.version>([^<]+)<", (CORE.parent / "pom.xml").read_text(encoding="utf-8"))
    number = version[1] if version else ""
    library = Path.home() / f".m2/repository/org/jetbrains/kotlin/kotlin-stdlib/{number}/kotlin-stdlib-{number}.jar"
    folders = [CORE / "target/classes", CORE / "target/test-classes"]
    for path in (*folders, library):
        if not path.exists():
            sys.exit(f"{path} is not there: run `mvn -q -f android_demo -pl core test-compile` first.")
    return ":".join(map(str, (*folders, library)))


def main() -> None:
    """Measure every case in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--height", type=int, default=3000)
    options = parser.parse_args()
    command = ["java", "-Xmx1g", "-cp", class_path(), "fauxlens.core.ViewBenchmarkKt"]
    print(f"{'view':30} turned  Kotlin ms   Pillow ms: resize, view   ratio to resize      ratio to view")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as jvm:
        assert jvm.stdin is not None and jvm.stdout is not None

        def kotlin(text: str, orientation: int, turn: int) -> float:
            assert jvm.stdin is not None and jvm.stdout is not None
            print(options.width, options.height, orientation, turn, text, file=jvm.stdin, flush=True)
            return float(jvm.stdout.readline()) / 1e6

        for text, orientation in CASES:
            kotlin(text, orientation, WARM_UP)
            resize, view = pillow_calls(options.width, options.height, text, orientation)
            rounds = [(kotlin(text, orientation, TURN), fastest(resize), fastest(view)) for _ in range(options.rounds)]
            middle = [statistics.median(column) for column in zip(*rounds, strict=True)]
            ratios = [_spread([row[0] / row[side] for row in rounds]) for side in (1, 2)]
            print(
                f"{text:30} {orientation:6}  {middle[0]:9.1f}   {middle[1]:17.1f}, {middle[2]:5.1f}   "
                f"{ratios[0]:18}   {ratios[1]}"
            )
        jvm.stdin.close()


def _spread(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
