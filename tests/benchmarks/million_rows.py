"""A million pictures: how long a manifest takes to load, split and check, and near-duplicates to be found.

    .venv/bin/python tests/benchmarks/million_rows.py [--rows 1000000] [--repeat 3] [--like MANIFEST.csv]

The manifest is made up (seeded). Its hashes are either `random`, one in twenty a near-duplicate of another, or
`clustered`: 5,000 hashes, or those of a manifest of real pictures (--like), each with many variants of up to 16 other
bits, and one picture in fifty a copy of one and the same. Every step runs in a fresh process. Prints medians with
their range, ratios to polars reading the same CSV unchecked, and the peak of memory that a step's process held. Not a
test: the machine's mood is in the seconds, less so in the ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from train.data.groups import near_links  # noqa: E402
from train.data.manifest import COLUMNS, moved, read_manifest, write_manifest  # noqa: E402
from train.data.resplit import Fold, LeaveOut, resplit  # noqa: E402
from train.data.splits import USUAL, torn_groups, torn_look_alikes  # noqa: E402

GENERATORS = 20
HASHES = ("random", "clustered")


def load_split_check(path: Path) -> None:
    """Take the whole way of issue 3's figure: no group and no near-duplicate is torn after it."""
    manifest = resplit(read_manifest(path), USUAL)
    assert torn_groups(manifest).is_empty()
    assert torn_look_alikes(manifest).is_empty()


STEPS: dict[str, Callable[[Path], object]] = {
    "polars read_csv": pl.read_csv,
    "read_manifest": read_manifest,
    "read, resplit, check": load_split_check,
    "read, fold 1 of 5": lambda path: resplit(read_manifest(path), Fold(1, 5)),
    "read, leave one out": lambda path: resplit(read_manifest(path), LeaveOut(("gan-1",))),
    "read, move, write": lambda path: write_manifest(
        moved(read_manifest(path), path.parent / "out"), path.parent / "out" / "moved.csv"
    ),
    **{
        f"near_links, {kind}": lambda path, kind=kind: near_links(  # type: ignore[misc]
            pl.read_parquet(path.with_name(f"{kind}.parquet"))["phash"]
        )
        for kind in HASHES
    },
}


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--like", type=Path, help="a manifest of real pictures, whose hashes are varied")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        start = time.perf_counter()
        STEPS[options.step](options.path)
        print(json.dumps([time.perf_counter() - start, _peak()]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.csv"
        _make(path, options.rows, options.like)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in STEPS}
        for _ in range(options.repeat):
            for name in STEPS:
                command = [sys.executable, __file__, "--step", name, "--path", str(path)]
                run = subprocess.run(command, check=True, capture_output=True, text=True)
                found[name].append(tuple(json.loads(run.stdout)))
    base = statistics.median(seconds for seconds, _ in found["polars read_csv"])
    print(f"{options.rows:,} rows, {options.repeat} runs")
    for name, measured in found.items():
        times = [seconds for seconds, _ in measured]
        middle, peak = statistics.median(times), max(held for _, held in measured)
        print(f"{name:22} {middle:6.2f} s  [{min(times):.2f}, {max(times):.2f}]  {middle / base:5.1f} x  {peak:.2f} GB")


def _peak() -> float:
    """Return the most memory that this process has held, in GB (Linux only)."""
    # Not getrusage: its peak goes over from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9


def _make(path: Path, rows: int, like: Path | None) -> None:
    rng = np.random.default_rng(0)
    hashes = {"random": _random_hashes(rng, rows), "clustered": _clustered_hashes(rng, rows, like)}
    for kind in HASHES:
        pl.DataFrame({"phash": hashes[kind]}).write_parquet(path.with_name(f"{kind}.parquet"))
    contents = [row.tobytes().hex() for row in rng.integers(0, 256, (rows, 32), dtype=np.uint8)]
    number = np.arange(rows) % GENERATORS
    fake = pl.Series(number % 2 == 1)
    frame = pl.DataFrame(
        {
            "path": [f"pictures/source-{row % GENERATORS}/{row:08}.jpg" for row in range(rows)],
            "sha256": contents,
            "phash": hashes["clustered"],
            "width": 256,
            "height": 256,
            "format": "JPEG",
            "jpeg_quality": rng.integers(50, 100, rows),
            "bytes": rng.integers(9_000, 20_000, rows),
            "generator": [f"gan-{kind}" if kind % 2 else "camera" for kind in number.tolist()],
            "source": [f"source-{kind}" for kind in number.tolist()],
            "group": [content[:16] for content in contents],
            "split": "train",
            "faces": 1,
            **{column: rng.uniform(1, 200, rows) for column in ("eye_x", "eye_y", "eye_distance")},
        }
    ).with_columns(
        label=pl.when(fake).then(pl.lit("fake")).otherwise(pl.lit("real")),
        family=pl.when(fake).then(pl.lit("gan")).otherwise(pl.lit("camera")),
    )
    frame.select(COLUMNS).write_csv(path)
    (path.parent / "out").mkdir()


def _random_hashes(rng: np.random.Generator, count: int) -> pl.Series:
    hashes = _balanced(rng, count)
    copies = count // 20
    hashes[:copies] = _varied(rng, hashes[copies : 2 * copies], 4)
    return _text(rng.permutation(hashes))


def _clustered_hashes(rng: np.random.Generator, count: int, like: Path | None) -> pl.Series:
    if like is None:
        parents = _balanced(rng, 5_000)
    else:
        known = pl.read_csv(like, infer_schema=False)["phash"]
        parents = known.str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
    hashes = _varied(rng, rng.choice(parents, count), 16)
    hashes[: count // 50] = _varied(rng, np.full(count // 50, parents[0]), 3)
    return _text(rng.permutation(hashes))


def _balanced(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return 64-bit numbers of which 32 bits are set, as in a pHash."""
    bits = np.tile(np.arange(64, dtype=np.uint8) % 2, (count, 1))
    return np.packbits(rng.permuted(bits, axis=1), axis=1).view(np.uint64).ravel()


def _varied(rng: np.random.Generator, hashes: np.ndarray, most: int) -> np.ndarray:
    """Flip 0 to `most` bits of each hash."""
    hashes, flips = hashes.copy(), rng.integers(0, most + 1, len(hashes))
    for flip in range(most):
        bit = np.uint64(1) << rng.integers(0, 64, len(hashes), dtype=np.uint64)
        hashes ^= np.where(flips > flip, bit, np.uint64(0))
    return hashes


def _text(hashes: np.ndarray) -> pl.Series:
    return pl.Series([f"{value:016x}" for value in hashes.tolist()])


if __name__ == "__main__":
    main()
