"""In how many values the ELA inside a detector differs from Pillow's: over real pictures, settings and kernels.

    .venv/bin/python tests/benchmarks/ela_exact.py [--pictures FOLDER] [--count 240] [--size 224]
        [--qemu qemu-x86_64] [--emulated 24]

Views are `upright|square|resize(SIZE)` of COUNT pictures, evenly chosen from FOLDER's files in the order of their
paths (default: ../shared/faces), and beside them drawn portraits, noise, black and white noise, flat and smooth ones.
Gain x1 shows every difference. The graph runs in TensorFlow and in LiteRT, with XNNPACK on one and two threads and with
TFLite's own kernels; on x86 each once as the machine is and once held to AVX2 by `plain_avx2.py`. --qemu runs those of
LiteRT on an emulated Haswell too, over the first EMULATED views only, for that is slow. The last row is a control:
Pillow with the quality one lower, which must differ. Exit status 1 where any other row differs, or the control agrees.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SETTINGS = [f"ela({quality},{sampling},x1)" for quality in (75, 90, 95) for sampling in ("420", "444")]
LITERT = {
    "LiteRT, XNNPACK, 1 thread": ("AUTO", 1),
    "LiteRT, XNNPACK, 2 threads": ("AUTO", 2),
    "LiteRT, TFLite's own kernels": ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", 1),
}
TENSORFLOW = "TensorFlow"
Counts = dict[str, list[int]]  # by what ran, differing values at each setting
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
BATCH = 8


def views_of(folder: Path, count: int, size: int) -> np.ndarray:
    """Views of real pictures, uint8 [count or fewer, size, size, 3]; none where there is no such folder."""
    from train.image.decode import decode
    from train.image.view import apply_view, parse_view

    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        print(f"No pictures in {folder}: drawn ones only.", file=sys.stderr)
        return np.zeros((0, size, size, 3), np.uint8)
    chosen = np.unique(np.linspace(0, len(paths) - 1, count).round().astype(int))
    view = parse_view(f"upright|square|resize({size})")
    return np.stack([apply_view(view, decode(paths[index])) for index in chosen])


def drawn_views(size: int) -> np.ndarray:
    """Drawn portraits by the sample's three imaging models, and kinds of pictures that reach JPEG's extremes."""
    from train.data.sample.make import CLASSES, draw_sample_picture

    rng = np.random.default_rng(7)
    portraits = [draw_sample_picture(model, index=i, size=size, seed=7) for _, model, _ in CLASSES for i in range(4)]
    flat = np.broadcast_to(rng.integers(0, 256, (12, 1, 1, 3)), (12, size, size, 3))
    blocks = rng.integers(0, 256, (12, size // 8, size // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    smooth = np.clip(blocks + rng.normal(0, 3, blocks.shape), 0, 255)
    noise = rng.integers(0, 256, (12, size, size, 3))
    extremes = rng.choice([0, 255], (12, size, size, 3))
    return np.concatenate([np.stack(portraits), *(kind.astype(np.uint8) for kind in (noise, extremes, flat, smooth))])


def prepare(views: np.ndarray, folder: Path) -> None:
    """Write the views, Pillow's levels of them, and the converted graphs."""
    from ela.front_ends import parse_front_end
    from train.common.quiet import native_chatter_hidden
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    np.save(folder / "views.npy", views)
    for text in SETTINGS:
        front = parse_front_end(text)
        np.save(folder / f"{text}.npy", front.planes(views))
        graph = tf.function(
            lambda view, front=front: front.graph(tf, tf.cast(view, tf.float32)),
            input_signature=[tf.TensorSpec([1, *views.shape[1:]], tf.uint8)],
            autograph=False,
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.get_concrete_function()], tf.Module())
        with native_chatter_hidden():
            (folder / f"{text}.tflite").write_bytes(converter.convert())


def by_litert(model: Path, kernels: str, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """The graph on LiteRT: uint8 views to float32 levels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    opened = Interpreter(
        model_path=str(model), num_threads=threads, experimental_op_resolver_type=OpResolverType[kernels]
    )
    opened.allocate_tensors()
    taken = any(node["op_name"] == "DELEGATE" for node in opened._get_ops_details())
    assert taken == (kernels == "AUTO"), "XNNPACK runs where it should not, or the other way round"
    (image,), (levels,) = opened.get_input_details(), opened.get_output_details()

    def run(views: np.ndarray) -> np.ndarray:
        results = []
        for view in views:
            opened.set_tensor(image["index"], view[np.newaxis])
            opened.invoke()
            results.append(opened.get_tensor(levels["index"])[0])
        return np.stack(results)

    return run


def by_tensorflow(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """The graph in TensorFlow, traced."""
    from ela.front_ends import parse_front_end
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()
    front = parse_front_end(text)
    graph = tf.function(lambda views: front.graph(tf, views), autograph=False)

    def run(views: np.ndarray) -> np.ndarray:
        parts = [graph(tf.constant(views[i : i + BATCH], tf.float32)).numpy() for i in range(0, len(views), BATCH)]
        return np.concatenate(parts)

    return run


def count_differences(folder: Path, names: Sequence[str], count: int) -> Counts:
    """For each way to run it, the number of differing values at each setting, over the first `count` views."""
    views = np.load(folder / "views.npy")[:count]
    found: Counts = {name: [] for name in names}
    for text in SETTINGS:
        expected = np.load(folder / f"{text}.npy")[:count]
        for name in names:
            run = by_tensorflow(text) if name == TENSORFLOW else by_litert(folder / f"{text}.tflite", *LITERT[name])
            found[name].append(int((run(views) != expected).sum()))
    return found


def control(views: np.ndarray) -> list[int]:
    """In how many values Pillow differs from itself at a quality one lower."""
    from ela.front_ends import parse_front_end
    from ela.setting import Ela, parse_options

    differing = []
    for text in SETTINGS:
        own = parse_options(tuple(text[4:-1].split(",")))
        other = Ela(own.quality - 1, own.sampling, own.gain)
        differing.append(int((parse_front_end(text).planes(views) != parse_front_end(other.text).planes(views)).sum()))
    return differing


def in_new_process(through: Sequence[str], folder: Path, names: Sequence[str], count: int) -> tuple[Counts, str]:
    """`count_differences` in a process of its own, and the line on XNNPACK's matrix products there."""
    asked = ["--only-run", str(folder), *names, "--count", str(count)]
    done = subprocess.run([*through, str(HERE / "ela_exact.py"), *asked], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(through)} failed: {done.stderr.strip()[-2000:]}")
    counts: Counts = json.loads(done.stdout)
    return counts, next((line for line in done.stderr.splitlines() if line.startswith("XNNPACK's")), "")


def machines(qemu: str | None) -> list[tuple[str, list[str], list[str]]]:
    """Each machine there is or can be played: its name, how Python is started on it, and what runs there."""
    python, through = [sys.executable], [str(HERE / "plain_avx2.py")]
    everything = [*LITERT, TENSORFLOW]
    if platform.machine() != "x86_64":
        return [("this machine", python, everything)]
    found = [
        ("this machine", [*python, *through, "--as-is"], everything),
        ("held to AVX2", [*python, *through], everything),
    ]
    emulated = (
        [("Haswell, emulated", [qemu, "-cpu", "Haswell", *python, *through, "--as-is"], [*LITERT])] if qemu else []
    )
    return found + emulated


def main() -> None:
    """Prepare once, count in processes, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, default=ROOT.parent / "shared" / "faces")
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--qemu", help="path of qemu-x86_64")
    parser.add_argument("--emulated", type=int, default=24)
    parser.add_argument("--only-run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_run:
        json.dump(count_differences(Path(options.only_run[0]), options.only_run[1:], options.count), sys.stdout)
        return
    real = views_of(options.pictures, options.count, options.size)
    views = np.concatenate([real, drawn_views(options.size)])
    # Real and drawn ones by turns, so that the first few are of all kinds.
    views = views[np.random.default_rng(0).permutation(len(views))]
    print(f"{len(real)} real and {len(views) - len(real)} drawn views of {options.size} px; differing values\n")
    print("| machine | run by | views | values each |", " | ".join(SETTINGS), "|")
    print("| --- | --- | --: | --: |", " | ".join(["--:"] * len(SETTINGS)), "|")

    def row(machine: str, name: str, differing: Sequence[int], count: int) -> None:
        some = views[:count]
        cells = [machine, name, f"{len(some)}", f"{some.size:,}", *(f"{value:,}" for value in differing)]
        print("|", " | ".join(cells), "|", flush=True)

    worst, notes = 0, []
    with tempfile.TemporaryDirectory() as temporary:
        prepare(views, Path(temporary))
        for machine, through, names in machines(options.qemu):
            count = options.emulated if "emulated" in machine else len(views)
            counts, kernels = in_new_process(through, Path(temporary), names, count)
            for name, differing in counts.items():
                row(machine, name, differing, count)
                worst = max(worst, *differing)
            notes.append(f"{machine}: {kernels}")
    differing = control(views)
    row("control", "Pillow, quality one lower", differing, len(views))
    print("", *notes, sep="\n")
    raise SystemExit(1 if worst or not min(differing) else 0)


if __name__ == "__main__":
    main()
