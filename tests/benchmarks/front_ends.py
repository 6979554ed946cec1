"""What a front end costs: whole detectors and front ends alone, beside the bare int8 backbone, in time and bytes.

    .venv/bin/python tests/benchmarks/front_ends.py [--size 224] [--front-ends rgb ela rgb+ela npr srm]
        [--threads 1 2] [--rounds 40] [--models FOLDER]

The weights are random, which the time does not depend on; activation ranges are calibrated on drawn pictures. `bare` is
the int8 backbone with int8 planes in and int8 features out. `whole` is the graph that ships: uint8 view to scores and
heatmap. `alone` is the front end by itself, uint8 view to float32 planes. All run in turns, a few calls each, and a
turn counts as its fastest call, so that other work on the machine hits all alike. Ratios are to `bare` (of three
channels) in the same round: their median, and in brackets their quartiles; the least times of all rounds, and their
ratio, say more where other work is heavy. Partitions are the pieces that XNNPACK takes over. Bytes are those of the
`.tflite` without its metadata.

On x86 all is measured twice: as the machine is, and held to AVX2 by `plain_avx2.py`. With --models the converted models
are kept in a folder, and used again from there: empty it after a change in the code. Not a test: the machine's mood is
in the milliseconds, less so in the ratios.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
BARE = "bare"
LIMITED = str(HERE / "plain_avx2.py")
MACHINES: dict[str, list[str]] = (
    {"this machine": [LIMITED, "--as-is"], "held to AVX2": [LIMITED]}
    if platform.machine() == "x86_64"
    else {"this machine": []}
)
WARM_UP = 10
TURN = 5  # calls a turn, of which the fastest counts


def drawn(size: int, count: int, seed: int) -> np.ndarray:
    """Pictures of smooth patches with noise, uint8 [count, size, size, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, size // 8, size // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(coarse + rng.normal(0, 8, coarse.shape), 0, 255).astype(np.uint8)


def build(texts: Sequence[str], size: int, folder: Path) -> None:
    """Convert what the folder lacks: `bare.tflite`, and a `whole TEXT.tflite` and `alone TEXT.tflite` a front end."""
    from ela.front_ends import FrontEnd, parse_front_end
    from export.quantize.fake_quant import calibrate_ranges, fake_quantise, freeze_batch_norm, quantised_backbone
    from export.tflite.convert import GraphParts, convert
    from train.common.quiet import native_chatter_hidden
    from train.common.tf import load_tensorflow, seed_everything
    from train.evaluate.calibration import Calibration
    from train.model import build_classifier, head_of, scale_pixels
    from train.recipe import Model

    tf = load_tensorflow()
    seed_everything(1)
    pictures = drawn(size, 32, seed=1)
    quantised: dict[int, Any] = {}

    def backbone_for(front: FrontEnd) -> Any:
        if front.channels not in quantised:
            model = fake_quantise(build_classifier(Model(weights="none", front_end=front.text), size))
            planes = scale_pixels(front.planes(pictures).astype(np.float32))
            calibrate_ranges(model, [(planes[i : i + 8], planes, planes) for i in range(0, 32, 8)] * 3, 0.5)
            freeze_batch_norm(model, False)
            quantised[front.channels] = model
        return quantised[front.channels]

    def converted(call: Any, spec: Any, module: Any, *, int8: bool) -> bytes:
        traced = tf.function(call, input_signature=[spec], autograph=False).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], module)
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        with native_chatter_hidden():
            return bytes(converter.convert())

    def keep(name: str, make: Any) -> None:
        path = folder / f"{name}.tflite"
        if not path.exists():
            print(f"converting {name} ...", file=sys.stderr)
            path.write_bytes(make())

    def bare() -> bytes:
        module = tf.Module()
        module.backbone = quantised_backbone(backbone_for(parse_front_end("rgb")))
        spec = tf.TensorSpec([1, size, size, 3], tf.float32)
        return converted(lambda planes: module.backbone(planes, training=False), spec, module, int8=True)

    def whole(front: FrontEnd) -> bytes:
        model = backbone_for(front)
        return convert(
            GraphParts(front, quantised_backbone(model), *head_of(model), Calibration(1.0, 0.0), size), "int8"
        )

    def alone(front: FrontEnd) -> bytes:
        spec = tf.TensorSpec([1, size, size, 3], tf.uint8)
        return converted(lambda view: front.graph(tf, tf.cast(view, tf.float32)), spec, tf.Module(), int8=False)

    keep(BARE, bare)
    for text in texts:
        front = parse_front_end(text)
        front.check_size(size)
        keep(f"whole {text}", lambda front=front: whole(front))
        keep(f"alone {text}", lambda front=front: alone(front))


def measure(folder: Path, names: Sequence[str], threads: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of every model in every round, and into how many pieces XNNPACK takes it."""
    from ai_edge_litert.interpreter import Interpreter

    opened = {}
    rng = np.random.default_rng(0)
    for name in names:
        interpreter = Interpreter(model_path=str(folder / f"{name}.tflite"), num_threads=threads)
        interpreter.allocate_tensors()
        (place,) = interpreter.get_input_details()
        low, high = (0, 256) if place["dtype"] is np.uint8 else (-128, 128)
        interpreter.set_tensor(place["index"], rng.integers(low, high, place["shape"], place["dtype"]))
        opened[name] = interpreter
    partitions = {
        name: sum(node["op_name"] == "DELEGATE" for node in interpreter._get_ops_details())
        for name, interpreter in opened.items()
    }

    def milliseconds(interpreter: Any) -> float:
        start = time.perf_counter()
        interpreter.invoke()
        return 1000 * (time.perf_counter() - start)

    for interpreter in opened.values():
        for _ in range(WARM_UP):
            interpreter.invoke()
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, interpreter in opened.items():
            taken[name].append(min(milliseconds(interpreter) for _ in range(TURN)))
    return {"threads": threads, "taken": taken, "partitions": partitions}


def in_new_process(command: list[str]) -> tuple[list[dict[str, Any]], str]:
    """The measurements that a process prints, and the line that tells with what XNNPACK made its products there."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-2000:]}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found, next((line for line in done.stderr.splitlines() if line.startswith("XNNPACK's")), "")


def table(found: dict[str, Any], folder: Path) -> str:
    """A Markdown table of one measurement."""
    rows: list[Sequence[str]] = [("graph", "ms", "x bare", "quartiles", "least ms", "x bare", "partitions", "bytes")]
    bare = found["taken"][BARE]
    for name, taken in found["taken"].items():
        ratios = [own / other for own, other in zip(taken, bare, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        size = (folder / f"{name}.tflite").stat().st_size
        usual = f"{statistics.median(taken):.3f}", f"{middle:.3f}", f"[{low:.3f}, {high:.3f}]"
        least = f"{min(taken):.3f}", f"{min(taken) / min(bare):.3f}"
        rows.append((name, *usual, *least, str(found["partitions"][name]), f"{size:,}"))
    rows.insert(1, ("---", *("--:" for _ in rows[0][1:])))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {row[0].strip():{widths[0]}} | {' | '.join(row[1:])} |" for row in lines)


def main() -> None:
    """Build, then measure in processes that never saw TensorFlow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--front-ends", nargs="+", default=["rgb", "ela", "rgb+ela", "npr", "srm"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--only-measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    whole = [f"whole {text}" for text in options.front_ends]
    alone = [f"alone {text}" for text in options.front_ends if text != "rgb"]
    if options.only_measure:
        names = [BARE, *whole, *alone]
        json.dump([measure(options.models, names, threads, options.rounds) for threads in options.threads], sys.stdout)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.models or Path(temporary)) / str(options.size)
        folder.mkdir(parents=True, exist_ok=True)
        build(options.front_ends, options.size, folder)
        script = [str(HERE / "front_ends.py"), *sys.argv[1:], "--only-measure", "--models", str(folder)]
        for machine, through in MACHINES.items():
            found, kernels = in_new_process([sys.executable, *through, *script])
            for one in found:
                threads = f"{one['threads']} thread{'s' if one['threads'] > 1 else ''}"
                print(f"\n{machine}, {options.size} px, {threads}, {options.rounds} rounds. {kernels}\n")
                print(table(one, folder))


if __name__ == "__main__":
    main()
